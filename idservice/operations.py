"""For operators: is the process alive (`/healthz`), and may it be sent traffic (`/readyz`)?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from idservice.call import House
from idservice.models import AuditEntry
from idservice.schema import at_head
from keys.ring import Purpose, RingError

blueprint = Blueprint("operations", __name__)

AUDIT_LAG = timedelta(seconds=60)
Waited = Callable[[Session, datetime], timedelta]
_beside: dict[str, tuple[Waited, timedelta]] = {}


def watch_also(work: str, waited: Waited, *, late: timedelta) -> None:
    """Tell of other work that goes on beside requests: for how long what is due has `waited`, and when that is late.

    It is told and decides nothing: a process whose neighbour is late is fit to serve.
    """
    _beside[work] = (waited, late)


def waiting(house: House) -> dict[str, float]:
    """Return for how many seconds what each kind of work beside requests has to do has waited.

    Raises:
        SQLAlchemyError: the database cannot be asked.
    """
    works = {"audit": _audit_waited, **{work: waited for work, (waited, _late) in _beside.items()}}
    now = datetime.now(UTC)

    def look(session: Session) -> dict[str, float]:
        return {work: waited(session, now).total_seconds() for work, waited in works.items()}

    return house.database.run(look, write=False)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer that this process runs; it looks at nothing else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer whether this process can serve, with one named result for each thing it needs."""
    house: House = current_app.extensions["ona"]
    checks: dict[str, Any] = {"keys": _keys(house), **_database(house), "demo": _demo(house)}
    ready = all(result in {"ok", "not_used"} for check, result in checks.items() if check not in _beside)
    return jsonify(status="ready" if ready else "not_ready", checks=checks), 200 if ready else 503


def _keys(house: House) -> str:
    try:
        for purpose in (Purpose.ID_TOKEN, Purpose.ACCESS_TOKEN, Purpose.LICENCE, Purpose.RECEIPT):
            house.keys.signer(purpose)
    except RingError:
        return "missing"
    return "ok"


def _database(house: House) -> dict[str, str]:
    unknown = dict.fromkeys(["audit", *_beside], "unknown")

    def look(session: Session) -> dict[str, str]:
        if not at_head(session.connection()):
            return {"database": "ok", "schema": "run `flask db upgrade`", **unknown}
        now = datetime.now(UTC)
        audit = "the sequencer does not run" if _audit_waited(session, now) > AUDIT_LAG else "ok"
        beside = {work: "late" if waited(session, now) > late else "ok" for work, (waited, late) in _beside.items()}
        return {"database": "ok", "schema": "ok", "audit": audit, **beside}

    try:
        return house.database.run(look, write=False)
    except SQLAlchemyError:
        return {"database": "unreachable", "schema": "unknown", **unknown}


def _audit_waited(session: Session, now: datetime) -> timedelta:
    oldest = session.scalar(select(func.min(AuditEntry.at)).where(AuditEntry.log_index.is_(None)))
    return max(timedelta(), now - oldest) if oldest is not None else timedelta()


def _demo(house: House) -> str:
    ready_file = house.settings.ready_file
    if ready_file is None:
        return "not_used"
    return "ok" if ready_file.exists() else "the demonstration city is being set up"

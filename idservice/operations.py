"""For operators: is the process alive (`/healthz`), and may it be sent traffic (`/readyz`)?"""

from __future__ import annotations

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


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer that this process runs; it looks at nothing else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer whether this process can serve, with one named result for each thing it needs."""
    house: House = current_app.extensions["ona"]
    checks: dict[str, Any] = {"keys": _keys(house), **_database(house), "demo": _demo(house)}
    ready = all(result in {"ok", "not_used"} for result in checks.values())
    return jsonify(status="ready" if ready else "not_ready", checks=checks), 200 if ready else 503


def _keys(house: House) -> str:
    try:
        for purpose in (Purpose.ID_TOKEN, Purpose.ACCESS_TOKEN, Purpose.LICENCE, Purpose.RECEIPT):
            house.keys.signer(purpose)
    except RingError:
        return "missing"
    return "ok"


def _database(house: House) -> dict[str, str]:
    def look(session: Session) -> dict[str, str]:
        if not at_head(session.connection()):
            return {"database": "ok", "schema": "run `flask db upgrade`", "audit": "unknown"}
        waiting = session.scalar(select(func.min(AuditEntry.at)).where(AuditEntry.log_index.is_(None)))
        late = waiting is not None and waiting < datetime.now(UTC) - AUDIT_LAG
        return {"database": "ok", "schema": "ok", "audit": "the sequencer does not run" if late else "ok"}

    try:
        return house.database.run(look, write=False)
    except SQLAlchemyError:
        return {"database": "unreachable", "schema": "unknown", "audit": "unknown"}


def _demo(house: House) -> str:
    ready_file = house.settings.ready_file
    if ready_file is None:
        return "not_used"
    return "ok" if ready_file.exists() else "the demonstration city is being set up"

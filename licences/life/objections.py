"""Objection and correction (异议纠错): a holder says that his licence is wrong, and its issuer answers in time.

国办发〔2022〕3号: errors are corrected at their source. The answer is a corrected version of the licence or a reasoned
refusal; the period is counted in working days from the day after.
"""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from licences import artefacts, catalogue, change, metadata
from licences.counter import working_days
from licences.deeds import Deed
from licences.life.models import Objection
from licences.lifecycle import CHINA_STANDARD_TIME, TERMINAL, Change, State, local_day
from licences.models import Licence

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.issue import Intent
    from licences.metadata import Metadata

DAYS: Final = 15  # working days
MOST_WAITING: Final = 5  # of one licence
GENERIC: Final = ("holder_name", "valid_from", "valid_until", "number")

register(
    {
        "objection_waiting": Kind(409, "对此证照已有多项异议待答复", "Several objections to this licence already wait"),
        "objection_decided": Kind(409, "这项异议已答复", "This objection was answered before"),
        "correction_missing": Kind(
            422, "请写明更正内容，或先更正再答复", "Say what is corrected, or correct it first and name the new version"
        ),
    }
)


def make(call: Call, code: str, body: dict[str, Any]) -> Objection:
    """Object to one field of a licence of the caller's own.

    Raises:
        Problem: not_found, invalid (the licence has no such field), terminal or objection_waiting.
    """
    licence = change.find(call, code)
    if licence.subject != call.caller.holder:
        raise Problem("not_found", "You hold no such licence.")
    if State(licence.state) in TERMINAL:
        raise Problem("terminal", "Object to the version that is in force.")
    if body["field"] not in fields_of(call, licence):
        raise Problem("invalid", "", errors=[FieldProblem("/field", "choice", "the licence has no such field")])
    same = select(func.count()).where(
        Objection.subject == licence.subject,
        Objection.identifier == licence.identifier,
        Objection.decision.is_(None),
    )
    if (call.session.scalar(same) or 0) >= MOST_WAITING:
        raise Problem("objection_waiting", "Wait for the answers.")
    objection_id = timed_id(call.now)
    said = json.dumps({"right": body["right"], "why": body["why"]}, ensure_ascii=False)
    last = working_days.after(local_day(call.now), DAYS).day
    made = Objection(
        subject=licence.subject,
        objection_id=objection_id,
        identifier=licence.identifier,
        department=licence.issuer_code,
        field=body["field"],
        said_sealed=_seal(call, objection_id, "said_sealed", said),
        made_at=call.now,
        due_at=datetime.combine(last + timedelta(days=1), time(), CHINA_STANDARD_TIME),
        decision=None,
        answer_sealed=None,
        decided_by=None,
        decided_at=None,
        corrected=None,
    )
    call.session.add(made)
    facts = {"objection": objection_id, "licence": licence.identifier, "department": licence.issuer_code}
    audit.record(call, Deed.OBJECTED, subject=licence.subject, **facts)
    return made


def fields_of(call: Call, licence: Licence) -> tuple[str, ...]:
    """Return the names of what can be objected to: the face, and the holder's name, dates and number."""
    return (*artefacts.open_record(call, licence).metadata.surface, *GENERIC)


def intend(call: Call, objection_id: str, body: dict[str, Any]) -> Intent | None:
    """Where the answer corrects the licence at once, record what is about to be signed.

    Raises:
        Problem: see `answer`.
    """
    row = waiting(call, objection_id)
    if body["decision"] != "uphold" or body.get("fields") is None:
        return None
    prepared = change.intend(call, row.identifier, _correction(body))
    if prepared is not None and _says(metadata.read(json.loads(prepared.content))) == _says(_stated(call, row)):
        raise Problem("correction_missing", "The corrected version would say the same as the one objected to.")
    return prepared


def answer(call: Call, objection_id: str, body: dict[str, Any], prepared: Intent | None) -> Objection:
    """Uphold an objection, with a corrected version, or refuse it with reasons.

    Raises:
        Problem: not_found, objection_decided, correction_missing; or why the correction is refused: a sensitive type
            is corrected by two people first, and `corrected` then names the new version.
    """
    row = waiting(call, objection_id)
    upheld = body["decision"] == "uphold"
    corrected = _corrected(call, row, body, prepared) if upheld else None
    decided = call.session.execute(
        update(Objection)
        .where(Objection.subject == row.subject, Objection.objection_id == objection_id, Objection.decision.is_(None))
        .values(
            decision="upheld" if upheld else "refused",
            answer_sealed=_seal(call, objection_id, "answer_sealed", body["answer"]),
            decided_by=call.caller.name_for_log,
            decided_at=call.now,
            corrected=corrected,
        )
        .returning(Objection.objection_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if decided is None:
        raise Problem("objection_decided", "Look at the list again.")
    call.session.refresh(row)
    facts: dict[str, Any] = {"objection": objection_id, "decision": row.decision, "corrected": corrected}
    audit.record(call, Deed.OBJECTION_DECIDED, subject=row.subject, licence=row.identifier, **facts)
    return row


def of_holder(call: Call) -> list[Objection]:
    """Return the caller's own objections, newest first, 100 at most.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    if call.caller.holder is None:
        raise Problem("forbidden", "Only a logged-in holder objects.")
    rows = select(Objection).where(Objection.subject == call.caller.holder).order_by(Objection.objection_id.desc())
    return list(call.session.scalars(rows.limit(100)))


def of_department(call: Call, department: str) -> list[Objection]:
    """Return what waits for an answer of a department, the most urgent first, 100 at most.

    Raises:
        Problem: forbidden.
    """
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    rows = select(Objection).where(Objection.department == department, Objection.decision.is_(None))
    return list(call.session.scalars(rows.order_by(Objection.due_at, Objection.objection_id).limit(100)))


def shown(call: Call, row: Objection) -> dict[str, Any]:
    """Return an objection as its holder and its department see it."""
    said = json.loads(_open(call, row, "said_sealed") or "{}")
    decided = row.decision is not None
    return {
        "id": row.objection_id,
        "identifier": row.identifier,
        "field": row.field,
        "right": said.get("right"),
        "why": said.get("why"),
        "made_at": row.made_at,
        "due_at": row.due_at,
        "overdue": (row.decided_at if row.decided_at is not None else call.now) >= row.due_at,
        "state": row.decision if decided else "waiting",
        "answer": _open(call, row, "answer_sealed"),
        "decided_at": row.decided_at,
        "corrected": row.corrected,
    }


def _stated(call: Call, row: Objection) -> Metadata:
    return artefacts.open_record(call, change.find(call, row.identifier)).metadata


def _says(stated: Metadata) -> tuple[object, ...]:
    """Return what of a licence somebody may object to; the register says a holder's name."""
    return stated.holders, stated.surface, stated.valid_from, stated.valid_until, stated.number


def _correction(body: dict[str, Any]) -> dict[str, Any]:
    more = {name: body[name] for name in ("valid_from", "valid_until") if body.get(name) is not None}
    said = {"change": Change.CORRECT, "reason": body["answer"], "ground": "objection_upheld"}
    return {**said, "fields": body["fields"], **more}


def _corrected(call: Call, row: Objection, body: dict[str, Any], prepared: Intent | None) -> str:
    if prepared is not None:
        return str(change.change(call, row.identifier, _correction(body), prepared)["licence"].identifier)
    if not body.get("corrected"):
        raise Problem("correction_missing")
    named = change.find(call, body["corrected"])
    old = change.find(call, row.identifier)
    while old.next_identifier is not None and old.identifier != named.identifier:
        old = change.find(call, old.next_identifier)
    if old.identifier != named.identifier or named.identifier == row.identifier:
        raise Problem("correction_missing", "That is no later version of this licence.")
    return named.identifier


def waiting(call: Call, objection_id: str) -> Objection:
    """Return an objection that the caller may answer now.

    Raises:
        Problem: not_found, second_person_other or objection_decided.
    """
    row = call.session.scalars(select(Objection).where(Objection.objection_id == objection_id)).one_or_none()
    if row is None or not catalogue.is_issuer(call, row.department):
        raise Problem("not_found", "Your department has no such objection.")
    if row.subject == call.caller.person:
        raise Problem("second_person_other", "Nobody answers his own objection.")
    if row.decision is not None:
        raise Problem("objection_decided", "Look at the list again.")
    return row


def _seal(call: Call, objection_id: str, column: str, text: str) -> bytes:
    return call.cipher.seal(text.encode(), table="licence_objection", column=column, row=objection_id)


def _open(call: Call, row: Objection, column: str) -> str | None:
    sealed = getattr(row, column)
    if sealed is None:
        return None
    return call.cipher.open(sealed, table="licence_objection", column=column, row=row.objection_id).decode()

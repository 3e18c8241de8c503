"""What happened to a check or a commitment, step by step, and whom a case number is about."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import insert, select

from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from licences import acting
from licences.counter.models import CaseStep, Commitment, CounterCase, DepartmentCheck

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy.orm import InstrumentedAttribute

    from idservice.call import Call

Case = TypeVar("Case", DepartmentCheck, Commitment)

register({"step_not_open": Kind(409, "当前状态下不能这样办理", "This step is not open in the present state")})

_ID: Final = re.compile(r"[0-9a-f]{32}")


def enter(call: Call, case_id: str, subject: str) -> None:
    """Make a new case findable by its number."""
    call.session.execute(insert(CounterCase), {"case_id": case_id, "subject": subject})


def subject_of(call: Call, case_id: str) -> str | None:
    """Return whom a case is about; None for a number that is nobody's."""
    found = call.session.get(CounterCase, case_id) if _ID.fullmatch(case_id) else None
    return None if found is None else found.subject


def own(
    call: Call, kind: type[Case], number: InstrumentedAttribute[str], *, limit: int, cursor: str | None
) -> list[Case]:
    """Return one page (and one more) of the cases of the caller or of whom he acts for, newest first.

    Those of matters that his mandate does not reach are left out.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    if call.caller.holder is None:
        raise Problem("forbidden", "Only a logged-in holder has cases of his own.")
    query = select(kind).where(kind.subject == call.caller.holder)
    if (within := acting.reach(call).matters) is not None:
        query = query.where(kind.matter.in_(sorted(within)))
    if cursor is not None:
        query = query.where(number < cursor)
    return list(call.session.scalars(query.order_by(number.desc()).limit(limit + 1)))


def note(call: Call, subject: str, case_id: str, step: StrEnum, state: StrEnum, reason: str | None = None) -> None:
    """Add one step; its reason may name people and is stored encrypted."""
    step_id = timed_id(call.now)
    row = {"subject": subject, "case_id": case_id, "step_id": step_id, "step": str(step), "state": str(state)}
    sealed = None if reason is None else seal(call, "counter_case_step", "reason_sealed", step_id, reason)
    more = {"actor": call.caller.name_for_log, "reason_sealed": sealed, "at": call.now}
    call.session.execute(insert(CaseStep), row | more)


def history(call: Call, subject: str, case_id: str) -> list[dict[str, Any]]:
    """Return the steps of a case, oldest first, without saying who took them."""
    asked = select(CaseStep).where(CaseStep.subject == subject, CaseStep.case_id == case_id)
    return [
        {
            "at": row.at,
            "step": row.step,
            "state": row.state,
            "reason": None
            if row.reason_sealed is None
            else opened(call, "counter_case_step", "reason_sealed", row.step_id, row.reason_sealed),
        }
        for row in call.session.scalars(asked.order_by(CaseStep.at, CaseStep.step_id))
    ]


def seal(call: Call, table: str, column: str, row: str, content: Any) -> bytes:
    """Encrypt what one column of one row says."""
    return call.cipher.seal(json.dumps(content, ensure_ascii=False).encode(), table=table, column=column, row=row)


def opened(call: Call, table: str, column: str, row: str, sealed: bytes) -> Any:
    """Return what one column of one row says."""
    return json.loads(call.cipher.open(sealed, table=table, column=column, row=row))


def demand_reason(reason: str | None) -> str:
    """Return the reason of a step that needs one.

    Raises:
        Problem: invalid.
    """
    if not (reason or "").strip():
        raise Problem("invalid", "", errors=[FieldProblem("/reason", "required", "say why")])
    return (reason or "").strip()

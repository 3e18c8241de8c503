"""Question a look (用证质疑): the holder asks why, the audit administrator answers with a reason within a set time.

Personal Information Protection Law (个人信息保护法) articles 44, 45 and 50: a person may know who handled his data, and
is told why where he is refused. The time is counted in working days from the day after the question.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from idservice import accesses, audit
from idservice.admin import roles
from idservice.admin.deeds import AdminDeed
from idservice.admin.roles import Role
from idservice.db import add_if_new
from idservice.errors import FieldProblem, Kind, Problem, register
from licences.accesses.models import AccessQuestion
from licences.counter import working_days
from licences.counter.case_parties import day_of
from licences.deeds import Deed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call

DAYS: Final = 10  # working days
LONGEST: Final = 500  # characters of a question or an answer
LISTED: Final = 100

register(
    {
        "question_asked": Kind(409, "这次查看已提出过质疑", "This look was questioned before"),
        "question_answered": Kind(409, "这项质疑已答复", "This question was answered before"),
    }
)


class Verdict(StrEnum):
    """What the audit administrator found."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


def ask(call: Call, record_id: str, text: str) -> AccessQuestion:
    """Question one look at the caller's own data.

    Raises:
        Problem: forbidden; not_found; invalid; question_asked.
    """
    record = accesses.find(call, record_id)
    due = working_days.after(day_of(call.now), DAYS).day
    row = {
        "subject": record.subject,
        "record_id": record_id,
        "question_sealed": _seal(call, "question_sealed", record_id, _checked(text, "/text")),
        "asked_at": call.now,
        "due": due,
    }
    if not add_if_new(call.session, AccessQuestion, row):
        raise Problem("question_asked", "Its answer stands beside the record.")
    audit.record(call, Deed.ACCESS_QUESTIONED, subject=record.subject, access=record_id, due=due.isoformat())
    return call.session.get_one(AccessQuestion, (record.subject, record_id))


def about(call: Call, record_ids: Iterable[str]) -> dict[str, AccessQuestion]:
    """Return the caller's own questions about these looks, by the identifier of the look."""
    wanted = select(AccessQuestion).where(
        AccessQuestion.subject == accesses.holder_of(call), AccessQuestion.record_id.in_(list(record_ids))
    )
    return {row.record_id: row for row in call.session.scalars(wanted)}


def waiting(call: Call, *, answered: bool = False) -> list[AccessQuestion]:
    """Return the questions that wait, the most overdue first, or those answered last.

    Raises:
        Problem: forbidden, to all but the audit administrator.
    """
    roles.demand(call, Role.AUDIT)
    order = (AccessQuestion.answered_at.desc(),) if answered else (AccessQuestion.due, AccessQuestion.asked_at)
    rows = select(AccessQuestion).where(AccessQuestion.answered_at.is_not(None) == answered).order_by(*order)
    return list(call.session.scalars(rows.limit(LISTED)))


def opened(call: Call) -> None:
    """Record that the audit administrator reads the questions, and the looks they are about.

    Raises:
        Problem: forbidden.
    """
    roles.demand(call, Role.AUDIT)
    audit.record(call, AdminDeed.LOG_READ, questions=True)


def answer(call: Call, subject: str, record_id: str, *, verdict: str, text: str) -> None:
    """Answer a question, once.

    Raises:
        Problem: forbidden; invalid; not_found; question_answered.
    """
    roles.demand(call, Role.AUDIT)
    if verdict not in set(Verdict):
        raise Problem("invalid", "", errors=[FieldProblem("/verdict", "choice", "justified or unjustified")])
    sealed = _seal(call, "answer_sealed", record_id, _checked(text, "/answer"))
    done = (
        update(AccessQuestion)
        .where(
            AccessQuestion.subject == subject,
            AccessQuestion.record_id == record_id,
            AccessQuestion.answered_at.is_(None),
        )
        .values(answer_sealed=sealed, verdict=verdict, answered_by=call.caller.person, answered_at=call.now)
        .returning(AccessQuestion.record_id)
        .execution_options(synchronize_session=False)
    )
    if call.session.execute(done).one_or_none() is None:
        known = call.session.get(AccessQuestion, (subject, record_id)) is not None
        raise Problem("question_answered" if known else "not_found", "Look at the list again.")
    audit.record(call, Deed.ACCESS_ANSWERED, subject=subject, access=record_id, verdict=verdict)


def question_of(call: Call, row: AccessQuestion) -> str:
    """Return what was asked."""
    return _open(call, row.question_sealed, "question_sealed", row.record_id)


def answer_of(call: Call, row: AccessQuestion) -> str | None:
    """Return what was answered."""
    return _open(call, row.answer_sealed, "answer_sealed", row.record_id) if row.answer_sealed is not None else None


def is_overdue(call: Call, row: AccessQuestion) -> bool:
    """Return whether the time for the answer is over and there is none."""
    return row.answered_at is None and day_of(call.now) > row.due


def _checked(text: str, pointer: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LONGEST or not all(character.isprintable() or character in "\r\n" for character in text):
        raise Problem("invalid", "", errors=[FieldProblem(pointer, "length", f"1 to {LONGEST} characters of text")])
    return text


def _seal(call: Call, column: str, record_id: str, text: str) -> bytes:
    return call.cipher.seal(text.encode(), table="access_question", column=column, row=record_id)


def _open(call: Call, sealed: bytes, column: str, record_id: str) -> str:
    return call.cipher.open(sealed, table="access_question", column=column, row=record_id).decode()

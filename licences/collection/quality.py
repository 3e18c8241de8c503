"""How good and fresh what a department sent is (数据质量), and questions to it about single licences (数据核对反馈)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, func, select, update

from idservice import audit
from idservice.errors import Kind, Problem, register
from idservice.ids import timed_id
from licences import catalogue, change
from licences.collection.models import CollectedLicence, SourceQuestion
from licences.deeds import Deed
from licences.lifecycle import local_day

if TYPE_CHECKING:
    from datetime import date

    from idservice.call import Call

STALE_AFTER: Final = timedelta(days=30)
MOST_REASONS: Final = 5
_TABLE, _COLUMN = "source_question", "asked_sealed"

register({"source_question_answered": Kind(409, "这项反馈已答复", "This question was answered before")})


def figures(call: Call, department: str) -> list[dict[str, Any]]:
    """Return, for each type that a department sent, how many rows there are and what is wrong with them.

    Raises:
        Problem: forbidden.
    """
    _demand(call, department)
    table = CollectedLicence
    asked = (
        select(
            table.type_code,
            func.count().label("rows"),
            func.sum(case((table.state == "waiting", 1), else_=0)).label("waiting"),
            func.sum(case((table.state == "failed", 1), else_=0)).label("failed"),
            func.sum(case((table.missing > 0, 1), else_=0)).label("incomplete"),
            func.sum(case((table.reason == "identifier_check", 1), else_=0)).label("wrong_identifier"),
            func.sum(case((table.collected_at < call.now - STALE_AFTER, 1), else_=0)).label("stale_rows"),
            func.max(table.collected_at).label("collected_at"),
            func.max(table.updated_on).label("updated_on"),
        )
        .where(table.department == department)
        .group_by(table.type_code)
        .order_by(table.type_code)
    )
    return [_figure(call, department, row) for row in call.session.execute(asked)]


def _figure(call: Call, department: str, row: Any) -> dict[str, Any]:
    kind = catalogue.find(call, row.type_code).type
    return {
        "type": row.type_code,
        "name": kind.name,
        "name_en": kind.name_en,
        "rows": row.rows,
        "waiting": row.waiting,
        "failed": row.failed,
        "incomplete": row.incomplete,
        "wrong_identifier": row.wrong_identifier,
        "repeated": _repeated(call, department, row.type_code) if kind.single else 0,
        "collected_at": row.collected_at,
        "updated_on": row.updated_on,
        "stale_rows": row.stale_rows,
        "stale": row.stale_rows > 0 or _is_old(call, row.updated_on),
        "reasons": _reasons(call, department, row.type_code),
    }


def _is_old(call: Call, updated_on: date | None) -> bool:
    """Return whether a source that says when it changes its rows changed none for long: it sends the same again."""
    return updated_on is not None and updated_on < local_day(call.now - STALE_AFTER)


def _repeated(call: Call, department: str, type_code: str) -> int:
    """Return how many holders a department lists more than once of a type that one may hold once."""
    table = CollectedLicence
    several = (
        select(table.subject)
        .where(table.department == department, table.type_code == type_code)
        .group_by(table.subject)
        .having(func.count() > 1)
    )
    return call.session.scalar(select(func.count()).select_from(several.subquery())) or 0


def _reasons(call: Call, department: str, type_code: str) -> list[dict[str, Any]]:
    """Return why rows could not be sealed, the most frequent reasons first."""
    table, count = CollectedLicence, func.count()
    asked = (
        select(table.reason, count.label("rows"))
        .where(table.department == department, table.type_code == type_code, table.state == "failed")
        .group_by(table.reason)
        .order_by(count.desc(), table.reason)
    )
    return [{"reason": row.reason, "rows": row.rows} for row in call.session.execute(asked.limit(MOST_REASONS))]


# --- questions to the source ---------------------------------------------------------------------------------------


def ask(call: Call, body: dict[str, Any]) -> SourceQuestion:
    """Ask the department that issued a licence whether what it says is right.

    Raises:
        Problem: not_found.
    """
    licence = change.find(call, body["identifier"])
    question_id = timed_id(call.now)
    made = SourceQuestion(
        subject=licence.subject,
        question_id=question_id,
        department=licence.issuer_code,
        identifier=licence.identifier,
        asked_sealed=call.cipher.seal(body["question"].encode(), table=_TABLE, column=_COLUMN, row=question_id),
        asked_by=call.caller.name_for_log,
        asked_at=call.now,
        answer=None,
        answered_by=None,
        answered_at=None,
    )
    call.session.add(made)
    facts = {"question": question_id, "licence": licence.identifier, "department": licence.issuer_code}
    audit.record(call, Deed.SOURCE_ASKED, subject=licence.subject, **facts)
    return made


def answer(call: Call, question_id: str, said: str) -> SourceQuestion:
    """Answer a question as the source: `right` or `corrected`.

    Raises:
        Problem: not_found, also for a question to another department; source_question_answered.
    """
    row = call.session.scalars(select(SourceQuestion).where(SourceQuestion.question_id == question_id)).one_or_none()
    if row is None or not catalogue.is_issuer(call, row.department):
        raise Problem("not_found", "Your department was asked no such question.")
    answered = call.session.execute(
        update(SourceQuestion)
        .where(
            SourceQuestion.subject == row.subject,
            SourceQuestion.question_id == question_id,
            SourceQuestion.answer.is_(None),
        )
        .values(answer=said, answered_by=call.caller.name_for_log, answered_at=call.now)
        .returning(SourceQuestion.question_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if answered is None:
        raise Problem("source_question_answered", "Look at the list again.")
    call.session.refresh(row)
    audit.record(
        call, Deed.SOURCE_ANSWERED, subject=row.subject, licence=row.identifier, question=question_id, said=said
    )
    return row


def open_questions(call: Call, department: str) -> list[SourceQuestion]:
    """Return what a department has not answered yet, oldest first, 100 at most.

    Raises:
        Problem: forbidden.
    """
    _demand(call, department)
    asked = select(SourceQuestion).where(SourceQuestion.department == department, SourceQuestion.answer.is_(None))
    return list(call.session.scalars(asked.order_by(SourceQuestion.question_id).limit(100)))


def shown(call: Call, row: SourceQuestion) -> dict[str, Any]:
    """Return a question as both sides see it."""
    return {
        "id": row.question_id,
        "identifier": row.identifier,
        "question": call.cipher.open(row.asked_sealed, table=_TABLE, column=_COLUMN, row=row.question_id).decode(),
        "asked_at": row.asked_at,
        "answer": row.answer,
        "answered_at": row.answered_at,
    }


def _demand(call: Call, department: str) -> None:
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")

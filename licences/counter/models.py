"""The tables of department checks and commitments, each owned by the person whom it is about.

The columns say what happens to a case and until when. Whatever says more of the person (case number, words, the reply,
what he signed) is encrypted.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, SUBJECT, Base


class CounterCase(Base):
    """The route from the number of a check or a commitment to whom it is about."""

    __tablename__ = "counter_case"
    __table_args__ = HASHED
    case_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered, 80 random bits
    subject: Mapped[str] = mapped_column(String(32))


class CaseStep(Base):
    """One step in the life of a check or a commitment: what, by whom, why."""

    __tablename__ = "counter_case_step"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    step_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    step: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))  # after the step
    actor: Mapped[str] = mapped_column(String(96))
    reason_sealed: Mapped[bytes | None]
    at: Mapped[datetime]


class DepartmentCheck(Base):
    """A question from one department to another that only the other's files can answer (部门协查)."""

    __tablename__ = "department_check"
    __table_args__ = (
        Index(None, "department", "state", "due_on"),
        Index(None, "asking_department", "check_id"),
        Index("ix_department_check_late", "state", "due_on"),
        SUBJECT,
    )
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    check_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    matter: Mapped[str] = mapped_column(String(64))
    proof: Mapped[str] = mapped_column(String(40))
    lookup_id: Mapped[str] = mapped_column(String(32))  # in which the holder's authorisation was given
    department: Mapped[str] = mapped_column(String(18))  # that answers
    asking_department: Mapped[str] = mapped_column(String(18))
    asked_by: Mapped[str] = mapped_column(String(96))
    assigned_to: Mapped[str | None] = mapped_column(String(96))
    state: Mapped[str] = mapped_column(String(12))  # licences.counter.assist_life.State
    days: Mapped[int]  # working days from request to answer
    due_on: Mapped[date] = mapped_column(Date)
    reminders: Mapped[int]
    reminded_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(12))
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    request_sealed: Mapped[bytes]  # who asks, in which case, what for


class DepartmentReply(Base):
    """The answer to a check, as a document under the answering department's seal."""

    __tablename__ = "department_reply"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    check_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reply_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    answer: Mapped[str] = mapped_column(String(12))
    text_sealed: Mapped[bytes]
    document_sealed: Mapped[bytes]  # the sealed OFD
    seal_id: Mapped[str] = mapped_column(String(32))
    use_id: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime]


class Commitment(Base):
    """A person's written commitment in place of a proof (告知承诺), and what became of it."""

    __tablename__ = "commitment"
    __table_args__ = (Index(None, "department", "state", "commitment_id"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    commitment_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    matter: Mapped[str] = mapped_column(String(64))
    proof: Mapped[str] = mapped_column(String(40))
    lookup_id: Mapped[str] = mapped_column(String(32))
    department: Mapped[str] = mapped_column(String(18))  # that asked for the proof and checks the commitment
    state: Mapped[str] = mapped_column(String(12))  # licences.counter.commitment_life.State
    content_sealed: Mapped[bytes]  # the text to be signed, in which case, who offered it
    statement_sealed: Mapped[bytes | None]  # what was signed, as a JWS
    marked_by: Mapped[str | None] = mapped_column(String(96))  # who called it false: somebody else decides an objection
    objection_until: Mapped[date | None] = mapped_column(Date)
    offered_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

"""The table of questions that holders ask about looks at their data."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import SUBJECT, Base


class AccessQuestion(Base):
    """A holder's question about one look (用证质疑), one for each look, and what the audit administrator answered."""

    __tablename__ = "access_question"
    __table_args__ = (Index(None, "answered_at", "due"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # of the access record
    question_sealed: Mapped[bytes]
    asked_at: Mapped[datetime]
    due: Mapped[date] = mapped_column(Date)
    answer_sealed: Mapped[bytes | None]
    verdict: Mapped[str | None] = mapped_column(String(16))  # licences.accesses.questions.Verdict
    answered_by: Mapped[str | None] = mapped_column(String(32))
    answered_at: Mapped[datetime | None]

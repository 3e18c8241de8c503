"""The table of requests that a counter shows and a citizen answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, Base


class PresentationRequest(Base):
    """A request to show (反向扫码请求): random, short-lived, answered once and read once; found by its code's hash."""

    __tablename__ = "presentation_request"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    asked_by: Mapped[str] = mapped_column(String(96))  # a pseudonym: who may read the answer
    asker_sealed: Mapped[bytes]  # licences.asker.Asker, as the holder's record will name it
    question: Mapped[str] = mapped_column(String(16))  # licences.showing.requests.QUESTIONS
    types: Mapped[list[str]]  # codes of licence types; none: any
    matter: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(8))  # licences.showing.requests.Outcome
    answered_at: Mapped[datetime | None]
    subject: Mapped[str | None] = mapped_column(String(32))  # who answered
    check_number: Mapped[str | None] = mapped_column(String(4))  # on both screens
    shown_sealed: Mapped[bytes | None]  # the show code the answer is read by
    read_at: Mapped[datetime | None]

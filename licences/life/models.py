"""The tables around the life of a licence: who stopped an issue, what waits for a second person, who objected."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import REFERENCE, SUBJECT, Base


class IssuingStop(Base):
    """A stop of issuing (停止签发): of one type, of one department, or of one type by one department."""

    __tablename__ = "issuing_stop"
    __table_args__ = REFERENCE
    stop_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    type_code: Mapped[str | None] = mapped_column(String(21))
    department: Mapped[str] = mapped_column(String(18))
    reason: Mapped[str] = mapped_column(String(200))
    stopped_by: Mapped[str] = mapped_column(String(96))
    stopped_at: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(96))
    lifted_at: Mapped[datetime | None]


class ChangeRequest(Base):
    """A deed on a sensitive licence that waits for a second person (双人复核): an issue, or a change."""

    __tablename__ = "change_request"
    __table_args__ = (Index(None, "request_id"), Index(None, "department", "request_id"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    department: Mapped[str] = mapped_column(String(18))
    change: Mapped[str] = mapped_column(String(16))
    identifier: Mapped[str | None] = mapped_column(String(128))  # None: a new licence
    body_sealed: Mapped[bytes]
    asked_by: Mapped[str] = mapped_column(String(96))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decision: Mapped[str | None] = mapped_column(String(8))  # approved, refused
    decided_by: Mapped[str | None] = mapped_column(String(96))
    decided_at: Mapped[datetime | None]
    result: Mapped[str | None] = mapped_column(String(128))  # the identifier that came of it


class Objection(Base):
    """A holder's objection to what his licence says (异议), and what became of it."""

    __tablename__ = "licence_objection"
    __table_args__ = (Index(None, "objection_id"), Index(None, "department", "objection_id"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    objection_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    identifier: Mapped[str] = mapped_column(String(128))
    department: Mapped[str] = mapped_column(String(18))
    field: Mapped[str] = mapped_column(String(64))
    said_sealed: Mapped[bytes]  # what the holder says is right, and why
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    decision: Mapped[str | None] = mapped_column(String(12))  # upheld, refused
    answer_sealed: Mapped[bytes | None]
    decided_by: Mapped[str | None] = mapped_column(String(96))
    decided_at: Mapped[datetime | None]
    corrected: Mapped[str | None] = mapped_column(String(128))  # the version that came of it

"""The tables of what is sent out: notices that wait for delivery, and the streams of security events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, Base


class Notice(Base):
    """Something that an app must be told (待发通知): kept until it was taken, or until it is of no use any more.

    `facts` hold pseudonyms alone. What leaves is signed at each try, because what is signed is soon too old.
    """

    __tablename__ = "notice"
    __table_args__ = (Index(None, "due_at"), Index(None, "kind", "target"), HASHED)
    notice_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    kind: Mapped[str] = mapped_column(String(16))  # logout | event
    target: Mapped[str] = mapped_column(String(64))  # the client
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when to try next; None: it waits to be fetched
    attempts: Mapped[int]
    expires_at: Mapped[datetime]


class EventStream(Base):
    """A receiver's stream of security events (安全事件流), at most one for a client."""

    __tablename__ = "event_stream"
    __table_args__ = REFERENCE
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    stream_id: Mapped[str] = mapped_column(String(32))
    events: Mapped[list[str]]
    endpoint_url: Mapped[str | None] = mapped_column(Text)  # None: the receiver polls
    authorization_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # what we show at its endpoint
    description: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12))  # enabled | paused | disabled
    reason: Mapped[str | None] = mapped_column(Text)
    default_subjects: Mapped[str | None] = mapped_column(String(8))  # ALL, also where it is empty | NONE
    verified_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class StreamSubject(Base):
    """A person about whom a receiver wants, or does not want, to hear: an exception to its stream's default.

    Found by the keyed hash of the client and the subject that it alone knows; whose that is, is not kept.
    """

    __tablename__ = "stream_subject"
    __table_args__ = (Index(None, "client_id"), HASHED)
    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    is_added: Mapped[bool]
    changed_at: Mapped[datetime]

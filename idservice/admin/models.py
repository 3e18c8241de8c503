"""The tables of administrators and of what two of them decide together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import REFERENCE, SUBJECT, Base


class Administrator(Base):
    """An account's administrative role (系统、安全、审计三员分立): the key is the account alone, so it holds one."""

    __tablename__ = "administrator"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))  # system | security | audit
    given_at: Mapped[datetime]


class AdminRequest(Base):
    """A risky act that one administrator asked for and another one decides (双人复核)."""

    __tablename__ = "admin_request"
    __table_args__ = REFERENCE
    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered, for keyset paging
    act: Mapped[str] = mapped_column(String(32))
    facts_sealed: Mapped[bytes]
    requested_by: Mapped[str] = mapped_column(String(32))
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decision: Mapped[str | None] = mapped_column(String(12))  # approved | refused | withdrawn
    decided_by: Mapped[str | None] = mapped_column(String(32))
    decided_at: Mapped[datetime | None]

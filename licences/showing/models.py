"""The tables of showing: requests that a citizen answers, and devices that show offline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
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


class DeviceCredential(Base):
    """A minimal licence that one device of its holder may show offline (离线亮证凭证), found by its digest."""

    __tablename__ = "device_credential"
    __table_args__ = (Index(None, "subject"), HASHED)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # SHA-256 of the credential
    subject: Mapped[str] = mapped_column(String(32))
    identifier: Mapped[str] = mapped_column(String(128))
    device: Mapped[str] = mapped_column(String(16))  # of its key: keys.signer.key_id
    title: Mapped[str | None] = mapped_column(String(64))  # the kind of browser, for its holder's list
    place: Mapped[int] = mapped_column(BigInteger)  # licences.status.models.StatusEntry
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UsedDeviceCode(Base):
    """An offline show code that was used here, so that a second scan is recognised as one."""

    __tablename__ = "used_device_code"
    __table_args__ = HASHED
    name_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # device_code.Code.name
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]

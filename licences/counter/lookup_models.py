"""The tables of matters' versions and of the codes that authorise a look-up (用证码)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, Base


class MatterVersion(Base):
    """A matter as it stood: every change is another version, and none is ever altered."""

    __tablename__ = "matter_version"
    __table_args__ = REFERENCE
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]]
    entered_at: Mapped[datetime]


class LookupAuthorisation(Base):
    """A code that authorises one look-up for one matter: random, short-lived, used once; found by its hash."""

    __tablename__ = "lookup_authorisation"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    mode: Mapped[str] = mapped_column(String(8))  # licences.counter.authorisation_codes.Mode, or commitment_codes.MODE
    matter: Mapped[str] = mapped_column(String(64))
    department: Mapped[str | None] = mapped_column(String(18))  # None: any unit that handles the matter
    case_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # None: any case
    ground: Mapped[str | None] = mapped_column(String(40))  # of mode auth: the provision
    agent: Mapped[str | None] = mapped_column(String(32))  # of mode entrust: who acts, and by which mandate
    mandate: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    identifier: Mapped[str | None] = mapped_column(String(128))  # of the one licence it opens; None: of the matter's
    asker_sealed: Mapped[bytes | None]  # licences.asker.Asker: who reads it; of mode sign: the login that made it

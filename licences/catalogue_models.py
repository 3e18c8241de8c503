"""The tables of what a licence type said at each time, and of the holders beside a licence's first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.column_types import HexId
from idservice.models import REFERENCE, SUBJECT, Base
from licences.identifier_column import IdentifierType
from licences.models import LicenceType


class LicenceTypeVersion(Base):
    """One version of a catalogue entry (目录版本): never changed, because licences were issued under it."""

    __tablename__ = "licence_type_version"
    __table_args__ = REFERENCE
    code: Mapped[str] = mapped_column(ForeignKey(LicenceType.code), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(String(200))
    entered_by: Mapped[str | None] = mapped_column(String(96))  # a pseudonym, as in the audit log; None: long ago
    entered_at: Mapped[datetime]


class LicenceCoHolder(Base):
    """A holder beside the first (共有人): his way to the licence, which stands with its first holder, the `owner`."""

    __tablename__ = "licence_co_holder"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(HexId, primary_key=True)
    identifier: Mapped[str] = mapped_column(IdentifierType, primary_key=True)
    owner: Mapped[str] = mapped_column(HexId)
    place: Mapped[int]  # among the holders of the licence; the owner's is 0

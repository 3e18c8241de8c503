"""The tables of collection: what came in and waits to be sealed, what was refused, what a source was asked about."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.column_types import HexId, Instant
from idservice.models import HASHED, REFERENCE, SUBJECT, Base
from licences.identifier_column import IdentifierType
from licences.models import SMALL_ROWS

_WAITING = text("state = 'waiting'")


class CollectedLicence(Base):
    """One licence as its source states it (归集数据), found again by the keyed hash of what names it there."""

    __tablename__ = "collected_licence"
    __table_args__ = (
        # By time first: a portion comes in at one end and is sealed from the other, and no page is touched twice.
        Index(
            "ix_collected_licence_waiting",
            *("collected_at", "subject", "source"),
            postgresql_where=_WAITING,
            sqlite_where=_WAITING,
        ),
        Index(None, "department", "type_code"),
        SUBJECT,
    )
    subject: Mapped[str] = mapped_column(HexId, primary_key=True)
    source: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # of type, department, number and holder
    type_code: Mapped[str] = mapped_column(String(21))
    department: Mapped[str] = mapped_column(String(18))
    state: Mapped[str] = mapped_column(String(8))  # collection.rows.STATES
    reason: Mapped[str | None] = mapped_column(String(40))  # why it could not be sealed; what a notice is about
    record_sealed: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))  # of the record: the same again changes nothing
    identifier: Mapped[str | None] = mapped_column(IdentifierType)  # of the licence made of it
    missing: Mapped[int]  # how many fields of the face that may be left out are
    updated_on: Mapped[date | None] = mapped_column(Date)  # at the source, as it says
    collected_at: Mapped[datetime] = mapped_column(Instant)


class SourceIdentifier(Base):
    """The way from the identifier that a source gave a licence (来源标识), by its digest, to ours."""

    __tablename__ = "source_identifier"
    __table_args__ = HASHED | SMALL_ROWS
    source_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    identifier: Mapped[str] = mapped_column(IdentifierType)


class CollectedRefusal(Base):
    """How many rows of one import or batch were refused for one reason (退回数据); nothing of the rows themselves."""

    __tablename__ = "collected_refusal"
    __table_args__ = (Index(None, "department", "counted_at"), REFERENCE)
    batch: Mapped[str] = mapped_column(String(32), primary_key=True)  # as the file of rejects or the answer names it
    department: Mapped[str] = mapped_column(String(18), primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21), primary_key=True)  # empty: none of the catalogue
    reason: Mapped[str] = mapped_column(String(64), primary_key=True)
    refused: Mapped[int]
    counted_at: Mapped[datetime]  # last


class SourceQuestion(Base):
    """A question to a source whether what it sent is right (数据核对反馈), and its answer."""

    __tablename__ = "source_question"
    __table_args__ = (Index(None, "question_id"), Index(None, "department", "question_id"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    question_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    department: Mapped[str] = mapped_column(String(18))
    identifier: Mapped[str] = mapped_column(String(128))
    asked_sealed: Mapped[bytes]
    asked_by: Mapped[str] = mapped_column(String(96))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(12))  # right, corrected
    answered_by: Mapped[str | None] = mapped_column(String(96))
    answered_at: Mapped[datetime | None]

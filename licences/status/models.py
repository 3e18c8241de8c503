"""The tables of status lists: whose place is whose, what became of it and when, and what was published of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, LOG, REFERENCE, Base

_NOT_VALID = text("value <> 0")
_WAITING = text("published_at IS NULL")
#: On SQLite an INTEGER key is the row's own number and costs no second tree.
_PLACE = BigInteger().with_variant(Integer, "sqlite")


class StatusList(Base):
    """A status list that was opened; the one with the highest number takes new copies, and list 0 is always open."""

    __tablename__ = "status_list"
    __table_args__ = REFERENCE
    list_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opened_at: Mapped[datetime]


class StatusEntry(Base):
    """The place of one copy of a licence in the lists, and what stands there now: 0 valid, 1 invalid, 2 suspended."""

    __tablename__ = "status_entry"
    __table_args__ = (
        Index(None, "licence_key"),
        Index("ix_status_entry_not_valid", "place", sqlite_where=_NOT_VALID, postgresql_where=_NOT_VALID),
        HASHED,
    )
    place: Mapped[int] = mapped_column(_PLACE, primary_key=True, autoincrement=False)  # list number * 2**20 + index
    licence_key: Mapped[bytes] = mapped_column(LargeBinary(16))  # licences.status.entries.key_of
    form: Mapped[str] = mapped_column(String(12))
    value: Mapped[int] = mapped_column(SmallInteger)


class StatusChange(Base):
    """One change of what stands at a place; `published_at` says when a list that shows it was signed."""

    __tablename__ = "status_change"
    __table_args__ = (
        Index("ix_status_change_waiting", "place", sqlite_where=_WAITING, postgresql_where=_WAITING),
        LOG,
    )
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    change_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    value: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class PublishedFile(Base):
    """A signed file as it is served, byte for byte, until the next one takes its place."""

    __tablename__ = "published_file"
    __table_args__ = REFERENCE
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes]
    kid: Mapped[str] = mapped_column(String(64))  # of the key that signed it
    published_at: Mapped[datetime]

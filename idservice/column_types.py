"""Types of columns that take little room: identifiers of ours as bytes, and instants as numbers on SQLite.

What stands in millions of rows, and in their keys once more, is stored in half the bytes of its text. The code that
reads and writes sees the text as before; nothing is lost, because what has no short form is kept as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine

T = TypeVar("T")

_LONGEST: Final = 16  # bytes
_ANY_TEXT: Final = b"\xff" * _LONGEST  # in front of what is no such number: it sorts after all that are
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class StoredAs(TypeDecorator[T]):
    """A type whose values are stored in another form, by one function each way; bulk statements use the same two."""

    __abstract__ = True
    sample: ClassVar[object]
    """Something that SQLite's driver could return for such a column."""

    def stored(self, value: Any, dialect: Dialect) -> Any:
        """Return a value as the database keeps it."""
        raise NotImplementedError

    def shown(self, value: Any, dialect: Dialect) -> T:
        """Return a value of the driver's as the program knows it."""
        raise NotImplementedError

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what stores a value; None stays None."""
        stored = self.stored
        return lambda value: None if value is None else stored(value, dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return what reads a value; None stays None."""
        shown = self.shown
        return lambda value: None if value is None else shown(value, dialect)


class HexId(StoredAs[str]):
    """An identifier of 32 hexadecimal characters (`idservice.ids`), stored as 16 bytes, in the same order.

    The beginning of one, with which a part of all is asked for, is the beginning of its bytes.
    """

    impl = LargeBinary
    cache_ok = True
    sample = bytes(16)

    @property
    def python_type(self) -> type[str]:
        """Return what the program sees."""
        return str

    def stored(self, value: str, dialect: Dialect) -> bytes:  # noqa: ARG002
        """Return the bytes of a text."""
        try:
            short = bytes.fromhex(value)  # which also takes capitals and spaces
        except ValueError:
            short = None
        if short is None or len(short) > _LONGEST or short.hex() != value:
            return _ANY_TEXT + value.encode()
        return short

    def shown(self, value: bytes, dialect: Dialect) -> str:  # noqa: ARG002
        """Return the text of bytes."""
        return value.hex() if len(value) <= _LONGEST else value[_LONGEST:].decode()


class Instant(StoredAs[datetime]):
    """An instant, aware and in UTC; on SQLite the microseconds since 1970, which has no type for it but text."""

    impl = DateTime(timezone=True)
    cache_ok = True
    sample = 1_767_225_600_000_000

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the column."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def stored(self, value: datetime, dialect: Dialect) -> Any:
        """Return an instant as it is stored; raises `ValueError` for a time without a zone, which could be any."""
        if value.tzinfo is None:
            raise ValueError("a stored time must carry its zone")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)

    def shown(self, value: Any, dialect: Dialect) -> datetime:
        """Return a stored instant in UTC."""
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        at: datetime = value
        return at.astimezone(UTC)

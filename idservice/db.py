"""The database: one engine a process, transactions with retry, and the SQLite settings that make it keep its word.

SQLite's default transaction starts as a reader and upgrades on the first write; two such upgrades deadlock and one
fails at once, whatever the busy timeout. So every transaction says from the start whether it writes, and a writer takes
`BEGIN IMMEDIATE`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from sqlalchemy import DateTime, Dialect, Engine, Table, TypeDecorator, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

T = TypeVar("T")

TRIES = 6
SERIALIZATION_STATES = {"40001", "40P01"}  # SQL standard: serialization failure; PostgreSQL: deadlock


class UTCDateTime(TypeDecorator[datetime]):
    """An instant, aware and in UTC on the Python side, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a naive time: it would mean another instant on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must carry its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's naive value its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return the table behind a model.

    What every request does is written as statements on tables, built once with `bindparam`: building a statement and
    passing through the ORM each cost about as much as SQLite needs to carry it out.
    """
    return cast("Table", model.__table__)


def add_if_new(session: Session, model: type[DeclarativeBase], row: dict[str, Any]) -> bool:
    """Add `row` unless one with its key is there; return whether it was added.

    Of several transactions that add the same key at once, one adds it; the others wait for it to end.
    """
    connection = session.connection()
    table = table_of(model)
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None


class _Session(Session):
    """A session that costs nothing where the deed asked the database nothing, as the simplest operations do."""

    def close(self) -> None:
        """Give back what was taken."""
        if self.in_transaction() or self.identity_map:
            super().close()


class Database:
    """One engine and the two ways into it: `read` and `write`."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writer = _sqlite_writer(self.engine) if self.is_sqlite else self.engine

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    def run(self, deed: Callable[[Session], T], *, write: bool) -> T:
        """Run `deed` in one transaction; commit if it returns, roll back if it raises.

        A transaction that lost against another one (serialization failure, deadlock, lost connection, locked
        database) is run again from its start, with full jitter; `deed` must therefore have no effect outside the
        session. The last failure is raised as it came.
        """
        for attempt in range(TRIES):
            try:
                with _Session(self._writer if write else self.engine, expire_on_commit=False) as session:
                    result = deed(session)
                    if session.in_transaction():
                        session.commit()
                    return result
            except DBAPIError as error:
                if attempt == TRIES - 1 or not _worth_another_try(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    def try_lock(self, session: Session, key: int) -> bool:
        """Take a lock that ends with the transaction; False if another transaction holds it.

        On SQLite a writer is alone already, so the lock is always had.
        """
        if self.is_sqlite:
            return True
        return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}))


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, pool_size=5, connect_args={"timeout": 10, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        _begin_with(engine, "BEGIN")
        return engine
    return create_engine(parsed, pool_size=5, max_overflow=5, pool_pre_ping=True)


def _sqlite_writer(reader: Engine) -> Engine:
    """Return an engine over the same connections whose transactions write from their start."""
    writer = create_engine(reader.url, pool=reader.pool)
    _begin_with(writer, "BEGIN IMMEDIATE")
    return writer


def _begin_with(engine: Engine, statement: str) -> None:
    """Let the dialect begin transactions; a listener for "begin" would make SQLAlchemy raise events all the time."""

    def begin(connection: Any) -> None:
        connection.driver_connection.execute(statement)

    engine.dialect.do_begin = begin  # type: ignore[method-assign,assignment]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _worth_another_try(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in SERIALIZATION_STATES
    return isinstance(error, OperationalError) and "locked" in str(error.orig)

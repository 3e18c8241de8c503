"""The database: one engine a process, transactions with retry, and the SQLite settings that make it keep its word.

SQLite's default transaction starts as a reader and upgrades on the first write; two such upgrades deadlock and one
fails at once, whatever the busy timeout. So every transaction says from the start whether it writes, and a writer takes
`BEGIN IMMEDIATE`.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, DateTime, Dialect, Engine, Table, TypeDecorator, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.orm import DeclarativeBase, Session

from idservice import group_commit, writer_lock
from idservice.group_commit import GroupCommit
from idservice.quick_connection import Lent, QuickConnection, may_stand_for
from idservice.short_log import ShortLog

T = TypeVar("T")

TRIES = 6
SERIALIZATION_STATES = {"40001", "40P01"}  # SQL standard: serialization failure; PostgreSQL: deadlock
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL: another transaction did not let go in time
# SQL standard: connection exception; PostgreSQL: insufficient resources, operator intervention, system error. And no
# writes, from a server that became a standby just now.
_AWAY_CLASSES = ("08", "53", "57P", "58")
_AWAY_STATES = {"25006", LOCK_NOT_AVAILABLE} | SERIALIZATION_STATES
# https://www.sqlite.org/rescode.html: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
_SQLITE_AWAY = {5, 6, 8, 10, 13, 14}
_SYNCHRONOUS = "NORMAL" if group_commit.IS_OFFERED else "FULL"
# How transactions of each begin.
_begins: WeakKeyDictionary[Dialect, Callable[[sqlite3.Connection], object]] = WeakKeyDictionary()
_CONNECT_WITHIN = 5  # seconds; a host that is gone says nothing at all
_LOCK_WITHIN = writer_lock.WITHIN  # seconds, on PostgreSQL too: who hangs must not hold up all others for ever


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


class OutcomeUnknownError(SQLAlchemyError):
    """The connection was lost while a transaction was being committed: whether it was, nobody here can tell."""


class _Work:
    """What a deed is given as its session: one transaction, begun when the deed first asks the database.

    Statements on tables go straight to the connection. The ORM costs as much as three of them, so a session stands over
    the connection only from the moment something else is asked of it.
    """

    __slots__ = ("_connection", "_engine", "_lent", "_quick", "_session")

    def __init__(self, engine: Engine, lent: Lent | None) -> None:
        self._engine, self._lent = engine, lent
        self._quick: QuickConnection | None = None
        self._connection: Connection | None = None
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what was taken, and undo what was not committed."""
        if self._session is not None:
            self._session.close()
        if self._quick is not None:
            self._quick.close()
        elif self._connection is not None:
            self._connection.close()

    def __getattr__(self, name: str) -> Any:
        """Return what a session has of that name."""
        if self._session is None:
            self._session = Session(self.connection(), expire_on_commit=False, join_transaction_mode="control_fully")
        return getattr(self._session, name)

    def get_bind(self) -> Engine:
        """Return the engine, without a transaction yet."""
        return self._engine

    def connection(self, *, execution_options: Mapping[str, Any] | None = None) -> Connection:
        """Return the connection, inside the transaction; options are those of the transaction, so of the first call."""
        if self._connection is None and self._quick is not None:
            self._connection = self._quick.whole()
        elif self._connection is None:
            self._connection = self._engine.connect()
            if execution_options:
                self._connection.execution_options(**execution_options)
            self._connection.begin()
        return self._connection

    def quick_connection(self) -> Connection:
        """Return the same for statements that are ready; on SQLite it is had for less."""
        if self._quick is None:
            if self._lent is None or self._connection is not None or not may_stand_for(self._engine):
                return self.connection()
            self._quick = QuickConnection(self._engine, _begins[self._engine.dialect], self._lent)
        return cast("Connection", self._quick)

    def flush(self) -> None:
        """Send what the ORM still holds back."""
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Commit what the deed did, if it asked the database anything."""
        if self._session is not None:
            self._session.commit()
        if self._quick is not None:
            self._quick.commit()
        elif self._connection is not None and self._connection.in_transaction():  # the session may not have joined in
            self._connection.commit()

    def commit_written(self) -> None:
        """Commit, and say so where nobody can tell whether it was.

        Raises:
            OutcomeUnknownError: the connection was lost meanwhile.
        """
        self.flush()  # what is lost before COMMIT is sent is lost for certain, and is tried again
        try:
            self.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknownError("the connection was lost during the commit") from error
            raise

    @property
    def is_begun(self) -> bool:
        """Return whether the deed asked the database anything."""
        return self._connection is not None or self._quick is not None


class Database:
    """One engine and the two ways into it: `read` and `write`."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writer = _sqlite_writer(self.engine) if self.is_sqlite else self.engine
        self._lent = Lent(self.engine) if _file(self.engine) is not None else None
        self._group = _group_commit(self.engine)
        self._log = ShortLog(self._lent) if self._lent is not None else None
        #: SQLite has one writer. Threads of one process take turns; processes wait for each other in `writer_lock`.
        #: Short work just before a write takes its turn here too: threads at work take the interpreter from each other,
        #: also from the one that holds the writer's lock, for which all other processes then wait the longer.
        self.turn: AbstractContextManager[Any] = threading.RLock() if self.is_sqlite else contextlib.nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is the embedded one."""
        return self.engine.dialect.name == "sqlite"

    def run(self, deed: Callable[[Session], T], *, write: bool) -> T:
        """Run `deed` in one transaction; commit if it returns, roll back if it raises.

        A transaction that lost against another one (serialization failure, deadlock, lost connection, locked
        database) is run again from its start, with full jitter; `deed` must therefore have no effect outside the
        session. The last failure is raised as it came.

        Raises:
            OutcomeUnknownError: the connection was lost during the commit of what wrote. It is not run again: the
                first run may stand.
        """
        for attempt in range(TRIES):
            try:
                return self._write(deed) if write else self._read(deed)
            except DBAPIError as error:
                if attempt == TRIES - 1 or not _worth_another_try(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    def _read(self, deed: Callable[[Session], T]) -> T:
        with _Work(self.engine, self._lent) as work:
            result = deed(cast("Session", work))
            work.commit()
            return result

    def _write(self, deed: Callable[[Session], T]) -> T:
        if self._group is not None and self._group.is_broken:
            raise OutcomeUnknownError("the disk did not take an earlier commit: see to it, then start anew")
        with self.turn, _Work(self._writer, self._lent) as work:
            result = deed(cast("Session", work))
            work.commit_written()
        if work.is_begun:  # also where it changed no row: what it read, as an answer given before, may be on its way
            self.settle()
        return result

    def settle(self) -> None:
        """Wait until the disk has what was committed; `run` does so itself after every deed that may write.

        Raises:
            OutcomeUnknownError: the disk did not take it.
        """
        if self._group is None:
            return
        try:
            self._group.settle()
        except OSError as error:
            raise OutcomeUnknownError("the disk did not take what was committed") from error
        if self._log is not None:
            self._log.look(self._group.log_bytes)

    def try_lock(self, session: Session, key: int) -> bool:
        """Take a lock that ends with the transaction; False if another transaction holds it.

        On SQLite a writer is alone already, so the lock is always had.
        """
        if self.is_sqlite:
            return True
        return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}))


def is_outage(error: SQLAlchemyError) -> bool:
    """Return whether the database cannot be had for the moment, so that the same request may succeed later."""
    if isinstance(error, NoConnectionFreeError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _SQLITE_AWAY
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state.startswith(_AWAY_CLASSES) or state in _AWAY_STATES
    return isinstance(error, OperationalError)  # no answer of the server's: nobody was there


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        # The connection used last has its statements and pages at hand; a database in memory has but one.
        lifo = {"pool_use_lifo": True} if parsed.database not in {None, "", ":memory:"} else {}
        connect = {"timeout": writer_lock.WITHIN, "check_same_thread": False}
        engine = create_engine(parsed, pool_size=5, connect_args=connect, **lifo)
        event.listen(engine, "connect", _prepare_sqlite)
        _begin_with(engine, writer_lock.begin_reading)
        return engine
    within = {} if "connect_timeout" in parsed.query else {"connect_timeout": _CONNECT_WITHIN}
    engine = create_engine(parsed, pool_size=5, max_overflow=5, pool_pre_ping=True, connect_args=within)
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Bound the wait for a lock for as long as the connection lives; migrations lift it for their own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{_LOCK_WITHIN}s'")
    connection.commit()


def _group_commit(engine: Engine) -> GroupCommit | None:
    """Return what makes commits durable; None where the database does so itself, or is in memory."""
    file = _file(engine)
    return GroupCommit(file) if file is not None and group_commit.IS_OFFERED else None


def _file(engine: Engine) -> Path | None:
    """Return the file of a SQLite database; None for one in memory, and for a server's."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


def _sqlite_writer(reader: Engine) -> Engine:
    """Return an engine over the same connections whose transactions write from their start."""
    writer = create_engine(reader.url, pool=reader.pool)
    _begin_with(writer, writer_lock.begin)
    return writer


def _begin_with(engine: Engine, begins: Callable[[sqlite3.Connection], object]) -> None:
    """Let the dialect begin transactions; a listener for "begin" would make SQLAlchemy raise events all the time."""

    def begin(connection: Any) -> None:
        if not connection.driver_connection.in_transaction:  # one over a quick connection has begun
            begins(connection.driver_connection)

    _begins[engine.dialect] = begins
    engine.dialect.do_begin = begin  # type: ignore[method-assign,assignment]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"synchronous={_SYNCHRONOUS}", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _worth_another_try(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in SERIALIZATION_STATES
    return isinstance(error, OperationalError) and "locked" in str(error.orig)

"""Transactions keep their word on both databases: no lost update, one retry rule, times with their zone."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Session

from idservice.db import TRIES, Database, UTCDateTime, add_if_new, is_outage, table_of
from idservice.models import Person
from tests.databases import PostgresDatabases, SqliteDatabases

THREADS = 8
ROUNDS = 20
METADATA = sa.MetaData()
COUNTER = sa.Table("counter", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer))
MOMENT = sa.Table("moment", METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", UTCDateTime))
READ = sa.select(COUNTER.c.n).where(COUNTER.c.id == 1)


def built_on(url: str) -> Iterator[Database]:
    built = Database(url)
    METADATA.drop_all(built.engine)
    METADATA.create_all(built.engine)
    built.run(lambda session: session.execute(COUNTER.insert(), {"id": 1, "n": 0}), write=True)
    yield built
    built.engine.dispose()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    yield from built_on(database_url)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Database]:
    yield from built_on(SqliteDatabases(tmp_path).fresh())


@pytest.fixture
def server(postgres: PostgresDatabases) -> Iterator[Database]:
    url = postgres.fresh()
    yield from built_on(url)
    postgres.drop(url)


def count(database: Database) -> int:
    return database.run(lambda session: session.scalars(READ).one(), write=False)


def add_one(session: Session) -> None:
    """Read, then write what was read plus one: what loses updates wherever two may do it at once."""
    found = session.scalars(READ).one()
    session.execute(COUNTER.update().values(n=found + 1))


def serializable(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))


def in_threads(deed: Any, number: int) -> list[BaseException]:
    faults: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return faults


def test_writers_that_read_first_lose_no_update_and_are_never_locked_out(embedded: Database) -> None:
    attempts = []

    def deed(session: Session) -> None:
        attempts.append(1)
        add_one(session)

    def work() -> None:
        for _ in range(ROUNDS):
            embedded.run(deed, write=True)

    assert in_threads(work, THREADS) == []
    assert count(embedded) == THREADS * ROUNDS
    assert len(attempts) == THREADS * ROUNDS, "none had to try again"


def test_a_writer_holds_the_lock_from_its_first_moment(embedded: Database) -> None:
    path = embedded.engine.url.database
    assert path

    def another_may_write(session: Session, first: sa.Select[Any]) -> bool:
        session.execute(first)
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    assert not embedded.run(lambda session: another_may_write(session, READ), write=True)
    assert embedded.run(lambda session: another_may_write(session, READ), write=False)


def test_the_embedded_database_keeps_its_word(embedded: Database) -> None:
    with embedded.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1}


@pytest.mark.postgres
def test_a_transaction_that_lost_is_run_again_from_its_start(server: Database) -> None:
    both_have_read, attempts = threading.Barrier(2), []

    def deed(session: Session) -> None:
        attempts.append(1)
        serializable(session)
        found = session.scalars(READ).one()
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_read.wait(timeout=10 if len(attempts) <= 2 else 0)
        session.execute(COUNTER.update().values(n=found + 1))

    assert in_threads(lambda: server.run(deed, write=True), 2) == []
    assert count(server) == 2
    assert len(attempts) == 3


@pytest.mark.postgres
def test_a_lost_connection_is_replaced(server: Database) -> None:
    attempts = []

    def deed(session: Session) -> None:
        attempts.append(1)
        add_one(session)
        if len(attempts) == 1:
            mine = session.scalar(sa.text("SELECT pg_backend_pid()"))
            with server.engine.connect() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        session.execute(READ)

    server.run(deed, write=True)
    assert (count(server), len(attempts)) == (1, 2)


@pytest.mark.postgres
def test_who_waits_for_a_lock_too_long_is_told_so(server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = server.run(lambda session: session.scalar(sa.text("SHOW lock_timeout")), write=False)
    assert bound == "10s", "as SQLite's writers wait"
    monkeypatch.setattr("idservice.db._LOCK_WITHIN", 1)
    waiting, attempts = Database(server.engine.url.render_as_string(hide_password=False)), []

    def deed(session: Session) -> None:
        attempts.append(1)
        add_one(session)

    with server.engine.begin() as hung:
        hung.execute(COUNTER.update().values(n=7))
        with pytest.raises(OperationalError) as raised:
            waiting.run(deed, write=True)
    assert (getattr(raised.value.orig, "sqlstate", None), is_outage(raised.value), len(attempts)) == ("55P03", True, 1)
    waiting.run(deed, write=True)
    assert count(server) == 8, "the connection is as good as before"
    waiting.engine.dispose()


class Fault(Exception):
    def __init__(self, state: str | None, text: str = "") -> None:
        super().__init__(text)
        if state is not None:
            self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        pytest.param(DBAPIError("x", {}, Fault("40001")), TRIES, id="serialization_failure"),
        pytest.param(DBAPIError("x", {}, Fault("40P01")), TRIES, id="deadlock"),
        pytest.param(DBAPIError("x", {}, Fault(None), connection_invalidated=True), TRIES, id="lost_connection"),
        pytest.param(OperationalError("x", {}, Fault(None, "database is locked")), TRIES, id="locked"),
        pytest.param(OperationalError("x", {}, Fault(None, "no such table: a")), 1, id="no_such_table"),
        pytest.param(DBAPIError("x", {}, Fault("23505")), 1, id="double_entry"),
        pytest.param(DBAPIError("x", {}, Fault("57014", "locked")), 1, id="cancelled"),
        pytest.param(IntegrityError("x", {}, Fault(None, "UNIQUE constraint failed")), 1, id="unique"),
        pytest.param(ValueError("locked"), 1, id="no_database_error"),
    ],
)
def test_only_a_race_is_worth_another_try(
    database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    monkeypatch.setattr("idservice.db.time.sleep", lambda _seconds: None)
    attempts = []

    def deed(session: Session) -> None:
        attempts.append(1)
        add_one(session)
        raise error

    with pytest.raises(type(error)) as raised:
        database.run(deed, write=True)
    assert raised.value is error, "as it came"
    assert len(attempts) == tries
    assert count(database) == 0, "every attempt was rolled back"


def test_what_is_returned_outlives_the_transaction(database: Database) -> None:
    assert database.run(lambda _session: "answer", write=True) == "answer"
    assert database.run(lambda _session: None, write=False) is None


def test_a_double_entry_is_refused_once_and_leaves_the_connection_clean(database: Database) -> None:
    for _ in range(20):  # more often than there are connections
        with pytest.raises(IntegrityError):
            database.run(lambda session: session.execute(COUNTER.insert(), {"id": 1, "n": 5}), write=True)
    assert count(database) == 0


def test_a_lock_is_held_until_the_transaction_ends(database: Database) -> None:
    def inside(session: Session) -> bool:
        assert database.try_lock(session, -(2**63))
        return database.run(lambda other: database.try_lock(other, -(2**63)), write=False)

    assert database.run(inside, write=True) is database.is_sqlite
    assert database.run(lambda session: database.try_lock(session, -(2**63)), write=True)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=9, minutes=30))])
def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database, zone: timezone) -> None:
    at = datetime(2026, 1, 1, 0, 30, 59, 123456, tzinfo=zone)
    database.run(lambda session: session.execute(MOMENT.insert(), {"id": 1, "at": at}), write=True)
    found = database.run(lambda session: session.scalars(sa.select(MOMENT.c.at)).one(), write=False)
    assert found == at
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)
    earlier = sa.select(MOMENT.c.id).where(MOMENT.c.at < at + timedelta(microseconds=1), MOMENT.c.at >= at)
    assert database.run(lambda session: session.scalars(earlier).all(), write=False) == [1]


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="zone"):
        database.run(lambda s: s.execute(MOMENT.insert(), {"id": 1, "at": datetime(2026, 1, 1)}), write=True)  # noqa: DTZ001
    database.run(lambda session: session.execute(MOMENT.insert(), {"id": 1, "at": None}), write=True)
    assert database.run(lambda session: session.scalars(sa.select(MOMENT.c.at)).one(), write=False) is None


def test_the_table_behind_a_model() -> None:
    assert table_of(Person) is Person.metadata.tables["person"]


class _Base(DeclarativeBase):
    metadata = METADATA


class Tally(_Base):
    __table__ = COUNTER


def test_a_row_is_added_once_however_many_add_it(database: Database) -> None:
    start, added = threading.Barrier(THREADS), []

    def add() -> None:
        start.wait(timeout=60)
        added.append(database.run(lambda session: add_if_new(session, Tally, {"id": 2, "n": 5}), write=True))

    assert in_threads(add, THREADS) == []
    assert sorted(added) == [False] * (THREADS - 1) + [True]
    assert count(database) == 0, "the row with another key is as it was"


def test_a_row_that_was_rolled_back_was_not_added(database: Database) -> None:
    def fails(session: Session) -> None:
        assert add_if_new(session, Tally, {"id": 3, "n": 1})
        assert not add_if_new(session, Tally, {"id": 3, "n": 2})
        raise KeyError

    with pytest.raises(KeyError):
        database.run(fails, write=True)
    assert database.run(lambda session: add_if_new(session, Tally, {"id": 3, "n": 3}), write=True)


def test_statements_on_tables_and_the_orm_share_one_transaction(database: Database) -> None:
    def deed(session: Session) -> tuple[Any, Any]:
        session.connection().execute(COUNTER.update().values(n=7))
        return session.scalar(READ), session.connection().execute(READ).scalar()

    assert database.run(deed, write=True) == (7, 7)
    assert database.run(lambda session: session.scalar(READ), write=False) == 7


def test_a_session_that_was_asked_for_and_not_used_loses_nothing(database: Database) -> None:
    def deed(session: Session) -> None:
        session.connection().execute(COUNTER.update().values(n=7))
        assert not session.new

    database.run(deed, write=True)
    assert database.run(lambda session: session.scalar(READ), write=False) == 7


@pytest.mark.parametrize("orm", [False, True])
def test_a_deed_that_fails_undoes_all_it_did(database: Database, orm: bool) -> None:
    def deed(session: Session) -> None:
        session.connection().execute(COUNTER.update().values(n=7))
        if orm:
            session.execute(COUNTER.update().values(n=8))
        raise KeyError

    with pytest.raises(KeyError):
        database.run(deed, write=True)
    assert database.run(lambda session: session.scalar(READ), write=False) == 0


def test_a_deed_that_asks_nothing_takes_no_connection(database: Database) -> None:
    taken: list[object] = []
    sa.event.listen(database.engine, "checkout", lambda *found: taken.append(found))
    assert database.run(lambda _session: 1, write=False) == 1
    assert taken == []


def test_what_only_a_transaction_can_have_is_set_before_it_begins(server: Database) -> None:
    def deed(session: Session) -> Any:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return session.scalar(sa.text("SHOW transaction_isolation"))

    assert database_says(server, deed) == "repeatable read"
    assert database_says(server, lambda session: session.scalar(sa.text("SHOW transaction_isolation"))) != (
        "repeatable read"
    )


def database_says(database: Database, deed: Any) -> Any:
    return database.run(deed, write=False)

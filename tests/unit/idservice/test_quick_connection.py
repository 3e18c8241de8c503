"""A transaction without SQLAlchemy's connection is the same transaction, and so are its faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from idservice import writer_lock
from idservice.db import Database
from idservice.quick_connection import Lent, QuickConnection, may_stand_for
from idservice.statement import Statement

NOTE = sa.Table("note", sa.MetaData(), sa.Column("text", sa.String, primary_key=True))
INSERT, COUNT = Statement(sa.insert(NOTE)), Statement(sa.select(sa.func.count().label("number")).select_from(NOTE))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'quick.db'}")
    NOTE.create(made.engine)
    yield made
    made.engine.dispose()


def quick(session: Any) -> Any:
    return session.quick_connection()


def noted(database: Database) -> int:
    found: int = database.run(lambda session: COUNT.first(quick(session), {}).number, write=False)
    return found


def add(session: Session, text: str) -> None:
    assert isinstance(quick(session), QuickConnection)
    INSERT.run(quick(session), {"text": text})


def test_it_is_committed_once_the_deed_has_returned_and_undone_where_it_failed(database: Database) -> None:
    def fail(session: Session) -> None:
        add(session, "b")
        raise LookupError

    database.run(lambda session: add(session, "a"), write=True)
    with pytest.raises(LookupError):
        database.run(fail, write=True)
    assert noted(database) == 1
    assert database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]  # lent until the pool is disposed of
    database.engine.dispose()
    assert database._lent is not None
    assert database._lent._waiting == []
    assert noted(database) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_sqlalchemy_s_connection_and_the_orm_are_in_the_same_transaction(database: Database, fails: bool) -> None:
    def deed(session: Session) -> None:
        add(session, "a")
        assert session.connection() is quick(session).whole()
        session.connection().execute(sa.insert(NOTE), {"text": "b"})
        session.execute(sa.insert(NOTE), {"text": "c"})
        assert quick(session).execute(sa.select(NOTE)).all() == [("a",), ("b",), ("c",)]
        assert COUNT.first(quick(session), {}).number == 3
        if fails:
            raise LookupError

    if fails:
        with pytest.raises(LookupError):
            database.run(deed, write=True)
    else:
        database.run(deed, write=True)
    assert noted(database) == (0 if fails else 3)


def test_who_came_first_decides(database: Database) -> None:
    def deed(session: Session) -> None:
        whole = session.connection()
        assert quick(session) is whole
        INSERT.run(quick(session), {"text": "a"})

    database.run(deed, write=True)
    assert noted(database) == 1


def test_whoever_listens_hears_every_statement(database: Database) -> None:
    heard: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *said: heard.append(said[2]))
    assert not may_stand_for(database.engine)
    assert noted(database) == 0
    assert len(heard) == 1


def test_a_lock_that_somebody_holds_is_a_fault_of_sqlalchemy_s(database: Database, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path / 'quick.db'}?timeout=0")
    lent = Lent(other.engine)
    with database.engine.connect() as holder:
        holder.exec_driver_sql("INSERT INTO note VALUES ('x')")
        with pytest.raises(OperationalError, match="locked"):
            QuickConnection(other.engine, writer_lock.begin, lent)
    QuickConnection(other.engine, writer_lock.begin, lent).close()
    assert other.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    other.engine.dispose()


def test_a_file_that_cannot_be_opened_is_a_fault_of_sqlalchemy_s(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path / 'none' / 'quick.db'}")
    with pytest.raises(OperationalError, match="open"):
        nowhere.run(quick, write=False)


def test_no_more_connections_are_lent_than_wait(database: Database) -> None:
    lent = database._lent
    assert lent is not None
    for pooled in [lent.take() for _ in range(6)]:
        pooled.driver_connection.execute("BEGIN")
        lent.give_back(pooled)
    assert len(lent._waiting) == 4
    assert not any(pooled.driver_connection.in_transaction for pooled in lent._waiting)
    assert database.engine.pool.checkedout() == 4  # type: ignore[attr-defined]


def test_a_connection_that_cannot_be_put_right_is_given_up(database: Database) -> None:
    lent = database._lent
    assert lent is not None
    pooled = lent.take()
    pooled.driver_connection.close()
    lent.give_back(pooled)
    assert lent._waiting == []
    assert noted(database) == 0


def test_a_database_in_memory_keeps_to_sqlalchemy_s_own() -> None:
    memory = Database("sqlite://")
    memory.run(lambda session: NOTE.create(session.connection()), write=True)
    assert not isinstance(memory.run(quick, write=False), QuickConnection)
    assert noted(memory) == 0
    memory.engine.dispose()

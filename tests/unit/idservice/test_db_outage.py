"""The database that goes away in the midst of the work: what is tried again, what must not be, what is an outage."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.orm import Session

from idservice.db import Database, OutcomeUnknownError, is_outage
from tests.unit.idservice.test_db import READ, Fault, Tally, add_one, count, server

__all__ = ["server"]  # a fixture


@pytest.mark.postgres
@pytest.mark.parametrize("arrives", [True, False], ids=["the_answer_is_lost", "the_commit_is_lost"])
def test_a_connection_lost_during_the_commit_is_no_reason_to_do_it_twice(
    server: Database, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    attempts, commit = [], server.engine.dialect.do_commit

    def lose(connection: Any) -> None:
        if arrives:
            commit(connection)
        terminate(server, connection.driver_connection.info.backend_pid)
        connection.driver_connection.execute("SELECT 1")  # notices, as a COMMIT would have done

    def deed(session: Session) -> None:
        attempts.append(1)
        add_one(session)

    monkeypatch.setattr(server.engine.dialect, "do_commit", lose)
    with pytest.raises(OutcomeUnknownError):
        server.run(deed, write=True)
    monkeypatch.undo()
    assert (len(attempts), count(server)) == (1, int(arrives))


@pytest.mark.postgres
def test_a_reader_s_lost_commit_is_tried_again(server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, commit = [], server.engine.dialect.do_commit

    def lose_once(connection: Any) -> None:
        if len(attempts) == 1:
            terminate(server, connection.driver_connection.info.backend_pid)
        commit(connection)

    def deed(session: Session) -> int:
        attempts.append(1)
        return session.scalars(READ).one()

    monkeypatch.setattr(server.engine.dialect, "do_commit", lose_once)
    assert server.run(deed, write=False) == 0
    assert len(attempts) == 2


@pytest.mark.postgres
def test_what_is_lost_before_the_commit_is_tried_again(server: Database) -> None:
    """The ORM writes when the transaction ends: that much is certainly not done."""
    attempts = []

    def deed(session: Session) -> None:
        attempts.append(1)
        pid = session.scalar(sa.text("SELECT pg_backend_pid()"))
        session.add(Tally(id=2, n=1))
        if len(attempts) == 1:
            terminate(server, pid)

    server.run(deed, write=True)
    assert len(attempts) == 2


def terminate(server: Database, pid: int | None) -> None:
    ask = sa.text("SELECT pg_terminate_backend(:pid, 5000)")  # and waits until it is gone
    with sa.create_engine(server.engine.url, poolclass=sa.NullPool).connect() as other:
        assert other.scalar(ask, {"pid": pid})


def sqlite_fault(code: int) -> sqlite3.OperationalError:
    fault = sqlite3.OperationalError("x")
    fault.sqlite_errorcode = code
    return fault


@pytest.mark.parametrize(
    ("error", "away"),
    [
        pytest.param(OperationalError("x", {}, sqlite_fault(sqlite3.SQLITE_CANTOPEN_ISDIR)), True, id="cannot_open"),
        pytest.param(OperationalError("x", {}, sqlite_fault(sqlite3.SQLITE_BUSY)), True, id="busy"),
        pytest.param(OperationalError("x", {}, sqlite_fault(sqlite3.SQLITE_FULL)), True, id="disk_full"),
        pytest.param(OperationalError("x", {}, sqlite_fault(sqlite3.SQLITE_ERROR)), False, id="no_such_table"),
        pytest.param(OperationalError("x", {}, Fault(None, "connection refused")), True, id="nobody_there"),
        pytest.param(OperationalError("x", {}, Fault("57P03")), True, id="starting_up"),
        pytest.param(OperationalError("x", {}, Fault("53300")), True, id="too_many_connections"),
        pytest.param(DBAPIError("x", {}, Fault("25006")), True, id="a_standby"),
        pytest.param(DBAPIError("x", {}, Fault("40001")), True, id="lost_every_race"),
        pytest.param(DBAPIError("x", {}, Fault("57014")), False, id="cancelled"),
        pytest.param(DBAPIError("x", {}, Fault("42P01")), False, id="undefined_table"),
        pytest.param(DBAPIError("x", {}, Fault("42601"), connection_invalidated=True), True, id="lost_connection"),
        pytest.param(NoConnectionFreeError("pool"), True, id="every_connection_taken"),
        pytest.param(IntegrityError("x", {}, Fault("23505")), False, id="double_entry"),
        pytest.param(MultipleResultsFound("x"), False, id="programming_error"),
    ],
)
def test_an_outage_is_told_from_a_fault(error: SQLAlchemyError, away: bool) -> None:
    assert is_outage(error) is away


@pytest.mark.parametrize(("asked", "seconds"), [("", "5"), ("?connect_timeout=2", "2")], ids=["unsaid", "said"])
def test_a_server_that_says_nothing_is_given_up_soon(asked: str, seconds: str) -> None:
    engine = Database(f"postgresql+psycopg://nobody@127.0.0.1:1/none{asked}").engine
    given = []
    sa.event.listen(engine, "do_connect", lambda *told: given.append(str(told[3]["connect_timeout"])))
    with pytest.raises(OperationalError) as raised:
        engine.connect()
    assert given == [seconds]
    assert is_outage(raised.value)

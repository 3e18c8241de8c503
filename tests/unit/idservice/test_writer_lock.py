"""SQLite's writer lock is waited for evenly, within the time that the connection has."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from idservice import writer_lock
from idservice.db import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database in the mode in which ours are served."""
    made = tmp_path / "notes.db"
    with sqlite3.connect(made) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE note (text)")
    connection.close()
    return made


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else, who does not wait."""
    made = sqlite3.connect(file, timeout=0, isolation_level=None)
    yield made
    made.close()


def test_a_writer_gives_up_in_its_time_and_naps_evenly_until_then(
    file: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    writer = sqlite3.connect(file, timeout=0.02, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as clock:  # time passes while one naps, and only then
        clock.setattr(writer_lock, "time", SimpleNamespace(sleep=naps.append, monotonic=lambda: sum(naps)))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer_lock.begin(writer, within=0.02)
    assert sum(naps) >= 0.02
    assert set(naps) == {writer_lock._NAP}
    other.execute("ROLLBACK")
    writer_lock.begin(writer, within=0.02)
    assert writer.execute("PRAGMA busy_timeout").fetchone() == (20,), "every other wait is as it was"
    writer.close()


def test_a_writer_has_the_lock_as_soon_as_it_is_free(
    file: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            other.execute("ROLLBACK")

    monkeypatch.setattr(writer_lock.time, "sleep", nap)
    writer = sqlite3.connect(file, timeout=10, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer_lock.begin(writer)
    assert len(naps) == 3
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    writer.close()


def test_the_wait_is_that_of_the_service(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'notes.db'}")

    def wait(session: Session) -> int:
        return int(session.execute(text("PRAGMA busy_timeout")).scalar_one())

    assert {database.run(wait, write=write) for write in (False, True, False)} == {1000 * writer_lock.WITHIN}
    database.engine.dispose()


def test_who_only_reads_never_waits_for_a_writer(file: Path, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    reader = sqlite3.connect(file, timeout=0, isolation_level=None)
    writer_lock.begin_reading(reader)
    assert reader.execute("SELECT count(*) FROM note").fetchone() == (0,)
    reader.close()


def test_no_nap_helps_against_another_fault(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_lock.time, "sleep", lambda _: pytest.fail("napped"))
    connection = sqlite3.connect(file, isolation_level=None)
    writer_lock.begin(connection)
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        writer_lock.begin(connection)
    connection.close()

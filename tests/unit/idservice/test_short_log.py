"""SQLite's log is emptied when it has grown long, also while others read all the time."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from idservice import group_commit, short_log
from idservice.db import Database

pytestmark = pytest.mark.skipif(not group_commit.IS_OFFERED, reason="SQLite waits for the disk itself here")

LONGEST = 200_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.db"


@pytest.fixture
def database(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(short_log, "LONGEST", LONGEST)
    made = Database(f"sqlite:///{file}")
    made.run(lambda session: session.execute(text("CREATE TABLE note (text)")), write=True)
    yield made
    made.engine.dispose()


@pytest.fixture
def reader(file: Path, database: Database) -> Iterator[sqlite3.Connection]:
    """Somebody in another process, as good as: what he reads stays as it was when he began."""
    made = sqlite3.connect(file, isolation_level=None)
    made.execute("PRAGMA wal_autocheckpoint=0")
    yield made
    made.close()


def begin_to_read(reader: sqlite3.Connection) -> int:
    if reader.in_transaction:
        reader.execute("ROLLBACK")
    reader.execute("BEGIN")
    return int(reader.execute("SELECT count(*) FROM note").fetchone()[0])


def write(database: Database) -> None:
    def deed(session: Session) -> None:
        session.execute(text("INSERT INTO note VALUES (:text)"), {"text": "x" * 50_000})

    database.run(deed, write=True)


def log(file: Path) -> int:
    return file.with_name(f"{file.name}-wal").stat().st_size


def test_a_log_that_grew_while_it_was_read_is_emptied(
    file: Path, database: Database, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who begins anew after each write never leaves SQLite the moment it waits for."""
    monkeypatch.setattr(short_log, "_PAUSE", 0.0)
    monkeypatch.setattr(short_log, "LONGEST", 2**62)
    begin_to_read(reader)
    for _ in range(60):
        write(database)
        begin_to_read(reader)
    long = log(file)
    assert long > 10 * LONGEST, "without our doing it grows"
    monkeypatch.setattr(short_log, "LONGEST", LONGEST)
    write(database)
    assert log(file) >= long, "who reads is not disturbed"
    reader.execute("ROLLBACK")
    write(database)
    assert log(file) == 0
    assert begin_to_read(reader) == 62
    write(database)
    assert begin_to_read(reader) == 63, "and goes on"


def test_a_reader_who_takes_his_time_is_asked_once_in_a_while(
    file: Path, database: Database, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    is_emptied = short_log.ShortLog._is_emptied

    def ask(self: short_log.ShortLog) -> bool:
        asked.append(is_emptied(self))
        return asked[-1]

    monkeypatch.setattr(short_log.ShortLog, "_is_emptied", ask)
    now = [1000.0]
    monkeypatch.setattr(short_log.time, "monotonic", lambda: now[0])
    begin_to_read(reader)
    for _ in range(20):
        write(database)
    assert asked == [False]
    reader.execute("ROLLBACK")
    now[0] += short_log._PAUSE
    write(database)
    assert asked == [False, True]
    assert log(file) == 0


def test_the_wait_of_other_statements_is_as_it_was(file: Path, database: Database) -> None:
    for _ in range(10):
        write(database)
    assert log(file) < 2 * LONGEST
    waits = {database.run(lambda s: s.execute(text("PRAGMA busy_timeout")).scalar_one(), write=False) for _ in range(3)}
    assert waits == {10_000}

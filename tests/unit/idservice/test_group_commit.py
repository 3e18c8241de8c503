"""What is committed is on the disk before anybody is told, and many share one write to it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from idservice import group_commit
from idservice.db import Database, OutcomeUnknownError
from idservice.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not group_commit.IS_OFFERED, reason="SQLite waits for the disk itself here")


class Disk:
    """Stands before the kernel's fdatasync: counts, and waits or fails on demand."""

    def __init__(self) -> None:
        self.turns: list[int] = []  # the size of the log at each
        self.begun, self.may_end = threading.Semaphore(0), threading.Event()
        self.may_end.set()
        self.fails = False
        self._sync = os.fdatasync

    def fdatasync(self, file: int) -> None:
        self.turns.append(os.fstat(file).st_size)
        self.begun.release()
        assert self.may_end.wait(60)
        if self.fails:
            raise OSError(5, "input/output error")
        self._sync(file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    return disk


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'city.sqlite'}")
    database.run(lambda session: session.execute(text("CREATE TABLE deed (name TEXT)")), write=True)
    yield database
    database.engine.dispose()


def add(database: Database, name: str) -> None:
    database.run(lambda session: session.execute(text("INSERT INTO deed VALUES (:name)"), {"name": name}), write=True)


def names(database: Database) -> set[str]:
    return set(database.run(lambda session: session.scalars(text("SELECT name FROM deed")).all(), write=False))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_whoever_wrote_is_told_after_the_disk_has_it(database: Database, disk: Disk, tmp_path: Path) -> None:
    add(database, "one")
    assert disk.turns == [(tmp_path / "city.sqlite-wal").stat().st_size]  # all of the log was there to be written


def test_whoever_only_read_does_not_wait(database: Database, disk: Disk) -> None:
    names(database)
    assert disk.turns == []


def test_a_write_that_was_rolled_back_does_not_wait(database: Database, disk: Disk) -> None:
    def change_ones_mind(session: object) -> None:
        session.execute(text("INSERT INTO deed VALUES ('one')"))  # type: ignore[attr-defined]
        raise KeyError

    with pytest.raises(KeyError):
        database.run(change_ones_mind, write=True)
    assert (disk.turns, names(database)) == ([], set())


def test_others_write_while_the_disk_is_busy_and_share_its_next_turn(database: Database, disk: Disk) -> None:
    disk.may_end.clear()
    threads = [threading.Thread(target=add, args=(database, str(number)), daemon=True) for number in range(6)]
    threads[0].start()
    assert disk.begun.acquire(timeout=60)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(names(database)) == len(threads))  # committed, and seen, while the first still waits
    until(lambda: database._group is not None and database._group._asked == len(threads) + 1)  # the table was first
    assert len(disk.turns) == 1
    assert all(thread.is_alive() for thread in threads)
    disk.may_end.set()
    for thread in threads:
        thread.join(10)
    assert len(disk.turns) == 2


def test_a_disk_that_does_not_take_it_leaves_the_outcome_unknown(database: Database, disk: Disk) -> None:
    disk.fails = True
    with pytest.raises(OutcomeUnknownError):
        add(database, "one")
    assert names(database) == {"one"}


def test_who_waited_for_a_turn_that_failed_is_not_told_that_all_is_well(database: Database, disk: Disk) -> None:
    disk.may_end.clear()
    outcomes: list[str] = []

    def try_to_add() -> None:
        try:
            add(database, "one")
            outcomes.append("done")
        except OutcomeUnknownError:
            outcomes.append("unknown")

    first, second = (threading.Thread(target=try_to_add, daemon=True) for _ in range(2))
    disk.fails = True
    first.start()
    assert disk.begun.acquire(timeout=60)
    second.start()
    until(
        lambda: len(database.run(lambda session: session.execute(text("SELECT * FROM deed")).all(), write=False)) == 2
    )
    disk.may_end.set()
    first.join(10)
    second.join(10)
    assert outcomes == ["unknown", "unknown"]
    assert len(disk.turns) == 1


def test_a_disk_that_failed_once_takes_nothing_more(database: Database, disk: Disk) -> None:
    """Its next turn would succeed, without what it lost: later commits would stand behind a hole."""
    disk.fails = True
    with pytest.raises(OutcomeUnknownError):
        add(database, "one")
    disk.fails = False
    with pytest.raises(OutcomeUnknownError):
        add(database, "two")
    with pytest.raises(OutcomeUnknownError):  # as a request that is repeated with its key: it changes nothing
        database.run(lambda session: session.scalars(text("SELECT name FROM deed")).all(), write=True)
    assert names(database) == {"one"}


def test_a_new_log_after_the_old_one_was_removed_is_the_one_that_is_written(
    database: Database, disk: Disk, tmp_path: Path
) -> None:
    add(database, "one")
    database.engine.dispose()  # the last connection takes the log with it
    assert not (tmp_path / "city.sqlite-wal").exists()
    add(database, "two")
    assert disk.turns[-1] == (tmp_path / "city.sqlite-wal").stat().st_size > 0


def test_a_database_in_memory_has_no_log() -> None:
    database = Database("sqlite://")
    assert database.run(lambda session: session.scalar(text("SELECT 1")), write=True) == 1


def test_sqlite_does_not_wait_a_second_time(database: Database) -> None:
    normal = 1
    assert database.run(lambda session: session.scalar(text("PRAGMA synchronous")), write=False) == normal


def test_the_log_of_another_program_is_written_too(tmp_path: Path, disk: Disk) -> None:
    """What is asked for is the file, whoever wrote to it."""
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE deed (name TEXT)")
        other.commit()
        GroupCommit(tmp_path / "other.sqlite").settle()
    assert disk.turns[0] > 0


def test_whoever_may_write_waits_for_what_he_read(database: Database, disk: Disk) -> None:
    """A request repeated with its key is answered from a row whose own writer may still be waiting."""
    disk.may_end.clear()
    writer = threading.Thread(target=add, args=(database, "one"), daemon=True)
    writer.start()
    assert disk.begun.acquire(timeout=60)
    told: list[object] = []

    def repeat() -> None:
        told.append(database.run(lambda session: session.scalar(text("SELECT name FROM deed")), write=True))

    reader = threading.Thread(target=repeat, daemon=True)
    reader.start()
    until(lambda: database._group is not None and database._group._asked == 3)  # the table was first
    assert told == []
    disk.may_end.set()
    reader.join(10)
    writer.join(10)
    assert told == ["one"]


def test_a_deed_that_asked_nothing_does_not_wait(database: Database, disk: Disk) -> None:
    database.run(lambda _session: None, write=True)
    assert disk.turns == []

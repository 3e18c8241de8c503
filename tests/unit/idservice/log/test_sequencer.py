"""The sequencer: order, tiles, checkpoints, and what it refuses to sign."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from idservice.call import House
from idservice.log import sequencer, tree
from idservice.log.sequencer import run_forever, sequence
from idservice.log.tree import LogDamagedError
from keys.merkle import EMPTY_ROOT, leaf_hash, root
from keys.ring import Purpose, RingError
from tests.unit.idservice.log.deeds import NOON, ask, change, check, fill, newest_note, record


def newest(house: House):
    return house.database.run(lambda session: tree.newest_opened(session, tree.opener(house)), write=False)


def test_an_empty_log_gets_a_checkpoint_once(house: House) -> None:
    assert sequence(house, NOON) == 0
    assert sequence(house, NOON) == 0
    checkpoint = newest(house)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == ("127.0.0.1:8000/log", 0, EMPTY_ROOT)
    assert ask(house, "SELECT size FROM log_checkpoint") == [(0,)]


def test_rows_are_ordered_by_identifier_within_a_pass_and_by_pass(house: House) -> None:
    later = record(house, 3, now=NOON + timedelta(seconds=5))
    sequence(house, NOON)
    earlier = record(house, 2, now=NOON)  # committed late: it comes after what is already in the log
    sequence(house, NOON)
    rows = ask(house, "SELECT entry_id FROM audit_entry ORDER BY log_index")
    assert [row.entry_id for row in rows] == sorted(later) + sorted(earlier)


@pytest.mark.parametrize("batches", [(1,), (255,), (256,), (257,), (1, 1, 1), (200, 100, 500, 1), (256, 256)])
def test_the_signed_root_is_that_of_the_rows(house: House, batches: tuple[int, ...]) -> None:
    fill(house, *batches)
    size = sum(batches)
    rows = house.database.run(
        lambda session: session.query(tree.AuditEntry).order_by(tree.AuditEntry.log_index).all(), write=False
    )
    assert [row.log_index for row in rows] == list(range(size))
    checkpoint = newest(house)
    assert checkpoint.size == size
    assert checkpoint.root == root(leaf_hash(tree.entry_of(row)) for row in rows)
    assert [row.size for row in ask(house, "SELECT size FROM log_checkpoint ORDER BY size")] == [
        sum(batches[: n + 1]) for n in range(len(batches))
    ]
    assert check(house).ok


def test_many_rows_are_taken_in_batches(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 70)
    record(house, 300)
    assert sequence(house, NOON) == 300
    assert [row.size for row in ask(house, "SELECT size FROM log_checkpoint ORDER BY size")] == [70, 140, 210, 280, 300]
    assert check(house).ok


def test_two_sequencers_at_once_make_one_log(house: House) -> None:
    record(house, 1500)
    totals: list[int] = []
    threads = [threading.Thread(target=lambda: totals.append(sequence(house, NOON))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        record(house, 20)
    for thread in threads:
        thread.join(timeout=60)
    totals.append(sequence(house, NOON))
    assert sum(totals) == 1600
    assert check(house).ok


def test_a_lock_held_elsewhere_means_nothing_is_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    record(house, 3)
    monkeypatch.setattr(type(house.database), "try_lock", lambda *_: False)
    assert sequence(house, NOON) == 0
    monkeypatch.undo()
    assert sequence(house, NOON) == 3


def test_a_crash_before_the_commit_leaves_the_old_log(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house, 300)
    record(house, 10)

    def fail(*_args: object, **_kwargs: object) -> str:
        raise RingError("no key")

    monkeypatch.setattr(sequencer, "sign", fail)
    with pytest.raises(RingError):
        sequence(house, NOON)
    assert ask(house, "SELECT count(*) FROM audit_entry WHERE log_index IS NOT NULL") == [(300,)]
    monkeypatch.undo()
    assert sequence(house, NOON) == 10
    assert check(house).ok


def test_the_origin_stays_when_the_service_moves(house: House) -> None:
    fill(house, 2)
    moved = type(house)(
        type(house.settings)(issuer="https://elsewhere.example", checkpoint_file=house.settings.checkpoint_file),
        house.database, house.keys, house.cipher, house.limiter,
    )  # fmt: skip
    fill(moved, 2)
    assert newest(house).origin == "127.0.0.1:8000/log"
    assert check(house).ok


def test_a_rotated_key_signs_what_follows(house: House) -> None:
    fill(house, 2)
    house.keys.rotate(Purpose.CHECKPOINT, now=NOON)
    fill(house, 2)
    assert check(house).ok
    notes = [row.note for row in ask(house, "SELECT note FROM log_checkpoint ORDER BY size")]
    assert len({note.splitlines()[-1].split()[-1][:5] for note in notes}) == 2  # key ids


DAMAGE = {
    "a tile is changed": "UPDATE log_tile SET hashes = salt FROM audit_entry WHERE level = 1 AND log_index = 0",
    "a tile is gone": "DELETE FROM log_tile WHERE level = 1",
    "the newest checkpoint is gone": "DELETE FROM log_checkpoint WHERE size = (SELECT max(size) FROM log_checkpoint)",
    "the checkpoint is of another size": "UPDATE log_checkpoint SET size = 299 WHERE size = 300",
    "the note is changed": "UPDATE log_checkpoint SET note = replace(note, '300', '301') WHERE size = 300",
    "nobody signed that size": "INSERT INTO log_checkpoint SELECT 999, note, at FROM log_checkpoint WHERE size = 300",
}


def test_a_log_with_a_changed_hash_is_not_signed(house: House) -> None:
    fill(house, 200, 100)
    assert change(house, "UPDATE log_tile SET hashes = :other WHERE level = 1", other=bytes(32)) == 1
    record(house, 5)
    with pytest.raises(LogDamagedError, match="signed root"):
        sequence(house, NOON)


@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_log_is_not_signed(house: House, sql: str) -> None:
    fill(house, 200, 100)
    assert change(house, sql) == 1
    record(house, 5)
    before = ask(house, "SELECT size, note FROM log_checkpoint ORDER BY size")
    with pytest.raises(LogDamagedError):
        sequence(house, NOON)
    assert ask(house, "SELECT size, note FROM log_checkpoint ORDER BY size") == before
    assert ask(house, "SELECT count(*) FROM audit_entry WHERE log_index IS NULL") == [(5,)]


# --- the copy outside the database ---------------------------------------------------------------------------------


def test_the_newest_note_is_copied_out(house: House, checkpoint_file: Path) -> None:
    fill(house, 2, 3)
    assert checkpoint_file.read_text() == newest_note(house)
    assert checkpoint_file.stat().st_mode & 0o777 == 0o644


def test_a_copy_that_a_crash_prevented_is_made_up_for(house: House, checkpoint_file: Path) -> None:
    fill(house, 2)
    old = checkpoint_file.read_text()
    fill(house, 3)
    checkpoint_file.write_text(old)
    assert sequence(house, NOON) == 0
    assert checkpoint_file.read_text() == newest_note(house)
    checkpoint_file.unlink()
    fill(house, 1)
    assert checkpoint_file.read_text() == newest_note(house)


def test_a_database_put_back_is_not_gone_on_with(house: House, checkpoint_file: Path) -> None:
    fill(house, 3, 4)
    change(house, "DELETE FROM log_checkpoint WHERE size = 7")
    change(house, "UPDATE audit_entry SET log_index = NULL WHERE log_index >= 3")
    change(house, "UPDATE log_tile SET hashes = substr(hashes, 1, 96)")
    with pytest.raises(LogDamagedError, match="put back"):
        sequence(house, NOON)
    checkpoint_file.unlink()  # the operator's decision
    assert sequence(house, NOON) == 4
    assert check(house).ok


def test_a_copy_of_another_history_stops_the_log(house: House, checkpoint_file: Path) -> None:
    fill(house, 3)
    fork = checkpoint_file.read_text()
    change(house, "DELETE FROM log_checkpoint")
    change(house, "DELETE FROM log_tile")
    change(house, "DELETE FROM audit_entry")
    checkpoint_file.unlink()
    fill(house, 5)
    checkpoint_file.write_text(fork)
    record(house, 1)
    with pytest.raises(LogDamagedError, match="does not extend"):
        sequence(house, NOON)


@pytest.mark.parametrize("content", ["", "nonsense", "127.0.0.1:8000/log\n2\n"])
def test_a_copy_that_is_none_stops_the_log(house: House, checkpoint_file: Path, content: str) -> None:
    checkpoint_file.write_text(content)
    record(house, 1)
    with pytest.raises(LogDamagedError, match="copy"):
        sequence(house, NOON)


# --- the loop ------------------------------------------------------------------------------------------------------


def test_the_loop_goes_on_after_a_failure_until_stopped(house: House, checkpoint_file: Path) -> None:
    checkpoint_file.write_text("nonsense")
    record(house, 4)
    stop = threading.Event()
    loop = threading.Thread(target=run_forever, args=(house, stop, 0.02))
    loop.start()
    time.sleep(0.1)
    assert ask(house, "SELECT count(*) FROM log_checkpoint") == [(0,)]
    checkpoint_file.unlink()
    deadline = time.monotonic() + 20
    while ask(house, "SELECT max(size) FROM log_checkpoint") != [(4,)] and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    loop.join(timeout=60)
    assert not loop.is_alive()
    assert newest(house).size == 4

"""Tampering: whatever is done to the log is found, and the first bad record is named."""

# ruff: noqa: S608 - the SQL of a tamperer is put together from the test's own numbers

from datetime import timedelta

import pytest

from idservice import audit
from idservice.call import House
from idservice.log import tree
from idservice.log.findings import Code
from idservice.log.sequencer import sequence
from keys.merkle import leaf_hash
from keys.ring import Purpose
from tests.builders import act
from tests.unit.idservice.log.deeds import (
    BATCHES,
    COPY,
    NOON,
    SIZE,
    Edit,
    ask,
    change,
    check,
    check_after,
    column_set,
    fill,
    newest_note,
    rebuild,
    record,
    swapped,
)


@pytest.fixture(scope="module")
def ids(filled: House) -> list[str]:
    return [row.entry_id for row in ask(filled, "SELECT entry_id FROM audit_entry ORDER BY log_index")]


def first(report):
    return report.findings[0].code, report.findings[0].index, report.findings[0].entry_id


def test_an_untouched_log_holds(filled: House) -> None:
    report = check(filled, [newest_note(filled)])
    assert report.ok
    assert report.exit_status == 0
    assert (report.size, report.entries, report.checkpoints, report.waiting) == (SIZE, SIZE, len(BATCHES) + 1, 0)


OTHER = {
    "entry_id": "f" * 32,
    "at": "2026-03-01 12:00:00.000001+00:00",
    "deed": "idservice:session:logout",
    "outcome": "refused",
    "actor": "person:somebody-else",
    "facts": "{}",
    "salt": bytes(16),
}


@pytest.mark.parametrize("place", [0, 255, 256, 400, SIZE - 1])
@pytest.mark.parametrize("column", OTHER)
def test_a_changed_column_is_found(filled: House, ids: list[str], column: str, place: int) -> None:
    report = check_after(filled, column_set(column, place, OTHER[column]))
    entry_id = OTHER["entry_id"] if column == "entry_id" else ids[place]
    assert len(report.findings) == 1
    assert first(report) == (Code.ENTRY_CHANGED, place, entry_id)
    assert report.exit_status == 1


@pytest.mark.parametrize("place", [0, 255, 300, SIZE - 1])
def test_a_deleted_row_is_found(filled: House, place: int) -> None:
    report = check_after(filled, (f"DELETE FROM audit_entry WHERE log_index = {place}", {}))
    assert [(f.code, f.index) for f in report.findings] == [(Code.ENTRY_MISSING, place)]


def test_every_row_deleted_is_one_finding(filled: House) -> None:
    report = check_after(filled, ("DELETE FROM audit_entry", {}))
    assert [(f.code, f.index, f.detail) for f in report.findings] == [
        (Code.ENTRY_MISSING, 0, f"and all up to {SIZE - 1}")
    ]


def test_a_row_without_its_place_is_found(filled: House) -> None:
    report = check_after(filled, ("UPDATE audit_entry SET log_index = NULL WHERE log_index = 17", {}))
    assert first(report)[:2] == (Code.ENTRY_MISSING, 17)
    assert report.waiting == 1


def test_swapped_rows_are_found(filled: House, ids: list[str]) -> None:
    report = check_after(filled, *swapped(3, 299))
    assert [(f.code, f.index, f.entry_id) for f in report.findings] == [
        (Code.ENTRY_CHANGED, 3, ids[299]),
        (Code.ENTRY_CHANGED, 299, ids[3]),
    ]


@pytest.mark.parametrize("entry_id", ["0" * 32, "f" * 32])
@pytest.mark.parametrize("place", [0, 5, 256, SIZE - 1, SIZE, SIZE + 1000, -1, 2**31 - 1])
def test_an_inserted_row_is_found(filled: House, place: int, entry_id: str) -> None:
    report = check_after(filled, (COPY, {"entry_id": entry_id, "place": place}))
    index = place if 0 <= place < SIZE else SIZE
    assert [(f.code, f.index, f.entry_id) for f in report.findings] == [(Code.ENTRY_INSERTED, index, entry_id)]


def test_a_row_inserted_with_all_later_ones_moved_is_found(filled: House) -> None:
    report = check_after(
        filled,
        ("UPDATE audit_entry SET log_index = log_index + 1 WHERE log_index >= 100", {}),
        (COPY, {"entry_id": "a" * 32, "place": 100}),
    )
    assert first(report) == (Code.ENTRY_CHANGED, 100, "a" * 32)


@pytest.mark.parametrize(
    ("sql", "code", "index"),
    [
        ("UPDATE log_tile SET hashes = :other WHERE level = 0 AND number = 1", Code.TILE_CHANGED, 256),
        ("UPDATE log_tile SET hashes = :other WHERE level = 1 AND number = 0", Code.TILE_CHANGED, 0),
        ("DELETE FROM log_tile WHERE level = 0 AND number = 0", Code.TILE_CHANGED, 0),
        ("DELETE FROM log_tile WHERE level = 0 AND number = 2", Code.TILE_CHANGED, 512),
        ("DELETE FROM log_tile WHERE level = 1", Code.TILE_CHANGED, 0),
        ("UPDATE log_tile SET number = 3 WHERE level = 0 AND number = 2", Code.TILE_CHANGED, 512),
        ("INSERT INTO log_tile VALUES (0, 3, :other)", Code.TILE_UNEXPECTED, SIZE),
        ("INSERT INTO log_tile VALUES (0, -1, :other)", Code.TILE_UNEXPECTED, SIZE),
        ("INSERT INTO log_tile VALUES (2, 0, :other)", Code.TILE_UNEXPECTED, SIZE),
        ("INSERT INTO log_tile VALUES (99, 0, :other)", Code.TILE_UNEXPECTED, SIZE),
        ("INSERT INTO log_tile VALUES (-1, 0, :other)", Code.TILE_UNEXPECTED, SIZE),
    ],
)
def test_a_changed_tile_is_found(filled: House, sql: str, code: Code, index: int) -> None:
    values = {"other": bytes(31)} if ":other" in sql else {}
    assert first(check_after(filled, (sql, values)))[:2] == (code, index)


def test_a_changed_hash_of_a_tile_is_found_where_it_is(filled: House, ids: list[str]) -> None:
    (row,) = ask(filled, "SELECT hashes FROM log_tile WHERE level = 0 AND number = 1")
    hashes = bytearray(row.hashes)
    hashes[40 * 32] ^= 1
    edit = ("UPDATE log_tile SET hashes = :hashes WHERE level = 0 AND number = 1", {"hashes": bytes(hashes)})
    report = check_after(filled, edit)
    assert (Code.ENTRY_CHANGED, 296, ids[296]) in [(f.code, f.index, f.entry_id) for f in report.findings]
    assert (Code.ROOT_DIFFERS, 257) in [(f.code, f.index) for f in report.findings]


def rows_of(house: House):
    return house.database.run(
        lambda session: session.query(tree.AuditEntry).order_by(tree.AuditEntry.log_index).all(), write=False
    )


def test_a_row_changed_together_with_all_tiles_is_found_by_the_signed_roots(filled: House) -> None:
    leaves = [leaf_hash(tree.entry_of(row)) for row in rows_of(filled)]
    row = rows_of(filled)[260]
    row.actor = "person:nobody"
    leaves[260] = leaf_hash(tree.entry_of(row))
    edit = ("UPDATE audit_entry SET actor = 'person:nobody' WHERE log_index = 260", {})
    report = check_after(filled, edit, *rebuild(filled, leaves))
    (found,) = report.findings
    assert (found.code, found.index) == (Code.ROOT_DIFFERS, 257)
    assert found.detail == "among the entries 257 to 556"  # those that one checkpoint added


def truncated(house: House, size: int) -> list[Edit]:
    leaves = [leaf_hash(tree.entry_of(row)) for row in rows_of(house)][:size]
    return [
        (f"DELETE FROM audit_entry WHERE log_index >= {size}", {}),
        (f"DELETE FROM log_checkpoint WHERE size > {size}", {}),
        *rebuild(house, leaves),
    ]


@pytest.mark.parametrize("size", [257, 557])
def test_a_log_cut_off_as_a_whole_is_found_by_the_copy(filled: House, size: int) -> None:
    assert check_after(filled, *truncated(filled, size)).ok  # nothing inside the database can tell
    report = check_after(filled, *truncated(filled, size), copies=[newest_note(filled)])
    assert [(f.code, f.index) for f in report.findings] == [(Code.LOG_SHRANK, size)]


def test_a_log_cut_off_between_checkpoints_is_found(filled: House) -> None:
    report = check_after(filled, *truncated(filled, 400))
    # The newest checkpoint left is that of 257 entries: there are too many rows, and the last tile is too wide.
    assert [f.index for f in report.findings] == [256, *[257] * 143]
    assert {f.code for f in report.findings} == {Code.TILE_CHANGED, Code.ENTRY_INSERTED}


def test_rows_cut_off_without_their_checkpoints_are_found(filled: House) -> None:
    report = check_after(filled, (f"DELETE FROM audit_entry WHERE log_index >= {SIZE - 50}", {}))
    assert first(report)[:2] == (Code.ENTRY_MISSING, SIZE - 50)


def test_an_older_copy_must_be_extended(filled: House) -> None:
    old = ask(filled, "SELECT note FROM log_checkpoint WHERE size = 256")[0].note
    assert check(filled, [old]).ok
    leaves = [leaf_hash(tree.entry_of(row)) for row in rows_of(filled)]
    leaves[0] = bytes(32)
    report = check_after(
        filled, ("DELETE FROM log_checkpoint WHERE size < 700", {}), *rebuild(filled, leaves), copies=[old]
    )
    assert Code.ROOT_DIFFERS in {f.code for f in report.findings}


@pytest.mark.parametrize("copy", ["", "x", "127.0.0.1:8000/log\n700\n"])
def test_a_copy_that_nobody_signed_is_found(filled: House, copy: str) -> None:
    assert [f.code for f in check(filled, [copy]).findings] == [Code.CHECKPOINT_INVALID]


def test_a_checkpoint_of_another_key_does_not_hold(filled: House) -> None:
    keys = filled.keys.public(Purpose.TRUST).values()  # no checkpoint key at all
    with pytest.raises(ValueError, match="Ed25519"):
        tree.open_checkpoint(newest_note(filled), keys)


@pytest.mark.parametrize("size", [1, 257, SIZE])
def test_a_changed_checkpoint_is_found(filled: House, size: int) -> None:
    note = ask(filled, f"SELECT note FROM log_checkpoint WHERE size = {size}")[0].note
    body = note.splitlines()
    for line, text in enumerate(body):
        changed = [*body]
        changed[line] = text[:-2] + ("AA" if text[-2:] != "AA" else "BB") if text else "x"
        report = check_after(
            filled, (f"UPDATE log_checkpoint SET note = :note WHERE size = {size}", {"note": "\n".join([*changed, ""])})
        )
        assert Code.CHECKPOINT_INVALID in {f.code for f in report.findings}, line


def test_a_checkpoint_of_another_size_is_found(filled: House) -> None:
    report = check_after(filled, ("UPDATE log_checkpoint SET size = 699 WHERE size = 700", {}))
    assert (Code.CHECKPOINT_INVALID, 699) in [(f.code, f.index) for f in report.findings]


def test_without_any_checkpoint_the_entries_are_a_finding(filled: House) -> None:
    report = check_after(filled, ("DELETE FROM log_checkpoint", {}))
    assert report.findings[0].code is Code.CHECKPOINT_MISSING


def test_a_log_that_never_started_cannot_be_told(house: House) -> None:
    report = check(house)
    assert (report.exit_status, report.ok, report.findings) == (2, False, ())


def test_rows_that_wait_too_long_are_found(house: House) -> None:
    fill(house, 2)
    (entry_id,) = record(house, 1)
    report = check(house, now=NOON + timedelta(seconds=59))
    assert report.ok
    assert report.waiting == 1
    report = check(house, now=NOON + timedelta(seconds=61))
    assert [(f.code, f.entry_id) for f in report.findings] == [(Code.ENTRY_WAITING, entry_id)]


def test_checking_sees_one_state_while_the_log_grows(house: House) -> None:
    fill(house, 300)

    def run(session):
        tree.one_state(session)
        tree.newest(session)
        fill(house, 50)
        return tree.newest(session).size

    assert house.database.run(run, write=False) == 300
    assert check(house).size == 350


def test_the_report_for_machines_names_the_first_bad_record(filled: House, ids: list[str]) -> None:
    report = check_after(filled, ("DELETE FROM audit_entry WHERE log_index = 44", {}), *swapped(7, 300))
    found = report.as_json()
    assert found["ok"] is False
    assert found["first_bad"] == {"code": "entry_changed", "index": 7, "entry_id": ids[300], "detail": ""}
    assert [each["index"] for each in found["findings"]] == [7, 44, 300]


def test_a_refusal_is_an_entry_like_any_other(house: House) -> None:
    refusal = audit.Deed.REQUEST_REFUSED
    act(house, lambda call: audit.record(call, refusal, outcome="refused", what="x", code="forbidden"))
    assert sequence(house, NOON) == 1
    change(house, "UPDATE audit_entry SET outcome = 'done' WHERE outcome = 'refused'")
    assert [f.code for f in check(house).findings] == [Code.ENTRY_CHANGED]

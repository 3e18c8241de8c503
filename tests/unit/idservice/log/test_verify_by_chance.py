"""Tampering by chance, and with values of a kind that no verb writes: found all the same."""

# ruff: noqa: S608 - the SQL of a tamperer is put together from the test's own numbers

import random

import pytest
from sqlalchemy.exc import DBAPIError

from idservice.call import House
from idservice.log.findings import Code
from tests.unit.idservice.log.deeds import COPY, SIZE, Edit, check, check_after, column_set, newest_note, swapped

# --- values of no kind that a verb writes: SQLite keeps whatever it is given ---------------------------------------

STRANGE = {
    "a time that is none": "UPDATE audit_entry SET at = 'soon' WHERE log_index = 9",
    "a time that is a number": "UPDATE audit_entry SET at = 5 WHERE log_index = 9",
    "bytes for text": "UPDATE audit_entry SET facts = x'00ff' WHERE log_index = 9",
    "text for bytes": "UPDATE audit_entry SET salt = 'salt' WHERE log_index = 9",
    "a number for bytes": "UPDATE audit_entry SET salt = 99999999999 WHERE log_index = 9",
    "text that is not UTF-8": "UPDATE audit_entry SET actor = CAST(x'ff' AS TEXT) WHERE log_index = 9",
    "a place that is text": "UPDATE audit_entry SET log_index = 'nine' WHERE log_index = 9",
    "a place between places": "UPDATE audit_entry SET log_index = 9.5 WHERE log_index = 9",
    "a tile that is text": "UPDATE log_tile SET hashes = 'hashes' WHERE level = 0 AND number = 0",
    "a tile that is text but not UTF-8": "UPDATE log_tile SET hashes = CAST(x'ff' AS TEXT) WHERE level = 1",
    "a tile that is a number": "UPDATE log_tile SET hashes = 99999999999 WHERE level = 1",
    "a tile on a level that is text": "UPDATE log_tile SET level = 'one' WHERE level = 1",
    "a note that is bytes": "UPDATE log_checkpoint SET note = x'00' WHERE size = 700",
    "a note that is not UTF-8": "UPDATE log_checkpoint SET note = CAST(x'ff' AS TEXT) WHERE size = 700",
}


@pytest.mark.parametrize("sql", STRANGE.values(), ids=STRANGE)
def test_a_value_of_another_kind_is_found(filled: House, sql: str) -> None:
    try:
        report = check_after(filled, (sql, {}))
    except DBAPIError:
        assert not filled.database.is_sqlite, "PostgreSQL refuses most such values, SQLite none"
    else:
        assert report.exit_status == 1


# --- many edits by chance ------------------------------------------------------------------------------------------


def deleted(chance: random.Random) -> list[Edit]:
    place = chance.randrange(SIZE)
    return [(f"DELETE FROM audit_entry WHERE log_index BETWEEN {place} AND {place + chance.randrange(40)}", {})]


def exchanged(chance: random.Random) -> list[Edit]:
    return swapped(*chance.sample(range(SIZE), 2))


def inserted(chance: random.Random) -> list[Edit]:
    return [(COPY, {"entry_id": chance.randbytes(16).hex(), "place": chance.randrange(2 * SIZE)})]


def moved(chance: random.Random) -> list[Edit]:
    place, other = chance.sample(range(SIZE), 2)
    return [column_set("log_index", place, other + SIZE * chance.randrange(2))]


def tile_changed(chance: random.Random) -> list[Edit]:
    sql = f"UPDATE log_tile SET hashes = :hashes WHERE level = 0 AND number = {chance.randrange(3)}"
    return [(sql, {"hashes": chance.randbytes(8192)})]


def note_changed(chance: random.Random) -> list[Edit]:
    character = f"substr(note, {chance.randrange(25, 150)}, 1)"
    size = chance.choice([1, 3, 256, 257, 557, 700])
    return [(f"UPDATE log_checkpoint SET note = replace(note, {character}, '#') WHERE size = {size}", {})]


def value_replaced(chance: random.Random) -> list[Edit]:
    minute, second, micro = chance.randrange(60), chance.randrange(60), chance.randrange(1, 10**6)
    values = {
        "salt": chance.randbytes(16),
        "entry_id": chance.randbytes(16).hex(),
        "at": f"2026-03-01 12:{minute:02}:{second:02}.{micro:06}+00:00",
        "outcome": "refused",
    }
    column = chance.choice(sorted(values))
    return [column_set(column, chance.randrange(SIZE), values[column])]


def character_added(chance: random.Random) -> list[Edit]:
    column = chance.choice(["deed", "outcome", "actor", "facts"])
    more, place = chance.choice("xyz "), chance.randrange(SIZE)
    return [(f"UPDATE audit_entry SET {column} = {column} || '{more}' WHERE log_index = {place}", {})]


KINDS = (deleted, exchanged, inserted, moved, tile_changed, note_changed, value_replaced, character_added)


def test_two_hundred_edits_by_chance_are_all_found(filled: House) -> None:
    chance = random.Random(18)
    for number in range(200):
        edits = chance.choice(KINDS)(chance)
        report = check_after(filled, *edits)
        assert report.exit_status == 1, (number, edits)
        assert report.findings[0].code in Code


def test_edits_of_the_copy_are_all_found(filled: House) -> None:
    chance = random.Random(81)
    note = newest_note(filled)
    for _ in range(100):
        position = chance.randrange(len(note))
        changed = note[:position] + chance.choice(["", "A", "0", "\n", "é"]) + note[position + 1 :]
        if changed != note:
            assert check(filled, [changed]).exit_status == 1, changed

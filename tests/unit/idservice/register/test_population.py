"""Rows of people that are made many at once are those that are made singly, and none that would be refused."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idservice.register import population
from idservice.register.importing_columns import Table
from idservice.register.importing_rows import RowRefused
from idservice.register.population import Row
from keys.fields import FieldCipher
from keys.ring import KeyRing
from tests.identity import AGENT, ALICE, citizen_number

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
TEXTS = {
    "number": [ALICE, AGENT.lower(), ALICE[:-1] + "?", citizen_number("37160220991231001"), "1"],
    "name": ["王小明", "SMITH JOHN", "王\u202e明", "王" * 129],
    "phone": ["13800001234", "+8613800001234", "1"],
    "level": ["1", "3", "9"],
    "status": ["active", "死亡", "alive"],
}


@pytest.fixture
def cipher(tmp_path: Path) -> FieldCipher:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    ring.ensure_all(NOW)
    return FieldCipher(ring)


def facts(cipher: FieldCipher, row: Row) -> list[object]:
    """Return what a row says, its sealed fields opened for its subject."""
    sealed = {name: getattr(row, name) for name in ("number_sealed", "name_sealed", "phone_sealed")}
    opened = [
        blob and cipher.open(blob, table="person", column=name, row=row.subject).decode()
        for name, blob in sealed.items()
    ]
    return [*opened, row.line, row.hashes, row.name, row.phone, row.level, row.status]


def test_rows_made_at_once_are_those_made_singly(cipher: FieldCipher) -> None:
    chance = random.Random(3)
    taken = refused = 0
    for _ in range(40):
        names = ["number", "name", *(name for name in ("phone", "level", "status") if chance.random() < 0.5)]
        given = [{name: chance.choice(TEXTS[name]) for name in names} for _ in range(30)]
        columns = {name: [row[name] for row in given] for name in names}
        made, left = population.prepare_many(cipher, Table(tuple(range(30)), columns), TODAY)
        assert sorted([*(row.line for row in made), *left]) == list(range(30))
        for row in made:
            alone = population.prepare(cipher, row.line, given[row.line], TODAY)
            assert facts(cipher, row) == facts(cipher, alone)
        for line in left:
            with pytest.raises(RowRefused):
                population.prepare(cipher, line, given[line], TODAY)
        assert len({row.subject for row in made}) == len(made)
        taken, refused = taken + len(made), refused + len(left)
    assert min(taken, refused) > 50


def test_rows_without_what_is_needed_are_left(cipher: FieldCipher) -> None:
    assert population.prepare_many(cipher, Table((1, 2), {"number": [ALICE, AGENT]}), TODAY) == ([], (1, 2))


def test_a_row_shows_nobody(cipher: FieldCipher) -> None:
    assert repr(population.prepare(cipher, 7, {"number": ALICE, "name": "王小明"}, TODAY)) == "Row(line=7)"

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from licences.demo import charter
from licences.demo.charter import Charter, CharterError

FOUNDED = Charter(7, date(2026, 11, 22), bytes(range(32)), "http://127.0.0.1:8000", built=False)


def test_a_new_city_is_of_the_day_it_is_in_china_and_has_its_own_secrets() -> None:
    late = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
    first, second = (charter.draw_up(late, "http://127.0.0.1:8000") for _ in range(2))
    assert first.day == date(2026, 11, 22)
    assert first.root != second.root
    assert len(first.root) == 32
    assert not first.built


def test_it_reads_back_as_it_was_written_and_only_its_owner_can(tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    for each in (FOUNDED, replace(FOUNDED, built=True)):
        charter.write(path, each)
        assert charter.read(path) == each
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_charter_is_not_a_wrong_charter(tmp_path: Path) -> None:
    assert charter.read(tmp_path / "city.json") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"seed": 7}',
        '{"seed": "7", "day": "2026-11-22", "root": "%s", "credential_issuer": "x", "built": true}' % ("0" * 64),
        '{"seed": 7, "day": "22 November", "root": "%s", "credential_issuer": "x", "built": true}' % ("0" * 64),
        '{"seed": 7, "day": "2026-11-22", "root": "00", "credential_issuer": "x", "built": true}',
    ],
)
def test_what_is_no_charter_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "city.json"
    path.write_text(text)
    with pytest.raises(CharterError):
        charter.read(path)


def test_mutants_are_refused_or_are_charters(tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    charter.write(path, FOUNDED)
    good = path.read_bytes()
    rng = random.Random(5)
    refused = 0
    for _ in range(500):
        mutant = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            mutant[rng.randrange(len(mutant))] = rng.randrange(256)
        path.write_bytes(mutant)
        try:
            assert isinstance(charter.read(path), Charter)
        except CharterError:
            refused += 1
    assert refused > 200


def test_a_repr_shows_no_secret() -> None:
    assert str(FOUNDED.root) not in repr(FOUNDED)
    assert json.dumps(FOUNDED.root.hex()) not in repr(FOUNDED)

"""Challenges: good once, for minutes, and only where they were made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idservice.call import House
from keys.ring import Purpose
from licences.wallets.issuance import nonces
from tests.builders import build_house, migrate
from tests.databases import SqliteDatabases

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("nonces")
    built = build_house(folder, SqliteDatabases(folder).fresh(migrate))
    yield built
    built.database.engine.dispose()


def test_one_is_used_once(house: House) -> None:
    nonce = nonces.make(house, NOW)
    assert nonces.use(house, nonce, NOW)
    assert not nonces.use(house, nonce, NOW)


def test_no_two_are_alike(house: House) -> None:
    assert len({nonces.make(house, NOW) for _ in range(100)}) == 100


def test_its_time_ends(house: House) -> None:
    nonce = nonces.make(house, NOW)
    assert nonces.expiry_of(house, nonce, NOW + nonces.LIFE - timedelta(seconds=1)) == NOW + nonces.LIFE
    assert nonces.expiry_of(house, nonce, NOW + nonces.LIFE) is None


def test_it_outlives_the_turning_of_its_key(house: House) -> None:
    nonce = nonces.make(house, NOW)
    house.keys.rotate(Purpose.SESSION, now=NOW)
    assert nonces.use(house, nonce, NOW)


def test_another_house_does_not_take_it(house: House, tmp_path: Path) -> None:
    other = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    assert nonces.expiry_of(other, nonces.make(house, NOW), NOW) is None
    other.database.engine.dispose()


def test_no_mutant_is_taken(house: House) -> None:
    nonce = nonces.make(house, NOW)

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, 49), st.sampled_from("AQgw_-.09é"))
    def check(place: int, letter: str) -> None:
        mutant = nonce[:place] + letter + nonce[place + 1 :]
        assert mutant == nonce or nonces.expiry_of(house, mutant, NOW) is None

    check()


@pytest.mark.parametrize("value", [None, 7, "", "x", "A" * 50, ["a"], "A" * 10_000])
def test_what_is_none_is_refused(house: House, value: object) -> None:
    assert nonces.expiry_of(house, value, NOW) is None

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idservice import expiry
from idservice.call import House
from idservice.models import AuthorizationCode, RefreshToken, UsedIdentifier
from tests.builders import build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def _add(house: House, *rows: object) -> None:
    house.database.run(lambda session: session.add_all(rows), write=True)


def _count(house: House, model: type) -> int:
    def count(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(model)) or 0

    return house.database.run(count, write=False)


def _identifier(number: int, expires_at: datetime) -> UsedIdentifier:
    return UsedIdentifier(value_hash=number.to_bytes(32), expires_at=expires_at)


def test_only_what_is_long_over_goes(house: House) -> None:
    _add(
        house,
        _identifier(1, NOW - expiry.CLOCKS - timedelta(seconds=1)),
        _identifier(2, NOW - expiry.CLOCKS + timedelta(seconds=1)),
        _identifier(3, NOW + timedelta(minutes=5)),
    )
    assert expiry.sweep(house, NOW) == 1
    assert _count(house, UsedIdentifier) == 2
    assert expiry.sweep(house, NOW) == 0


def test_a_used_refresh_token_is_remembered_for_a_day_past_its_end(house: House) -> None:
    for number, age in ((1, timedelta(hours=23)), (2, timedelta(hours=25))):
        _add(
            house,
            RefreshToken(
                token_hash=number.to_bytes(32),
                subject="s",
                family_id="f",
                client_id="c",
                expires_at=NOW - age,
                used_at=NOW - age,
            ),
        )
    assert expiry.sweep(house, NOW) == 1
    assert _count(house, RefreshToken) == 1


def test_one_sweep_deletes_a_bounded_number(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 10)
    monkeypatch.setattr(expiry, "BATCHES", 3)
    old = NOW - timedelta(days=1)
    _add(house, *(_identifier(number, old) for number in range(35)))
    assert expiry.sweep(house, NOW) == 30
    assert expiry.sweep(house, NOW) == 5
    assert expiry.sweep(house, NOW) == 0


def test_every_kind_with_an_end_is_swept() -> None:
    swept = {end.class_ for _key, end, _kept in expiry.KEPT}
    assert {AuthorizationCode, RefreshToken, UsedIdentifier} <= swept

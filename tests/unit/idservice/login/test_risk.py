from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idservice.call import Call, House
from idservice.login import risk, session
from idservice.register import people
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


@pytest.fixture
def alice(house: House) -> str:
    return act(house, lambda call: people.enrol(call, number=ALICE, name="王小明"))


def log_in(house: House, subject: str, times: int, at: datetime) -> None:
    def start(call: Call) -> None:
        for _ in range(times):
            session.start(call, subject, level=2, amr=["pwd"])

    act(house, start, now=at)


def seen(house: House, subject: str, *, known: bool = True, failures: int = 0) -> list[str]:
    return act(house, lambda call: risk.signals(call, subject, is_known_device=known, failures=failures), now=NOW)


@pytest.mark.parametrize(
    ("known", "failures", "signals"),
    [
        (True, 0, []),
        (False, 0, ["new_device"]),
        (True, 2, []),
        (True, 3, ["guessed_at"]),
        (False, 9, ["new_device", "guessed_at"]),
    ],
)
def test_what_is_unusual(house: House, alice: str, known: bool, failures: int, signals: list[str]) -> None:
    assert seen(house, alice, known=known, failures=failures) == signals


def test_ten_logins_within_the_hour_are_many(house: House, alice: str) -> None:
    log_in(house, alice, 9, NOW - timedelta(minutes=59))
    log_in(house, alice, 9, NOW - timedelta(minutes=61))
    assert seen(house, alice) == []
    log_in(house, alice, 1, NOW - timedelta(seconds=1))
    assert seen(house, alice) == ["many_logins"]
    assert seen(house, "somebody else") == []

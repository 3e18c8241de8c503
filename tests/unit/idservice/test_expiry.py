from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from idservice import expiry
from idservice.call import House
from idservice.login.models import Lock
from idservice.models import AuthorizationCode, RefreshToken, TokenFamily, UsedIdentifier
from idservice.oauth import codes
from tests.builders import act, build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = timedelta(seconds=1)
CODE: dict[str, Any] = {
    "client_id": "c", "subject": "s", "family_id": "f", "redirect_uri": "https://app.example/", "nonce": None,
    "code_challenge": "x",
}  # fmt: skip


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


def test_a_family_is_kept_until_none_of_its_tokens_can_be_left(house: House) -> None:
    for name, age in (("a", expiry.FAMILY - CLOCK), ("b", expiry.FAMILY + CLOCK), ("c", expiry.FAMILY + CLOCK)):
        _add(house, _family(name, NOW - age))
    assert expiry.sweep(house, NOW) == 2
    assert _count(house, TokenFamily) == 1
    assert expiry.sweep(house, NOW) == 0


def _family(name: str, created_at: datetime) -> TokenFamily:
    return TokenFamily(
        subject="s", family_id=name, client_id="c", scope="openid", auth_time=created_at, amr=["pwd"], level=2,
        created_at=created_at,
    )  # fmt: skip


def test_a_code_is_kept_as_long_as_what_was_got_for_it(house: House) -> None:
    for scope in (("openid",), ("openid", "offline_access")):
        act(house, lambda call, scope=scope: codes.issue(call, **CODE, scope=scope) and None, now=NOW)
    kept = []
    for age in (timedelta(hours=23), timedelta(hours=25), timedelta(days=29), timedelta(days=31)):
        expiry.sweep(house, NOW + age)
        kept.append(_count(house, AuthorizationCode))
    assert kept == [2, 1, 1, 0]


def test_a_gate_of_a_device_goes_a_day_after_the_last_try_and_no_lock_is_lifted(house: House) -> None:
    long_ago, lately = NOW - expiry.A_DAY - CLOCK, NOW - expiry.A_DAY + CLOCK
    kept = {
        ("s-tried-lately", lately, None),
        ("s-locked", long_ago, NOW + CLOCK),
        ("s-lock-lately", long_ago, lately),
        ("second", long_ago, None),
        ("recovery", long_ago, long_ago),
    }
    gone = {("s-failed", long_ago, None), ("r-locked-once", long_ago, long_ago)}
    rows = [
        Lock(subject="p", gate=gate, failures=9, tried_at=tried, locked_until=until)
        for gate, tried, until in kept | gone
    ]
    _add(house, *rows)
    assert expiry.sweep(house, NOW) == len(gone)
    left = house.database.run(lambda session: set(session.scalars(select(Lock.gate))), write=False)
    assert left == {gate for gate, _tried, _until in kept}


def test_what_is_tried_while_it_is_swept_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Lock(subject="p", gate="s-device", failures=3, tried_at=NOW - timedelta(days=2), locked_until=None)
    _add(house, row)
    run, tried = type(house.database).run, update(Lock).values(failures=4, tried_at=NOW)

    def run_and_try(self: Any, deed: Any, *, write: bool) -> Any:
        found = run(self, deed, write=write)
        if not write:
            run(self, lambda session: session.execute(tried), write=True)
        return found

    monkeypatch.setattr(type(house.database), "run", run_and_try)
    expiry.sweep(house, NOW)
    monkeypatch.undo()
    assert _count(house, Lock) == 1


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

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idservice import expiry
from idservice.call import Call, House
from idservice.events import outbox
from tests.builders import act, build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def put(house: House, *, keep: timedelta = timedelta(hours=1), fetched: bool = False) -> str:
    def deed(call: Call) -> str:
        return outbox.put(call, "logout", "app", {"sid": "s"}, keep=keep, fetched=fetched)

    return act(house, deed, now=NOW)


def test_a_notice_is_due_at_once_and_one_that_is_fetched_never(house: House) -> None:
    name = put(house)
    put(house, fetched=True)
    found = act(house, lambda call: outbox.due(call.session, NOW))
    assert found == [(name, 0)]


def test_who_takes_a_notice_has_it_for_a_minute(house: House) -> None:
    name = put(house)
    taken = act(house, lambda call: outbox.take(call.session, name, 0, NOW))
    assert taken is not None
    assert (taken.kind, taken.target, taken.facts, taken.attempts) == ("logout", "app", {"sid": "s"}, 1)
    assert act(house, lambda call: outbox.take(call.session, name, 0, NOW)) is None, "another one was faster"
    assert act(house, lambda call: outbox.take(call.session, name, 1, NOW)) is None, "it is being sent"
    later = NOW + outbox.LEASE
    again = act(house, lambda call: outbox.take(call.session, name, 1, later))
    assert again is not None, "whoever took it died"
    assert again.attempts == 2


def test_the_waits_double_up_to_an_hour(house: House) -> None:
    name = put(house, keep=timedelta(days=7))
    now, waits = NOW, []
    for attempts in range(12):
        taken = act(house, lambda call, a=attempts, n=now: outbox.take(call.session, name, a, n))
        assert taken is not None
        assert act(house, lambda call, t=taken, n=now: outbox.put_off(call.session, t, n))
        ((_name, _attempts),) = act(house, lambda call, n=now: outbox.due(call.session, n + outbox.LONGEST_WAIT))
        waits.append(min(5 * 2**attempts, 3600))
        assert act(house, lambda call, n=now, w=waits[-1]: outbox.due(call.session, n + timedelta(seconds=w - 1))) == []
        now += timedelta(seconds=waits[-1])
    assert waits[-1] == 3600


def test_what_is_of_no_use_by_then_is_not_put_off(house: House) -> None:
    name = put(house, keep=timedelta(seconds=4))
    taken = act(house, lambda call: outbox.take(call.session, name, 0, NOW))
    assert taken is not None
    assert not act(house, lambda call: outbox.put_off(call.session, taken, NOW))


def test_what_nobody_fetched_is_swept_out(house: House) -> None:
    put(house, keep=timedelta(seconds=1), fetched=True)
    assert expiry.sweep(house, NOW + timedelta(minutes=5)) == 0
    assert expiry.sweep(house, NOW + timedelta(minutes=15)) == 1

"""An identifier counts once: the database says so, and no Redis can say otherwise."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from idservice import expiry, replay
from idservice.call import House
from idservice.models import UsedIdentifier
from tests.builders import act, build_house, migrate
from tests.databases import Databases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)
MANY = 50


@pytest.fixture(scope="module")
def alone(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house without Redis."""
    url = databases.fresh(migrate)
    built = build_house(tmp_path_factory.mktemp("replay"), url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def shared(alone: House, redis_url: str) -> House:
    return replace(alone, settings=replace(alone.settings, redis_url=redis_url))


def use(house: House, value: str, kind: str = "test", *, until: datetime = SOON, now: datetime = NOW) -> bool:
    return replay.first_use(house, kind, value, expires_at=until, now=now)


def count(house: House) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(UsedIdentifier))) or 0


def winners_of(deed: Callable[[int], bool]) -> int:
    """Return how many of fifty that start together are told that theirs is the first use."""
    start, won, faults = threading.Barrier(MANY), [], []

    def run(number: int) -> None:
        try:
            start.wait(timeout=60)
            won.append(deed(number))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert faults == []
    assert len(won) == MANY
    return sum(won)


def test_the_second_use_is_none(alone: House) -> None:
    assert [use(alone, "a"), use(alone, "a"), use(alone, "a")] == [True, False, False]


def test_kinds_and_values_do_not_run_into_each_other(alone: House) -> None:
    asked = [("k", "b\0c"), ("k", "b"), ("kb", "c"), ("k", ""), ("k", "B"), ("k", "é"), ("k", "e\u0301")]
    assert [use(alone, value, kind) for kind, value in asked] == [True] * len(asked)


def test_nothing_of_the_identifier_is_stored_in_the_clear(alone: House) -> None:
    before = count(alone)
    use(alone, "somebody's jti")
    rows = act(alone, lambda call: list(call.session.scalars(select(UsedIdentifier))))
    assert len(rows) == before + 1
    assert all(len(row.value_hash) == 32 and b"jti" not in row.value_hash for row in rows)


def test_it_is_remembered_past_its_end_for_clocks_that_differ(alone: House) -> None:
    assert use(alone, "late", until=NOW)
    later = NOW + timedelta(minutes=4)
    expiry.sweep(alone, later)
    assert not use(alone, "late", until=NOW, now=later)
    expiry.sweep(alone, NOW + timedelta(days=1))
    assert use(alone, "late", until=NOW), "and not for ever"


def test_fifty_at_once_on_the_database_alone(alone: House) -> None:
    assert winners_of(lambda _number: use(alone, "race")) == 1


def test_fifty_at_once_with_redis(shared: House) -> None:
    assert winners_of(lambda _number: use(shared, "race with redis")) == 1


def test_some_with_redis_and_some_without(alone: House, shared: House) -> None:
    assert winners_of(lambda number: use(shared if number % 2 else alone, "race of both")) == 1


def test_a_flood_of_replays_does_not_reach_the_database(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert use(shared, "flood")
    monkeypatch.setattr(replay, "add_if_new", lambda *_: pytest.fail("asked the database"))
    assert not any(use(shared, "flood") for _ in range(20))


def test_a_redis_that_was_flushed_lets_nothing_through(shared: House, redis_url: str) -> None:
    assert use(shared, "flushed")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    assert not use(shared, "flushed")


def test_redis_forgets_in_time_and_holds_no_identifier(shared: House, redis_url: str) -> None:
    use(shared, "client\0my-jti", until=NOW + timedelta(seconds=90))
    use(shared, "already over", until=NOW - timedelta(days=1))
    with redis.Redis.from_url(redis_url) as client:
        keys = client.keys()
        lives = sorted(client.ttl(key) for key in keys)
    assert len(keys) == 2
    assert not any(b"jti" in key for key in keys)
    assert 0 <= lives[0] <= 1
    assert 90 < lives[1] <= 90 + replay.KEPT_AFTER.total_seconds()


class LyingRedis:
    """A Redis that answers as it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def set(self, *_: object, **__: object) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


FAULTS = [redis.ConnectionError(), redis.TimeoutError(), redis.ResponseError("OOM"), redis.AuthenticationError()]


@pytest.mark.parametrize("answer", [True, b"OK", 0, "x", *FAULTS], ids=repr)
def test_no_answer_of_redis_lets_a_replay_through(alone: House, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    house = replace(alone, settings=replace(alone.settings, redis_url="redis://lies.example"))
    monkeypatch.setattr(replay, "_redis", lambda _url: LyingRedis(answer))
    value = f"lie {answer!r}"
    assert [use(house, value), use(house, value)] == [True, False]


def test_a_redis_that_calls_everything_a_replay_can_only_refuse(alone: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = replace(alone, settings=replace(alone.settings, redis_url="redis://lies.example"))
    monkeypatch.setattr(replay, "_redis", lambda _url: LyingRedis(None))
    assert not use(house, "never seen")
    assert use(alone, "never seen")


def test_a_redis_that_never_answers_is_not_waited_for(alone: House) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        house = replace(
            alone, settings=replace(alone.settings, redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        )
        # Whoever waited for it would wait here for ever.
        assert [use(house, "silence"), use(house, "silence")] == [True, False]


def test_without_the_database_nothing_is_a_first_use(shared: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = build_house(tmp_path_factory.mktemp("empty"), f"sqlite:///{tmp_path_factory.mktemp('no')}/empty.db")
    house = replace(empty, settings=shared.settings)
    with pytest.raises(OperationalError):
        use(house, "nowhere to write")
    assert not use(shared, "nowhere to write"), "fail closed: the mark in Redis stands"
    empty.database.engine.dispose()


def test_the_clock_of_this_process_decides_nothing(alone: House) -> None:
    with time_machine.travel("2001-01-01", tick=False):
        assert use(alone, "time is passed in")
    assert not use(alone, "time is passed in")

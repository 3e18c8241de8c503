"""Too many is too many: in this process, in Redis, and while Redis is away."""

import contextlib
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine

from idservice.errors import Problem
from idservice.http import limits
from idservice.http.limits import Limiter
from idservice.settings import Settings
from tests.builders import build_settings
from tests.unit.idservice.http.conftest import Site

OUTSIDE = "192.0.2.7"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return build_settings(tmp_path, "sqlite://", unthrottled_loopback=False)


def allowed(
    limiter: Limiter, tries: int, *, who: str = "me", what: str = "thing", address: str | None = OUTSIDE
) -> int:
    """Return how many of so many tries in a row are let through, at three an hour."""
    count = 0
    for _ in range(tries):
        with contextlib.suppress(Problem):
            limiter.check("3/hour", what=what, who=who, address=address)
            count += 1
    return count


def test_so_many_and_no_more(settings: Settings) -> None:
    limiter = Limiter(settings)
    assert allowed(limiter, 5) == 3
    assert allowed(limiter, 5, who="you") == 3
    assert allowed(limiter, 5, what="other thing") == 3
    assert allowed(limiter, 1) == 0


def test_time_passes(settings: Settings) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        limiter = Limiter(settings)
        assert allowed(limiter, 4) == 3
        clock.shift(2 * 3600)
        assert allowed(limiter, 4) == 3


def test_names_do_not_run_into_each_other(settings: Settings) -> None:
    limiter = Limiter(settings)
    assert allowed(limiter, 4, what="a", who="b") == 3
    assert allowed(limiter, 4, what="ab", who="") == 3


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_loopback_is_exempt_only_where_it_is_set(settings: Settings, address: str) -> None:
    assert allowed(Limiter(settings), 5, address=address) == 3
    lifted = Limiter(replace(settings, unthrottled_loopback=True))
    assert allowed(lifted, 5, address=address) == 5
    assert allowed(lifted, 5, address=OUTSIDE) == 3
    assert allowed(lifted, 5, address=None, who="nobody") == 3


@pytest.mark.parametrize(("limit", "seconds"), [("3/hour", "1200"), ("1/minute", "60"), ("100/minute", "1")])
def test_the_refusal_says_when_to_try_again(settings: Settings, limit: str, seconds: str) -> None:
    limiter = Limiter(settings)
    for _ in range(int(limit.split("/", maxsplit=1)[0])):
        limiter.check(limit, what="thing", who="me", address=OUTSIDE)
    with pytest.raises(Problem, match="too_many_requests") as refused:
        limiter.check(limit, what="thing", who="me", address=OUTSIDE)
    assert refused.value.headers == {"Retry-After": seconds}


def test_redis_is_shared_by_all_processes(settings: Settings, redis_url: str) -> None:
    one, other = (Limiter(replace(settings, redis_url=redis_url)) for _ in range(2))
    assert allowed(one, 2) + allowed(other, 4) == 3
    assert allowed(one, 1) == 0
    assert allowed(Limiter(settings), 1) == 1, "without Redis each counts alone"


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "refusing"])
def test_a_redis_that_is_away_opens_and_closes_no_door(
    settings: Settings, is_silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASKED_AGAIN_AFTER", 3600.0)
    asked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not is_silent:
            server.close()
        limiter = Limiter(replace(settings, redis_url=f"redis://127.0.0.1:{port}"))
        ask = limiter._shared.hit
        monkeypatch.setattr(limiter._shared, "hit", lambda *what: asked.append(what) or ask(*what))
        assert allowed(limiter, 20) == 3
        assert len(asked) == 1, "it is not asked again at once"


def test_redis_is_asked_again_when_it_is_back(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter, other = (Limiter(replace(settings, redis_url=redis_url)) for _ in range(2))
    monkeypatch.setattr(limiter, "_ask_again_at", time.monotonic() + 3600)
    assert allowed(limiter, 3) == 3, "counted here"
    monkeypatch.setattr(limiter, "_ask_again_at", time.monotonic())
    assert allowed(other, 2) + allowed(limiter, 3) == 3


def test_an_operation_that_is_asked_too_often(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    house = site.city.house
    throttled = replace(house, limiter=Limiter(replace(house.settings, unthrottled_loopback=False)))
    monkeypatch.setitem(site.app.extensions, "ona", throttled)
    answers = [site.app.test_client().get("/v1/test/open") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].json["code"] == "too_many_requests"
    assert answers[3].headers["Retry-After"] == "20"

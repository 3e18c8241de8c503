"""A real Redis that dies in the middle of the work: nothing is let through, and the work goes on."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.builders import migrate
from tests.conftest import _running_redis
from tests.databases import Databases
from tests.functional.test_oauth_assertion import assertion_for, introspects
from tests.functional.test_oauth_races import MANY, at_once, outcomes
from tests.identity import City, basic, build_city, token

pytestmark = pytest.mark.redis


class Mortal:
    """A Redis of the test's own that can be killed."""

    def __init__(self, url: str) -> None:
        self.url = url

    def do(self, *command: str) -> object:
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*command)

    def kill(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server to start and kill")
    with _running_redis(program, tmp_path) as url:
        yield Mortal(url)


@pytest.fixture
def city(databases: Databases, mortal: Mortal, tmp_path: Path) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path / "city", url, redis_url=mortal.url, unthrottled_loopback=False)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def test_one_assertion_fifty_times_while_redis_dies(city: City, mortal: Mortal) -> None:
    assertion, killed = assertion_for(city), []

    def ask() -> object:
        if not killed:
            killed.append(True)
            with contextlib.suppress(redis.RedisError):
                mortal.kill()
        return introspects(city, assertion)

    assert outcomes(at_once(ask)) == {(200, None): 1, (401, "invalid_client"): MANY - 1}


def test_an_assertion_used_before_redis_died_stays_used(city: City, mortal: Mortal) -> None:
    assertion = assertion_for(city)
    assert introspects(city, assertion).status_code == 200
    mortal.do("FLUSHALL")
    assert introspects(city, assertion).status_code == 401
    mortal.kill()
    assert introspects(city, assertion).status_code == 401
    assert introspects(city, assertion_for(city)).status_code == 200


def test_redis_holds_no_secret_and_nothing_personal(city: City, mortal: Mortal) -> None:
    browser = city.browser()
    page = browser.log_in()
    assert page.status == 200
    browser.open("/me/apps")
    introspects(city, assertion_for(city))
    cookies = [cookie.value for cookie in browser.client._cookies.values()]
    with redis.Redis.from_url(mortal.url) as client:
        kept = b"".join(client.keys()).decode()
    assert "LIMITS" in kept
    assert "ona:used:" in kept
    for secret in [*cookies, city.alice, "371602"]:
        assert secret not in kept


def test_limits_are_shared_by_the_processes_and_survive_redis(city: City, mortal: Mortal) -> None:
    from idservice.errors import Problem
    from idservice.http.limits import Limiter

    one, other = Limiter(city.house.settings), Limiter(city.house.settings)
    for limiter in (one, other):
        limiter.check("2/hour", what="thing", who="me", address="192.0.2.1")
    for limiter in (one, other):
        with pytest.raises(Problem, match="too_many_requests"):
            limiter.check("2/hour", what="thing", who="me", address="192.0.2.1")
    mortal.kill()
    started = time.monotonic()
    for limiter in (one, other):  # each counts alone now
        limiter.check("2/hour", what="thing", who="me", address="192.0.2.1")
        limiter.check("2/hour", what="thing", who="me", address="192.0.2.1")
        with pytest.raises(Problem, match="too_many_requests"):
            limiter.check("2/hour", what="thing", who="me", address="192.0.2.1")
    assert time.monotonic() - started < 5, "a Redis that is down is not waited for"


def test_the_service_goes_on_without_redis(city: City, mortal: Mortal) -> None:
    mortal.kill()
    answer = token(city.app, {"grant_type": "client_credentials"}, basic("counter"))
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    started = time.monotonic()
    for _ in range(20):
        assert city.app.test_client().get("/v1/", headers=headers).status_code == 200
    assert time.monotonic() - started < 5

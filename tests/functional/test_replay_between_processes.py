"""What was used once stays used when every server process was killed and started again, and whatever becomes of Redis.

Two nodes share a database; the first asks Redis before it, the second has none. A refusal is a refusal: no fault.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis

from tests.builders import migrate
from tests.conftest import _running_redis
from tests.databases import Databases
from tests.fapi import Fapi, register
from tests.functional.nodes import Answer, Node, Nodes, race, running
from tests.functional.test_redis import Mortal
from tests.identity import OFFLINE, City, Flow, basic, build_city, introspect, query_of

Replay = Callable[[Node], Answer]

ACCEPTED = {"code": 200, "refresh_token": 200, "proof": 200, "assertion": 201, "request_uri": 303}
REFUSED = {"code": 400, "refresh_token": 400, "proof": 401, "assertion": 401, "request_uri": 400}
KINDS = tuple(ACCEPTED)


@dataclass
class Ground:
    """A city, its nodes, its Redis, and what was used before all of them died."""

    city: City
    fapi: Fapi
    nodes: Nodes
    mortal: Mortal | None
    used: dict[str, Replay]
    first: dict[str, Answer]


@pytest.fixture(scope="module")
def ground(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder, url = tmp_path_factory.mktemp("replays"), databases.fresh(migrate)
    city = build_city(folder, url)
    register(city, "fapi", profile="fapi2")
    fapi = Fapi(city)
    fapi.logged_in()  # it knows the nonce now
    program = shutil.which("redis-server")
    with contextlib.ExitStack() as stack:
        mortal = Mortal(stack.enter_context(_running_redis(program, folder))) if program else None
        first_asks = {"ONA_REDIS_URL": mortal.url} if mortal is not None else {}
        nodes = stack.enter_context(running(Nodes(city.house.settings, folder / "nodes", first_asks, {})))
        used = {kind: MAKERS[kind](fapi) for kind in KINDS}
        first = {kind: replay(nodes[0]) for kind, replay in used.items()}
        second = {kind: replay(nodes[1]).status_code for kind, replay in used.items() if kind not in SECOND_KILLS}
        assert second == {kind: status for kind, status in REFUSED.items() if kind in second}
        nodes.kill()
        if mortal is not None:
            mortal.do("FLUSHALL")
        nodes.start()
        yield Ground(city, fapi, nodes, mortal, used, first)
    city.house.database.engine.dispose()
    databases.drop(url)


SECOND_KILLS = {"code", "refresh_token"}  # the second use, which ends the family, is left to the test


def _code(fapi: Fapi) -> Replay:
    flow = Flow(scope=OFFLINE)
    form = {
        "grant_type": "authorization_code",
        "code": fapi.city.browser().code(flow),
        "redirect_uri": flow.redirect_uri,
        "code_verifier": flow.verifier,
    }
    return lambda node: node.send("POST", "/oauth/token", form, basic("basic"))


def _refresh_token(fapi: Fapi) -> Replay:
    got = _code(fapi)
    taken: list[str] = []

    def send(node: Node) -> Answer:
        if not taken:
            taken.append(got(node).json["refresh_token"])
        form = {"grant_type": "refresh_token", "refresh_token": taken[0]}
        return node.send("POST", "/oauth/token", form, basic("basic"))

    return send


def _proof(fapi: Fapi) -> Replay:
    text = fapi.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **fapi.proof("GET", "/v1/accesses", token=text)}
    return lambda node: node.send("GET", "/v1/accesses", headers=headers)


def _assertion(fapi: Fapi) -> Replay:
    form = {**dict(query_of(fapi.flow().url())), **fapi.assertion()}
    return lambda node: node.send("POST", "/oauth/par", form)


def _request_uri(fapi: Fapi) -> Replay:
    browser = fapi.city.browser()
    fapi.answer(fapi.pushed(fapi.flow()), browser)
    url = fapi.pushed(fapi.flow())
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.client._cookies.values())
    return lambda node: node.send("GET", url, headers={"Accept": "text/html", "Cookie": cookies})


MAKERS: dict[str, Callable[[Fapi], Replay]] = {
    "code": _code,
    "refresh_token": _refresh_token,
    "proof": _proof,
    "assertion": _assertion,
    "request_uri": _request_uri,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_used_stays_used_after_every_process_was_killed(ground: Ground, kind: str) -> None:
    assert ground.first[kind].status_code == ACCEPTED[kind], ground.first[kind].text
    again = [ground.used[kind](node) for node in ground.nodes.all]
    assert [answer.status_code for answer in again] == [REFUSED[kind]] * 2
    if kind in SECOND_KILLS:
        assert not introspect(ground.city, ground.first[kind].json["access_token"])["active"], "the family died"


@pytest.mark.redis
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_used_while_redis_dies_is_used_once(ground: Ground, kind: str) -> None:
    """The first node loses Redis in the middle, or has none any more: the database alone decides."""
    mortal = ground.mortal
    if mortal is None:
        pytest.skip("no redis-server to start and kill")
    fresh, died = MAKERS[kind](ground.fapi), threading.Lock()

    def send(node: Node) -> Answer:
        if node.number == 0 and died.acquire(blocking=False):
            with contextlib.suppress(redis.RedisError):
                mortal.kill()
        return fresh(node)

    if kind == "refresh_token":
        assert fresh(ground.nodes[1]).status_code == ACCEPTED[kind]
        assert Counter(answer.status_code for answer in race(ground.nodes, send)) == {REFUSED[kind]: 50}
        return
    told = Counter(answer.status_code for answer in race(ground.nodes, send))
    assert told == {ACCEPTED[kind]: 1, REFUSED[kind]: 49}

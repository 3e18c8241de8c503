"""Keys change under load on two nodes, and no token is refused anywhere: by no node, and by no app with a cached JWKS.

What an operator must do for it is what is done here: a key is published (`flask keys new`) before it signs (`flask keys
rotate`). For apps that fetch the JWKS again when they meet an unfamiliar `kid` (OpenID Connect Core 1.0 section 10.1.1)
two seconds before is enough; for an app that keeps it for as long as Cache-Control says, it is that long before.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest

from keys.ring import Purpose
from tests.builders import migrate
from tests.databases import Databases
from tests.functional.nodes import Node, Nodes, running
from tests.identity import ISSUER, OFFLINE, City, Flow, basic, bearer, build_city, header_of, logged_in

KEPT_FOR = 300  # seconds: what the JWKS says of itself
SEEN_AFTER = 1.2  # a ring looks once a second whether it was changed
WALKERS = 4
ENOUGH = 20  # tokens issued, opened and verified


@dataclass
class Counts:
    """What came of it; `failures` must stay empty."""

    rotations: int = 0
    issued: int = 0
    opened: int = 0  # at the other node
    verified: int = 0  # by apps, from their copy of the JWKS
    fetched: int = 0
    kids: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    @property
    def least(self) -> int:
        return min(self.issued, self.opened, self.verified)


@dataclass
class App:
    """An app that verifies tokens by itself; where it is `strict`, it fetches keys again only when its copy is old."""

    nodes: Nodes
    strict: bool
    counts: Counts
    keys: dict[str, Any] = field(default_factory=dict)
    good_until: float = 0.0

    def verify(self, text: str) -> bool:
        kid = header_of(text)["kid"]
        if time.monotonic() > self.good_until or (kid not in self.keys and not self.strict):
            self.fetch()
        if kid not in self.keys:
            return False
        jwt.decode(text, self.keys[kid], algorithms=["ES256"], issuer=ISSUER, options={"verify_aud": False})
        return True

    def fetch(self) -> None:
        self.counts.fetched += 1
        answer = self.nodes[self.counts.fetched].send("GET", "/.well-known/jwks.json")
        kept = re.search(r"max-age=(\d+)", answer.headers["Cache-Control"])
        assert kept is not None
        assert int(kept[1]) == KEPT_FOR
        self.good_until = time.monotonic() + KEPT_FOR
        self.keys = {jwk["kid"]: jwt.PyJWK(jwk).key for jwk in answer.json["keys"]}


class Walker(threading.Thread):
    """Somebody who refreshes at one node and uses what he got at the other, again and again."""

    def __init__(self, city: City, nodes: Nodes, number: int, counts: Counts, done: threading.Event) -> None:
        super().__init__()
        self.nodes, self.number, self.counts, self.done = nodes, number, counts, done
        self.got = logged_in(city, Flow(scope=OFFLINE))
        self.first = self.got["access_token"]
        self.strict, self.ordinary = App(nodes, True, counts), App(nodes, False, counts)

    def run(self) -> None:
        turn = self.number
        while not self.done.is_set():
            turn += 1
            try:
                self.step(self.nodes[turn], self.nodes[turn + 1])
            except Exception as error:
                self.counts.failures.append(repr(error))
                return

    def step(self, one: Node, other: Node) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.got["refresh_token"]}
        answer = one.send("POST", "/oauth/token", form, basic("basic"))
        self.check("refresh", answer.status_code == 200)
        self.got = answer.json
        self.counts.issued += 1
        text = self.got["access_token"]
        self.counts.kids.add(header_of(text)["kid"])
        self.check("open", self.opens(other, text) and self.opens(one, text))
        self.counts.opened += 2
        self.check("strict app", self.strict.verify(text))
        self.check("app", self.ordinary.verify(text) and self.ordinary.verify(self.got["id_token"]))
        self.counts.verified += 3

    def opens(self, node: Node, text: str) -> bool:
        return node.send("GET", "/oauth/userinfo", headers=bearer(text)).status_code == 200

    def check(self, what: str, holds: bool) -> None:
        if not holds:
            self.counts.failures.append(what)


@contextmanager
def two_nodes(databases: Databases, folder: Path) -> Iterator[tuple[City, Nodes]]:
    url = databases.fresh(migrate)
    city = build_city(folder, url)
    with running(Nodes(city.house.settings, folder / "nodes", {}, {})) as nodes:
        yield city, nodes
    city.house.database.engine.dispose()
    databases.drop(url)


def rotate_under_load(city: City, nodes: Nodes, *, rotations: int, every: float) -> Counts:
    """Rotate so often, and until enough was done with what was signed."""
    ring, counts, done = city.house.keys, Counts(), threading.Event()

    def at(deed: Callable[..., str], purpose: Purpose) -> None:
        deed(purpose, now=datetime.now(UTC))

    most = 10 * rotations  # on a machine so slow that nothing is done meanwhile, nothing would ever end
    for _ in range(most + 2):  # what is published now is all that a strict app will know
        at(ring.new, Purpose.ACCESS_TOKEN)
    time.sleep(SEEN_AFTER)
    walkers = [Walker(city, nodes, number, counts, done) for number in range(WALKERS)]
    for walker in walkers:
        walker.start()
    while counts.rotations < rotations or (counts.rotations < most and counts.least < ENOUGH):
        at(ring.new, Purpose.ID_TOKEN)
        time.sleep(max(SEEN_AFTER, every))
        at(ring.rotate, Purpose.ID_TOKEN)
        at(ring.rotate, Purpose.ACCESS_TOKEN)
        counts.rotations += 1
    done.set()
    for walker in walkers:
        walker.join(timeout=120)
    for walker in walkers:
        walker.check("the first token", all(walker.opens(node, walker.first) for node in nodes.all))
    return counts


def test_no_token_is_refused_while_keys_change_every_other_second(databases: Databases, tmp_path: Path) -> None:
    with two_nodes(databases, tmp_path) as (city, nodes):
        counts = rotate_under_load(city, nodes, rotations=4, every=1.3)
    assert counts.failures == []
    assert counts.least >= ENOUGH
    assert len(counts.kids) >= 3


@pytest.mark.soak
def test_no_token_is_refused_while_keys_change_every_ten_seconds(databases: Databases, tmp_path: Path) -> None:
    with two_nodes(databases, tmp_path) as (city, nodes):
        counts = rotate_under_load(city, nodes, rotations=9, every=10)
    assert counts.failures == []
    assert len(counts.kids) >= 9
    print(counts)  # noqa: T201 - the figures, for `make soak ARGS=-s`

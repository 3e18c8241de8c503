"""Where does the time of one request go? `python -m benchmarks.profile FILE MEASURE [--sort tottime]`.

FILE is that of a demonstration city (`flask demo --json FILE`); its server may be stopped, its folder must be there.
`lookup` and `scan` (a verification as `python -m benchmarks lookups` sends it) take the FILE of a full city.
The requests go straight into the application, in this process: no server, no network.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import full_city, lookups
from benchmarks.application import exchange, open_application, send
from benchmarks.city import City
from benchmarks.flow import Browser
from benchmarks.request import get

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from benchmarks.request import Request

WARM = 50
READS = {"home": "/v1/", "jwks": "/.well-known/jwks.json", "discovery": "/.well-known/openid-configuration"}
AT_SIZE = ("lookup", "scan")
MEASURES = (*READS, *AT_SIZE, "token", "introspection", "flow", "verification", "issue")

Deed = Callable[[], object]


def main() -> None:
    """Print CPU milliseconds a request, then the profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="FILE of a demonstration city")
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--sort", default="tottime")
    parser.add_argument("--lines", type=int, default=45)
    parser.add_argument("--bare", action="store_true", help="no profile: for a tool that counts instructions")
    asked = parser.parse_args()
    members = json.loads(asked.file.read_text())
    app = open_application(members)
    deeds = _deeds(City(members), app, asked, 2 * asked.count + WARM)
    _do(deeds[:WARM])
    print(f"{asked.measure}: {_milliseconds(deeds[WARM : WARM + asked.count]):.3f} CPU ms each in process")
    if asked.bare:
        return
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    _do(deeds[WARM + asked.count :])
    profile.disable()
    pstats.Stats(profile).sort_stats(asked.sort).print_stats(asked.lines)


def _deeds(city: City, app: Flask, asked: argparse.Namespace, count: int) -> Sequence[Deed]:
    if asked.measure == "flow":
        site = city.site(app.extensions["ona"])
        return [lambda: Browser(site, partial(exchange, app)).log_in()] * count
    return [partial(send, app, request) for request in _requests(city, app, asked, count)]


def _requests(city: City, app: Flask, asked: argparse.Namespace, count: int) -> Sequence[Request]:
    measure: str = asked.measure

    def token(client: str, scope: str) -> str:
        return str(json.loads(send(app, city.token_request(client, scope)))["access_token"])

    if measure in READS:
        return [get(READS[measure])] * count
    if measure == "introspection":
        return [city.introspection_request("counter", token("counter", "verifications.create"))] * count
    if measure == "token":
        return [city.token_request("counter", "verifications.create")] * count
    if measure in AT_SIZE:
        told = json.loads(asked.file.with_name(full_city.DONE).read_text())
        clerk = lookups.clerk_of(city, app.extensions["ona"], told["asked"])
        ask = clerk.look_ups if measure == "lookup" else clerk.verifications
        return ask(token("counter", lookups.SCOPE), count)
    if measure == "verification":
        house = app.extensions["ona"]
        return city.verification_requests(house, token("counter", "verifications.create"), count)
    once = city.issue_requests(token("issuer", "licences.issue"))
    return (once * (1 + count // len(once)))[:count]


def _do(deeds: Sequence[Deed]) -> None:
    for deed in deeds:
        deed()


def _milliseconds(deeds: Sequence[Deed]) -> float:
    before = time.process_time()
    _do(deeds)
    return 1000 * (time.process_time() - before) / len(deeds)


if __name__ == "__main__":
    main()

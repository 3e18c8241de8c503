"""Where does the time of one request go? `python -m benchmarks.profile FILE MEASURE [--sort tottime]`.

FILE is that of a demonstration city (`flask demo --json FILE`); its server may be stopped, its folder must be there.
The requests go straight into the application, in this process: no server, no network.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.application import open_application, send
from benchmarks.city import City
from benchmarks.request import get

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from benchmarks.request import Request

MEASURES = ("home", "token", "verification", "issue")


def main() -> None:
    """Print CPU milliseconds a request, then the profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="FILE of a demonstration city")
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--sort", default="tottime")
    parser.add_argument("--lines", type=int, default=45)
    asked = parser.parse_args()
    members = json.loads(asked.file.read_text())
    app = open_application(members)
    requests = _requests(City(members), app, asked.measure, 2 * asked.count + 50)
    for request in requests[:50]:
        send(app, request)
    print(f"{asked.measure}: {_milliseconds(app, requests[50 : 50 + asked.count]):.3f} CPU ms a request in process")
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    for request in requests[50 + asked.count :]:
        send(app, request)
    profile.disable()
    pstats.Stats(profile).sort_stats(asked.sort).print_stats(asked.lines)


def _requests(city: City, app: Flask, measure: str, count: int) -> Sequence[Request]:
    def token(client: str, scope: str) -> str:
        return str(json.loads(send(app, city.token_request(client, scope)))["access_token"])

    if measure == "home":
        return [get("/v1/")] * count
    if measure == "token":
        return [city.token_request("counter", "verifications.create")] * count
    if measure == "verification":
        house = app.extensions["ona"]
        return city.verification_requests(house, token("counter", "verifications.create"), count)
    once = city.issue_requests(token("issuer", "licences.issue"))
    return (once * (1 + count // len(once)))[:count]


def _milliseconds(app: Flask, requests: Sequence[Request]) -> float:
    before = time.process_time()
    for request in requests:
        send(app, request)
    return 1000 * (time.process_time() - before) / len(requests)


if __name__ == "__main__":
    main()

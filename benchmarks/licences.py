"""The two deeds of every day: a licence is issued, sealed and signed; a shown code is verified at a counter.

The reference is bare Flask on the same server: not a peer, but a yardstick for the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import wrk
from benchmarks.request import get
from benchmarks.rounds import Cost, Figure, alternate, cost, median, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_MOST_PER_SECOND: Final = 1_000  # more verifications than two cores can do


def measure_verification(bench: Bench) -> dict[str, Figure]:
    """Return the CPU time of `POST /v1/verifications` with a fresh show code."""
    ours, city = bench.ours

    def verify() -> Cost:
        token = bench.token("counter", "verifications.create")
        requests = city.verification_requests(bench.house, token, _MOST_PER_SECOND * bench.seconds)
        return cost(ours, lambda: wrk.send(ours.url, requests, seconds=bench.seconds, expected='"ok":true', once=True))

    return {"verification_cpu": _figure(bench, verify, goal="ours <= 2")}


def measure_issue(bench: Bench) -> dict[str, Figure]:
    """Return the CPU time of `POST /v1/licences`: one sealed licence, no document rendered."""
    ours, city = bench.ours

    def issue() -> Cost:
        requests = city.issue_requests(bench.token("issuer", "licences.issue"))
        return cost(ours, lambda: wrk.send(ours.url, requests, seconds=bench.seconds, expected='"state":"valid"'))

    return {"issue_cpu": _figure(bench, issue, goal="ours <= 6")}


def _figure(bench: Bench, deed: Callable[[], Cost], *, goal: str) -> Figure:
    hello = bench.hello
    found = alternate(
        {"ours": deed, "hello": lambda: cost(hello, lambda: wrk.send(hello.url, [get("/")], seconds=bench.seconds))},
        bench.rounds,
    )
    spent = {name: [one.cpu_ms for one in costs] for name, costs in found.items()}
    return Figure(
        median(spent["ours"]),
        "CPU ms",
        reference=median(spent["hello"]),
        ratio_reference=ratio(spent["hello"], spent["ours"]),
        goal=goal,
    )

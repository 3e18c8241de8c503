"""The simplest endpoint of the API, `GET /v1/`, beside bare Flask on the same server: what our own layers cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import wrk
from benchmarks.request import get
from benchmarks.rounds import Figure, alternate, cost, median, ratio

if TYPE_CHECKING:
    from benchmarks.bench import Bench


def measure(bench: Bench) -> dict[str, Figure]:
    """Return requests a second and CPU time of a request."""
    ours, hello = bench.ours[0], bench.hello
    found = alternate(
        {
            "ours": lambda: cost(ours, lambda: wrk.send(ours.url, [get("/v1/")], seconds=bench.seconds)),
            "hello": lambda: cost(hello, lambda: wrk.send(hello.url, [get("/")], seconds=bench.seconds)),
        },
        bench.rounds,
    )
    rates = {name: [one.rate for one in costs] for name, costs in found.items()}
    spent = {name: [one.cpu_ms for one in costs] for name, costs in found.items()}
    return {
        "simplest_endpoint": Figure(
            median(rates["ours"]),
            "requests/s",
            reference=median(rates["hello"]),
            ratio_reference=ratio(rates["ours"], rates["hello"]),
            goal="ratio_reference >= 0.80",
        ),
        "simplest_endpoint_cpu": Figure(
            median(spent["ours"]),
            "CPU ms",
            reference=median(spent["hello"]),
            ratio_reference=ratio(spent["hello"], spent["ours"]),
        ),
    }

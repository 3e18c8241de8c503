"""Rounds: every target in turn, several times over; a figure is the median of its rounds.

The machine's speed drifts from minute to minute, so targets are compared round by round within one run, and CPU time is
trusted more than requests a second.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.servers import Server
    from benchmarks.wrk import Load


__all__ = ["Cost", "Figure", "alternate", "cost", "median", "ratio"]

_LONGEST_WAIT: Final = 20.0  # seconds
_IDLE: Final = 0.03  # CPU seconds a second


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of results.json. A ratio above 1 says that ours is the better one, whatever the unit.

    `goal` is what the project set itself, as text; the median of the ratios is taken over the rounds.
    """

    ours: float
    unit: str
    reference: float | None = None
    ratio_reference: float | None = None
    by_hand: float | None = None
    ratio_by_hand: float | None = None
    goal: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that are known."""
        members = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in members.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """What one load cost a server."""

    rate: float  # requests a second
    cpu_ms: float  # of a request
    p99_ms: float = 0.0  # the slowest in a hundred


def cost(server: Server, load: Callable[[], Load], *, settled: bool = False) -> Cost:
    """Run `load` against `server` and return what it cost, what the server put off until afterwards included.

    `settled` says that the server has been left alone since its last load was measured, so that nothing is left to do.
    """
    before = server.cpu_seconds() if settled else _settled(server)
    done = load()
    return Cost(done.rate, 1000 * (_settled(server) - before) / done.requests, done.p99_ms)


def _settled(server: Server) -> float:
    """Wait until the server has nothing left to do, audit rows to sequence for example; return its CPU seconds."""
    deadline, spent = time.monotonic() + _LONGEST_WAIT, server.cpu_seconds()
    while time.monotonic() < deadline:
        time.sleep(server.puts_off)
        before, spent = spent, server.cpu_seconds()
        if spent - before < _IDLE * server.puts_off:
            break
    return spent


def alternate(targets: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """Call every target once a round, in turn, and return the results of each; one round before is thrown away."""
    for target in targets.values():
        target()
    found: dict[str, list[Any]] = {name: [] for name in targets}
    for _ in range(rounds):
        for name, target in targets.items():
            found[name].append(target())
    return found


def ratio(better: list[float], worse: list[float]) -> float:
    """Return the median of the quotients round by round."""
    return statistics.median(a / b for a, b in zip(better, worse, strict=True))

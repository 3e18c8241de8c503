"""Memory of two workers after a hundred thousand tokens: what they hold that nobody else holds, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import process_memory, wrk
from benchmarks.process_memory import mebibytes
from benchmarks.rounds import Figure

if TYPE_CHECKING:
    from benchmarks.bench import Bench

TOKENS: Final = 100_000
_SECONDS: Final = 5  # of one load
_UNIT: Final = "MiB (PSS)"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return the memory of the processes that answer, of all below the supervisor, and of the supervisor itself.

    The supervisor has built the city, and puts the audit log in order meanwhile.
    """
    server, city = bench.ours
    request, sent = city.token_request("counter", "verifications.create"), 0
    while sent < TOKENS:
        sent += wrk.send(server.url, [request], seconds=_SECONDS, expected='"access_token"').requests
    below = process_memory.descendants(server.pid)
    workers = [pid for pid in below if not process_memory.children(pid)]
    return {
        "memory_workers": Figure(mebibytes(*workers), _UNIT, goal="ours <= 120"),
        "memory_all_that_serves": Figure(mebibytes(*below), _UNIT),
        "memory_supervisor": Figure(mebibytes(server.pid), _UNIT),
    }

"""How often a function can be called: in a CPU second of this thread, and in a second by several threads or processes.

What several processes do together is what so many cores give, whoever else is busy on them: the bar for threads.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 0.5


def rate(function: Callable[[], object]) -> float:
    """Return calls a CPU second, from half a second of them."""
    calls, started, spent = 0, time.thread_time(), 0.0
    while spent < _SECONDS:
        function()
        calls += 1
        spent = time.thread_time() - started
    return calls / spent


def rate_of_threads(function: Callable[[], object], threads: int) -> float:
    """Return calls a second by the clock on the wall, by so many threads at once."""
    calls = [0] * threads
    begin = threading.Barrier(threads + 1)

    def work(place: int) -> None:
        begin.wait()
        end = time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            function()
            calls[place] += 1

    workers = [threading.Thread(target=work, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    begin.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    return sum(calls) / (time.perf_counter() - started)


def rate_of_processes(function: Callable[[], object], processes: int) -> float:
    """Return calls a second by the clock on the wall, by so many processes at once, copies of this one."""
    context = multiprocessing.get_context("fork")
    begin, rates = context.Barrier(processes), context.SimpleQueue()

    def work() -> None:
        begin.wait()
        calls, started = 0, time.perf_counter()
        while time.perf_counter() < started + _SECONDS:
            function()
            calls += 1
        rates.put(calls / (time.perf_counter() - started))

    workers = [context.Process(target=work) for _ in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return float(sum(rates.get() for _ in workers))

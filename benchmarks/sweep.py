"""Are requests slowed down while expired rows are swept away? The slowest in a hundred, with and without a sweep.

A hundred thousand rows have expired. They are swept from another process than those that answer, as in service.
"""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from benchmarks import wrk
from benchmarks.rounds import Figure, median, ratio
from idservice import expiry
from idservice.models import UsedIdentifier

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from benchmarks.bench import Bench
    from benchmarks.wrk import Load

ROWS: Final = 100_000
ROUNDS: Final = 3  # each fills a table with so many rows
_AT_ONCE: Final = 10_000


def measure(bench: Bench) -> dict[str, Figure]:
    """Return the 99th percentile of token requests beside a sweep, and (as reference) without one."""
    server, city = bench.ours
    request = city.token_request("counter", "verifications.create")
    took: list[float] = []

    def load() -> Load:
        return wrk.send(server.url, [request], seconds=bench.seconds, expected='"access_token"')

    def beside_a_sweep() -> Load:
        _fill(bench)
        sweeper = threading.Thread(target=_sweep, args=(bench, took))
        sweeper.start()
        done = load()
        sweeper.join()
        return done

    load()
    pairs = [(beside_a_sweep().p99_ms, load().p99_ms) for _ in range(ROUNDS)]
    swept, left = (list(each) for each in zip(*pairs, strict=True))
    return {
        "sweep_p99": Figure(median(swept), "ms, token", reference=median(left), ratio_reference=ratio(left, swept)),
        "sweep_seconds": Figure(median(took), f"s, {ROWS} rows"),
    }


def _fill(bench: Bench) -> None:
    expired = datetime.now(UTC) - timedelta(days=2)

    def add(session: Session) -> None:
        rows = [{"value_hash": secrets.token_bytes(32), "expires_at": expired} for _ in range(_AT_ONCE)]
        session.execute(insert(UsedIdentifier), rows)

    for _ in range(ROWS // _AT_ONCE):
        bench.house.database.run(add, write=True)


def _sweep(bench: Bench, took: list[float]) -> None:
    begin, swept = time.perf_counter(), 0
    while swept < ROWS:
        swept += expiry.sweep(bench.house, datetime.now(UTC))
    took.append(time.perf_counter() - begin)

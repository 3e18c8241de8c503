"""Counters for operators (Prometheus). Labels are route names and status codes, never anything a caller typed."""

from __future__ import annotations

import hmac
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from idservice import operations
from idservice.errors import Problem
from idservice.http.current import asked, kept
from idservice.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from prometheus_client import Metric

    from idservice.call import House
    from idservice.http.application import Application
    from idservice.settings import Settings

REQUESTS = Counter("ona_requests", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "ona_request_seconds", "Time to answer", ["route"], buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
)


class Waiting(Collector):
    """For how long work beside requests has waited: asked of the database at each look, counted by no process."""

    NAME: Final = "ona_waiting_seconds"

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        """Return one gauge; while the database cannot be asked it is missing."""
        gauge = GaugeMetricFamily(self.NAME, "For how long what is due has waited", labels=["work"])
        with suppress(SQLAlchemyError):
            for work, seconds in operations.waiting(self._house).items():
                gauge.add_metric([work], seconds)
        yield gauge


def install(app: Application, settings: Settings) -> None:
    """Count every request of `app`, prepared answers too; serve `/metrics` to loopback or who has the metrics token."""
    counters: dict[tuple[str, str, int], Any] = {}
    histograms: dict[str, Any] = {}

    @app.before_request
    def start() -> None:
        kept().started = time.perf_counter()

    def tally(route: str, method: str, status: int, seconds: float | None) -> None:
        key = (route, method, status)
        counter = counters.get(key)
        if counter is None:
            counter = counters[key] = REQUESTS.labels(*key)
        counter.inc()
        histogram = histograms.get(route)
        if histogram is None:
            histogram = histograms[route] = SECONDS.labels(route)
        if seconds is not None:
            histogram.observe(seconds)

    @app.after_request
    def count(response: Response) -> Response:
        request = asked()
        route = request.endpoint or "unmatched"
        started = kept().get("started")
        seconds = time.perf_counter() - started if started is not None else None
        tally(route, request.method if route != "unmatched" else "-", response.status_code, seconds)
        return response

    app.shelf.count = tally

    @app.get("/metrics")
    def metrics() -> Response:
        _refuse_strangers(settings)
        beside = CollectorRegistry()
        beside.register(Waiting(app.extensions["ona"]))
        return Response(_exposition() + generate_latest(beside), content_type=CONTENT_TYPE_LATEST)


def _refuse_strangers(settings: Settings) -> None:
    if settings.metrics_token:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {settings.metrics_token}".encode()):
            raise Problem("unauthenticated", "The metrics need the metrics token.")
    elif not is_loopback(request.remote_addr) or (settings.proxy_hops == 0 and "X-Forwarded-For" in request.headers):
        raise Problem("forbidden", "Without ONA_METRICS_TOKEN the metrics are for this machine only.")


def _exposition() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest()

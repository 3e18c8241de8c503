"""Counters for operators (Prometheus). Labels are route names and status codes, never anything a caller typed."""

from __future__ import annotations

import hmac
import os
import time
from typing import TYPE_CHECKING

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

from idservice.errors import Problem
from idservice.http.current import asked, kept
from idservice.settings import is_loopback

if TYPE_CHECKING:
    from typing import Any

    from idservice.http.application import Application
    from idservice.settings import Settings

REQUESTS = Counter("ona_requests", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "ona_request_seconds", "Time to answer", ["route"], buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
)


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
        return Response(_exposition(), content_type=CONTENT_TYPE_LATEST)


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

"""Rate limits by caller, over the `limits` library: in Redis where one is configured, else in this process.

A limit slows callers down; it is not what keeps an account safe (that is a row in the database). So a Redis that does
not answer makes the limiter count locally and never opens or closes a door.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from idservice.errors import Problem
from idservice.settings import is_loopback

if TYPE_CHECKING:
    from idservice.settings import Settings

log = structlog.get_logger(__name__)

ANSWERS_WITHIN = 0.5  # seconds; slower than that, Redis counts as down
ASKED_AGAIN_AFTER = 2.0  # seconds; not every request may wait for a Redis that is down


class Limiter:
    """One place that says "too many"."""

    def __init__(self, settings: Settings) -> None:
        self._unthrottled_loopback = settings.unthrottled_loopback
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if settings.redis_url:
            from redis.backoff import NoBackoff
            from redis.retry import Retry

            storage = storage_from_string(
                settings.redis_url,
                wrap_exceptions=True,
                socket_timeout=ANSWERS_WITHIN,
                socket_connect_timeout=ANSWERS_WITHIN,
                retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # the default sleeps for seconds
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self._ask_again_at = 0.0
        self._items: dict[str, RateLimitItem] = {}

    def check(self, limit: str, *, what: str, who: str, address: str | None) -> None:
        """Count one use of `what` by `who`.

        Args:
            limit: for example "60/minute".
            what: the endpoint or deed that is limited.
            who: the client, subject hash or address that is counted.
            address: the caller's network address; loopback may be exempt in load tests.

        Raises:
            Problem: too_many_requests, with Retry-After in seconds.
        """
        if self._unthrottled_loopback and is_loopback(address):
            return
        item = self._items.get(limit) or self._items.setdefault(limit, parse(limit))
        if not self._hit(item, what, who):
            seconds = max(1, item.get_expiry() // max(1, item.amount))
            raise Problem(
                "too_many_requests", f"At most {limit}: wait and try again.", headers={"Retry-After": str(seconds)}
            )

    def _hit(self, item: RateLimitItem, what: str, who: str) -> bool:
        if self._shared is not None and time.monotonic() >= self._ask_again_at:
            try:
                return self._shared.hit(item, what, who)
            except StorageError:
                self._ask_again_at = time.monotonic() + ASKED_AGAIN_AFTER
                log.warning("limits.redis_down", what=what)
        return self._local.hit(item, what, who)

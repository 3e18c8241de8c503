"""Replay protection (防重放): an identifier of somebody else's making counts once (RFC 7519 section 4.1.7: `jti`).

The row in the database is the truth. Where there is a Redis it is asked first, so that a flood of replays does not
reach the database; all it can do is refuse. A Redis that is down, was flushed or lies never lets a replay through.
`idservice.expiry` deletes the rows whose time is over.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from idservice.db import add_if_new
from idservice.models import UsedIdentifier

if TYPE_CHECKING:
    import redis

    from idservice.call import House

log = structlog.get_logger(__name__)

KEPT_AFTER = timedelta(minutes=5)  # by how much the clocks of our own machines may differ
ANSWERS_WITHIN = 0.5  # seconds; slower than that, the database is asked


def first_use(house: House, kind: str, value: str, *, expires_at: datetime, now: datetime) -> bool:
    """Return whether this is the first use of `value`, and remember it until `expires_at`.

    It has a transaction of its own and is committed when it returns: an identifier stays used whatever becomes of the
    request that brought it. Call it outside any other transaction (SQLite has one writer).

    Args:
        house: the house.
        kind: what the identifier is, a constant without NUL, such as "client_assertion".
        value: the identifier, with all that it is unique within (the client, for example).
        expires_at: when whatever carried the identifier is refused for its age.
        now: this instant.
    """
    digest = hashlib.sha256(f"{kind}\0{value}".encode()).digest()
    if house.settings.redis_url is not None and _seen(house.settings.redis_url, digest, expires_at - now):
        return False
    row = {"value_hash": digest, "expires_at": expires_at}
    return house.database.run(lambda session: add_if_new(session, UsedIdentifier, row), write=True)


def _seen(url: str, digest: bytes, left: timedelta) -> bool:
    """Mark the identifier in Redis; return whether it was marked before. False where Redis does not answer."""
    import redis  # here and below: who has no Redis does without its library

    seconds = max(1, math.ceil((left + KEPT_AFTER).total_seconds()))
    try:
        return _redis(url).set(f"ona:used:{digest.hex()}", b"1", nx=True, ex=seconds) is None
    except redis.RedisError:
        log.warning("replay.redis_down")
        return False


@lru_cache(maxsize=8)
def _redis(url: str) -> redis.Redis:
    """Return this process's client. It repeats no command: a mark whose answer was lost would look like a replay."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url,
        socket_timeout=ANSWERS_WITHIN,
        socket_connect_timeout=ANSWERS_WITHIN,
        retry=Retry(NoBackoff(), 0),
    )

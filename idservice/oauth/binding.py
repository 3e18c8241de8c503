"""The rotating code (动态校验码) on the screen where a login was started: who approves must have it before his eyes.

A request that somebody else started elsewhere, in the hope of a hasty yes, cannot be approved without it. A new one
every 15 seconds, computed from the request and the time; nothing is stored.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

SECONDS = 15
DIGITS = 6
KEPT = 3  # the present one and two before: a person needs time to read and type
MAX_WRONG = 5


def code(secret: bytes, request_hash: bytes, now: datetime, *, ago: int = 0) -> str:
    """Return the code of a request at an instant, or `ago` codes before."""
    turn = int(now.timestamp()) // SECONDS - ago
    mac = hmac.digest(secret, b"ciba-binding|" + request_hash + turn.to_bytes(8, "big"), "sha256")
    return f"{int.from_bytes(mac[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


def seconds_left(now: datetime) -> int:
    """Return for how long the present code is the newest."""
    return SECONDS - int(now.timestamp()) % SECONDS


def holds(secrets: Iterable[bytes], request_hash: bytes, now: datetime, given: str) -> bool:
    """Return whether `given` is the code now or was a moment ago, by any live secret; every comparison is made."""
    entered = "".join(given.split())[: DIGITS + 1].encode("utf-8", "replace")
    codes = [code(secret, request_hash, now, ago=ago).encode() for secret in secrets for ago in range(KEPT)]
    found = [hmac.compare_digest(known, entered) for known in codes]
    return any(found)

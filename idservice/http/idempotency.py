"""Idempotency-Key: a retried request gets the first answer again and causes no second deed.

The stored answer is written in the deed's own transaction. Keys belong to one caller; the answer is kept encrypted,
because it may show what the caller was allowed to see.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from idservice.errors import Problem
from idservice.models import IdempotentRequest

if TYPE_CHECKING:
    from idservice.call import Call

MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Key:
    """One keyed request: which caller and key, and what was asked."""

    key_hash: bytes
    request_hash: bytes

    @property
    def lock(self) -> int:
        """Return the number of the advisory lock that says "still running"."""
        return int.from_bytes(self.key_hash[:8], "big", signed=True)


def key_of(value: str, *, caller: str, method: str, path: str, body: bytes) -> Key:
    """Return the key of a request.

    Raises:
        Problem: invalid, if the header is empty, longer than 255 characters or not printable ASCII.
    """
    if not 0 < len(value) <= MAX_LENGTH or not value.isascii() or not value.isprintable():
        raise Problem("invalid", "Idempotency-Key must be 1 to 255 printable ASCII characters.")
    asked = hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest()
    return Key(hashlib.sha256(f"{caller}\0{value}".encode()).digest(), asked)


def replay(call: Call, key: Key) -> tuple[int, bytes] | None:
    """Return the stored status and body of `key`, or None if this is the first request with it.

    Raises:
        Problem: request_running while another transaction works on the same key; key_reused for another request.
    """
    if not call.house.database.try_lock(call.session, key.lock):
        raise Problem("request_running", "Wait and repeat the request with the same key.", headers={"Retry-After": "1"})
    row = call.session.execute(
        select(IdempotentRequest.request_hash, IdempotentRequest.status, IdempotentRequest.body_sealed).where(
            IdempotentRequest.key_hash == key.key_hash
        )
    ).one_or_none()
    if row is None:
        return None
    if not hmac.compare_digest(row.request_hash, key.request_hash):
        raise Problem("key_reused", "Use a new Idempotency-Key for a new request.")
    body = call.cipher.open(row.body_sealed, table="idempotent_request", column="body_sealed", row=key.key_hash.hex())
    return row.status, body


def remember(call: Call, key: Key, status: int, body: bytes) -> None:
    """Store the answer to `key` in the call's transaction."""
    sealed = call.cipher.seal(body, table="idempotent_request", column="body_sealed", row=key.key_hash.hex())
    call.session.execute(
        insert(IdempotentRequest),
        {
            "key_hash": key.key_hash,
            "request_hash": key.request_hash,
            "status": status,
            "body_sealed": sealed,
            "created_at": call.now,
        },
    )

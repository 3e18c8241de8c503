"""Challenges for proofs of possession (c_nonce, 挑战值): OpenID4VCI 1.0 section 7.

Anybody may ask for one, so none is kept: it says itself until when it is good, under a secret of ours. That it was used
is what is remembered.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from idservice import replay
from keys.base64url import b64u, unb64u
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import House

LIFE: Final = timedelta(minutes=5)
_RANDOM, _TIME, _MAC = 16, 5, 16  # bytes
_LENGTH: Final = 50  # characters


def make(house: House, now: datetime) -> str:
    """Return a fresh nonce."""
    body = secrets.token_bytes(_RANDOM) + int((now + LIFE).timestamp()).to_bytes(_TIME, "big")
    return b64u(body + _mac(house.keys.secret(Purpose.SESSION), body))


def expiry_of(house: House, nonce: object, now: datetime) -> datetime | None:
    """Return until when a nonce is good; None where it is none of ours, or its time is over."""
    if not isinstance(nonce, str) or len(nonce) != _LENGTH:
        return None
    try:
        data = unb64u(nonce)
    except ValueError:
        return None
    body, mac = data[:-_MAC], data[-_MAC:]
    live = house.keys.secrets(Purpose.SESSION).values()  # it may have been made before a rotation
    if not any(hmac.compare_digest(mac, _mac(secret, body)) for secret in live):
        return None
    ends = datetime.fromtimestamp(int.from_bytes(body[_RANDOM:], "big"), UTC)
    return ends if now < ends else None


def use(house: House, nonce: str, now: datetime) -> bool:
    """Use a nonce up; return whether this was its first use, in time. Call it outside any transaction."""
    ends = expiry_of(house, nonce, now)
    return ends is not None and replay.first_use(house, "c_nonce", nonce, expires_at=ends, now=now)


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, b"c_nonce|" + body, "sha256")[:_MAC]

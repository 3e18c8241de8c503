"""Identifiers of the service's own making: they carry no meaning and need no sequence that databases would share."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime


def random_id() -> str:
    """Return 128 random bits as 32 hexadecimal characters."""
    return secrets.token_hex(16)


def timed_id(now: datetime) -> str:
    """Return 32 hexadecimal characters that sort by time: 48 bits of milliseconds, then 80 random bits."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def secret_hash(secret: str) -> bytes:
    """Return the SHA-256 under which a random secret of ours is stored; it has too much entropy to be guessed."""
    return hashlib.sha256(secret.encode()).digest()

"""Pairwise subjects (成对标识): each app knows a person by another name, OpenID Connect Core 1.0 section 8.1."""

from __future__ import annotations

import hashlib
import hmac

from keys.base64url import b64u


def pairwise(secret: bytes, sector: str, subject: str) -> str:
    """Return the 43 characters by which the clients of `sector` know `subject`; only `secret` can join them."""
    return b64u(hmac.digest(secret, f"{sector}|{subject}".encode(), hashlib.sha256))

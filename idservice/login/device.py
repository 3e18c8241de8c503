"""Known devices (常用设备): a browser that logged this person in before still can while others lock him.

The cookie names nobody: it is a random value with a MAC that only fits one person and one password. It replaces no
password and opens no session; it only moves the holder out of the queue that an attacker has filled.
"""

from __future__ import annotations

import hmac
import re
import secrets as random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

COOKIE = "__Host-ona-device"
NO_PASSWORD = datetime(1970, 1, 1, tzinfo=UTC)  # stands for when it was changed, of who has none
KNOWN, PROVED = "known-device", "proved-device"
SECONDS = 400 * 24 * 3600  # what browsers keep at most

_FORM = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})\Z")


def new(secret: bytes, subject: str, password_changed_at: datetime, *, kind: str = KNOWN) -> str:
    """Return a cookie value for the browser in which `subject` has just logged in, or PROVED a second factor."""
    name = random.token_hex(16)
    return f"{name}.{_mac(secret, kind, name, subject, password_changed_at)}"


def name_of(secrets: Iterable[bytes], cookie: str | None, subject: str, password_changed_at: datetime) -> str | None:
    """Return the device's random name if the cookie fits this person and his present password; else None."""
    kind = kind_of(secrets, cookie, subject, password_changed_at)
    return (cookie or "").partition(".")[0] if kind is not None else None


def kind_of(secrets: Iterable[bytes], cookie: str | None, subject: str, password_changed_at: datetime) -> str | None:
    """Return KNOWN or PROVED if the cookie fits this person and his present password; else None.

    It may be made with any of `secrets`: a device stays known while its key is turned.
    """
    match = _FORM.match(cookie or "")
    if match is None:
        return None
    tried = [(kind, secret) for kind in (KNOWN, PROVED) for secret in secrets]
    macs = [(kind, _mac(secret, kind, match[1], subject, password_changed_at)) for kind, secret in tried]
    return next((kind for kind, mac in macs if hmac.compare_digest(match[2], mac)), None)


def give_cookie(response: Response, value: str) -> Response:
    """Set the device cookie on a response."""
    response.set_cookie(COOKIE, value, max_age=SECONDS, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def _mac(secret: bytes, kind: str, name: str, subject: str, password_changed_at: datetime) -> str:
    covered = f"{kind}|{name}|{subject}|{password_changed_at.timestamp():.6f}"
    return hmac.digest(secret, covered.encode(), "sha256").hex()

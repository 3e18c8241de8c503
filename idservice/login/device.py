"""Known devices (常用设备): a browser that logged this person in before still can while others lock him.

The cookie names nobody: each entry is a random value with a MAC that only fits one person and one password. It replaces
no password and opens no session; it only moves the holder out of the queue that an attacker has filled. People who
share a browser have an entry each, which keeps its random name: what is counted by it is not forgotten at a new login.
"""

from __future__ import annotations

import hmac
import re
import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from flask import Response

COOKIE = "__Host-ona-device"
NO_PASSWORD = datetime(1970, 1, 1, tzinfo=UTC)  # stands for when it was changed, of who has none
KINDS = KNOWN, PROVED = "known-device", "proved-device"
SECONDS = 400 * 24 * 3600  # what browsers keep at most
MOST = 4  # entries in one cookie, the newest first

_BETWEEN = "~"
_FORM = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which somebody has logged in, or PROVED a second factor: its random name, and which of both."""

    name: str
    kind: str


def new(
    secret: bytes, subject: str, password_changed_at: datetime, *, kind: str = KNOWN, name: str | None = None
) -> str:
    """Return the entry for the browser in which `subject` has just logged in, or PROVED a second factor.

    `name` is that of the device where it is known already.
    """
    name = name or random.token_hex(16)
    return f"{name}.{_mac(secret, kind, name, subject, password_changed_at)}"


def find(secrets: Iterable[bytes], cookie: str | None, subject: str, password_changed_at: datetime) -> Device | None:
    """Return the device if an entry of the cookie fits this person and his present password; else None.

    It may be made with any of `secrets`: a device stays known while its key is turned.
    """
    tried = list(product(_entries(cookie), KINDS, secrets))
    fits = [
        (name, kind)
        for (name, given), kind, secret in tried
        if hmac.compare_digest(given, _mac(secret, kind, name, subject, password_changed_at))
    ]
    return Device(*fits[0]) if fits else None


def added(cookie: str | None, entry: str) -> str:
    """Return the cookie value with one more entry, in the place of one of the same device; the oldest goes."""
    name = entry.partition(".")[0]
    others = [f"{other}.{mac}" for other, mac in _entries(cookie) if other != name]
    return _BETWEEN.join([entry, *others][:MOST])


def give_cookie(response: Response, entry: str) -> Response:
    """Set the device cookie on a response, with what the browser's holds of others."""
    value = added(request.cookies.get(COOKIE), entry)
    response.set_cookie(COOKIE, value, max_age=SECONDS, secure=True, httponly=True, samesite="Lax", path="/")
    return response


def _entries(cookie: str | None) -> list[tuple[str, str]]:
    matches = map(_FORM.match, (cookie or "").split(_BETWEEN, MOST)[:MOST])
    return [(match[1], match[2]) for match in matches if match is not None]


def _mac(secret: bytes, kind: str, name: str, subject: str, password_changed_at: datetime) -> str:
    covered = f"{kind}|{name}|{subject}|{password_changed_at.timestamp():.6f}"
    return hmac.digest(secret, covered.encode(), "sha256").hex()

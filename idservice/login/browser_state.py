"""The browser state (浏览器状态): OpenID Connect Session Management 1.0 section 3.2.

A value that changes when the session does, and tells nothing else. The page that apps hold in a frame reads it by
script, so its cookie is open to scripts and to frames; whoever steals it has nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from keys.base64url import b64u

if TYPE_CHECKING:
    from flask import Response

COOKIE = "ona-browser-state"


def of_session(id_hash: bytes) -> str:
    """Return the state of a browser in which this session lives."""
    return b64u(hashlib.sha256(b"browser-state|" + id_hash).digest())


def session_state(client_id: str, redirect_uri: str, id_hash: bytes) -> str | None:
    """Return `session_state` of an authorization response; None for an app that is no web page and so has no origin."""
    url = urlsplit(redirect_uri)
    if url.scheme not in {"http", "https"}:
        return None
    salt = secrets.token_urlsafe(9)
    text = f"{client_id} {url.scheme}://{url.netloc} {of_session(id_hash)} {salt}"
    return f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"


def give_cookie(response: Response, id_hash: bytes) -> None:
    """Set the state cookie beside the session cookie."""
    response.set_cookie(COOKIE, of_session(id_hash), secure=True, httponly=False, samesite="None", path="/")


def take_cookie(response: Response) -> None:
    """Remove it."""
    response.delete_cookie(COOKIE, secure=True, httponly=False, samesite="None", path="/")

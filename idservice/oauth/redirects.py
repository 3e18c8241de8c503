"""Redirect URIs (回调地址): which may be registered, and when a requested one is a registered one.

RFC 9700 section 4.1.3: compared as exact strings. The one exception is RFC 8252 section 7.3: a native app listens on a
loopback address on whatever port it was given. No URL is ever parsed and put together again for the comparison.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2048

_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+\Z")  # RFC 3986, without fragment and wildcard
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?(/.*)?\Z")
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^/]")  # RFC 8252 section 7.1: a reversed domain name


class UnsafeRedirect(ValueError):
    """The URI may not be registered: it could lead an answer to somebody else."""


def check(uri: str, *, native: bool, loopback: bool) -> str:
    """Return `uri` if it may be registered.

    Args:
        uri: the redirect or post-logout redirect URI.
        native: whether the app is a public client on a person's own device.
        loopback: whether plain http to this machine is allowed for every client (first look on one machine).

    Raises:
        UnsafeRedirect: not absolute, not https, or shaped so that two readers could see two hosts in it.
    """
    if not 0 < len(uri) <= MAX_LENGTH or not _ALLOWED.match(uri):
        raise UnsafeRedirect("a redirect URI is an absolute URI without fragment, wildcard, space or backslash")
    if native and _PRIVATE_USE.match(uri):
        return uri
    if (native or loopback) and _LOOPBACK.match(uri):
        return uri
    try:
        url = urlsplit(uri)
        port_is_sound = url.port is None or url.port > 0
    except ValueError:
        raise UnsafeRedirect("the authority of the redirect URI is malformed") from None
    if not uri.startswith("https://") or not url.hostname or "@" in url.netloc or not port_is_sound:
        raise UnsafeRedirect("a redirect URI is https and names a host without user information")
    if url.hostname != url.hostname.lower() or ".." in url.path.split("/"):
        raise UnsafeRedirect("a redirect URI has a plain path")
    return uri


def matches(registered: tuple[str, ...], requested: str, *, native: bool) -> bool:
    """Return whether `requested` is one of the registered URIs."""
    if requested in registered:
        return True
    if not native:
        return False
    asked = _LOOPBACK.match(requested)
    if asked is None or not _ALLOWED.match(requested) or len(requested) > MAX_LENGTH:
        return False
    return any(
        (known := _LOOPBACK.match(uri)) is not None and (known[1], known[3]) == (asked[1], asked[3])
        for uri in registered
    )

"""Requests that this service sends to addresses others have named (对外请求): notifications, logout tokens, metadata.

OWASP's rules against server-side request forgery, as one door: https, a public address, no redirect, bounded in size
and time. The name is resolved once and that very address is connected to, so that a name that changes its answer
between look and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from idservice.settings import is_loopback
from keys.strict_json import StrictJSONError, strict_json

MAX_URL = 2048
MAX_BYTES = 65_536
SECONDS = 5.0

_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+\Z")  # RFC 3986, without fragment, space and backslash
# Addresses that stand for another one: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
_DISGUISES = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class OutboundRefused(Exception):
    """The request was not sent, or not answered as it must be.

    `code` is one of: `url`, `address`, `unreachable`, `timeout`, `too_large`, `unreadable`, `status`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. A redirect is an answer like any other: it is never followed."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    secure: bool
    host: str
    port: int
    path: str


def check_url(url: str, *, loopback: bool = False) -> str:
    """Return `url` if such a URL may be asked at all; what its name leads to is judged at each request.

    Args:
        url: an absolute URL.
        loopback: whether this machine itself, plain http included, may be asked (first look on one machine).

    Raises:
        OutboundRefused: url.
    """
    _target(url, loopback=loopback)
    return url


def post(
    url: str,
    *,
    body: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    loopback: bool = False,
    max_bytes: int = MAX_BYTES,
    seconds: float = SECONDS,
) -> Answer:
    """Post a JSON body, bytes as they are, or a form, and return the answer, whatever its status.

    Raises:
        OutboundRefused: url, address, unreachable, timeout or too_large.
    """
    if isinstance(body, bytes):
        data, media_type = body, "application/octet-stream"
    elif form is not None:
        data, media_type = urlencode(form).encode(), "application/x-www-form-urlencoded"
    else:
        data, media_type = json.dumps(body, ensure_ascii=False).encode(), "application/json"
    sent = {"Content-Type": media_type, **(headers or {})}
    return _exchange("POST", url, data, sent, loopback=loopback, max_bytes=max_bytes, seconds=seconds)


def get_json(url: str, *, loopback: bool = False, max_bytes: int = MAX_BYTES, seconds: float = SECONDS) -> Any:
    """Return the JSON document at `url`.

    Raises:
        OutboundRefused: as `post`; status for anything but 200, unreadable for anything but strict JSON.
    """
    headers = {"Accept": "application/json"}
    answer = _exchange("GET", url, None, headers, loopback=loopback, max_bytes=max_bytes, seconds=seconds)
    if answer.status != 200:
        raise OutboundRefused("status")
    if answer.media_type != "application/json" and not answer.media_type.endswith("+json"):
        raise OutboundRefused("unreadable")
    try:
        return strict_json(answer.body, max_bytes=max_bytes)
    except StrictJSONError:
        raise OutboundRefused("unreadable") from None


def is_public(address: str) -> bool:
    """Return whether an IP address is somebody's on the public internet, whatever form it hides in."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.is_site_local or any(ip in net for net in _DISGUISES):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _target(url: str, *, loopback: bool) -> _Target:
    if not 0 < len(url) <= MAX_URL or not _PLAIN.match(url):
        raise OutboundRefused("url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise OutboundRefused("url") from None
    secure = parts.scheme == "https"
    is_allowed = secure or (parts.scheme == "http" and loopback and is_loopback(host))
    if not host or not is_allowed or "@" in parts.netloc or port == 0:
        raise OutboundRefused("url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(secure, host, port or (443 if secure else 80), path)


def _exchange(
    method: str,
    url: str,
    data: bytes | None,
    headers: Mapping[str, str],
    *,
    loopback: bool,
    max_bytes: int,
    seconds: float,
) -> Answer:
    target = _target(url, loopback=loopback)
    deadline = time.monotonic() + seconds
    addresses = _resolve(target.host, target.port, deadline)
    is_ours = loopback and is_loopback(target.host)
    if not addresses or not all(is_loopback(a) if is_ours else is_public(a) for a in addresses):
        raise OutboundRefused("address" if addresses else "unreachable")
    connection = _Connection(target, addresses[0], deadline)
    try:
        connection.request(method, target.path, data, {"User-Agent": "one-number-access", **headers})
        response = connection.getresponse()
        body = response.read(max_bytes + 1)
    except TimeoutError:
        raise OutboundRefused("timeout") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise OutboundRefused("unreachable") from None
    finally:
        connection.end()
    if len(body) > max_bytes:
        raise OutboundRefused("too_large")
    return Answer(response.status, response.headers.get_content_type(), body)


def _resolve(host: str, port: int, deadline: float) -> list[str]:
    """Return every address of a name; the system's resolver knows no deadline, so it is asked on its own thread."""
    found: list[str] = []

    def ask() -> None:
        try:
            found.extend(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_left(deadline))
    if asking.is_alive():
        raise OutboundRefused("timeout")
    return list(dict.fromkeys(found))


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


class _Connection(http.client.HTTPConnection):
    """A connection to one address already judged, in the name of the host; no proxy, no second try."""

    def __init__(self, target: _Target, address: str, deadline: float) -> None:
        super().__init__(target.host, target.port)
        self._target, self._address, self._deadline = target, address, deadline
        self._raw: socket.socket | None = None
        self.default_port = 443 if target.secure else 80  # so that the Host header names a port only where it must

    def connect(self) -> None:
        left = _left(self._deadline)
        self._raw = socket.create_connection((self._address, self._target.port), left)
        if self._target.secure:
            self._raw.settimeout(_left(self._deadline))
            self._raw = _tls().wrap_socket(self._raw, server_hostname=self._target.host)
        self.sock = _Timed(self._raw, self._deadline)

    def end(self) -> None:
        if self._raw is not None:
            self._raw.close()


class _Timed:
    """A socket whose every wait ends at one deadline: a server that sends a byte a second gains no second."""

    def __init__(self, raw: socket.socket, deadline: float) -> None:
        self._raw, self._deadline = raw, deadline

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(_left(self._deadline))
        self._raw.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._raw, self._deadline))

    def close(self) -> None:
        """Wait for `_Connection.end`: http.client lets go of its socket before it has read the body."""


class _Reading(io.RawIOBase):
    def __init__(self, raw: socket.socket, deadline: float) -> None:
        super().__init__()
        self._raw, self._deadline = raw, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._raw.settimeout(_left(self._deadline))
        return self._raw.recv_into(buffer)

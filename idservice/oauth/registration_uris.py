"""URIs that a stranger's registration may hold: RFC 7591 section 5 and CVE-2026-9086, CVE-2026-1180 and their like.

What is fetched later is judged again, by its addresses, at each fetch (`outbound`); here nothing is resolved. Pure.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from idservice import outbound
from idservice.settings import is_loopback

_NOT_PUBLIC = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".onion", ".test", ".invalid")


def is_public(uri: str) -> bool:
    """Return whether `uri` is https and names a host that can be somebody's on the public internet."""
    try:
        outbound.check_url(uri)
    except outbound.OutboundRefused:
        return False
    host = (urlsplit(uri).hostname or "").rstrip(".")
    try:
        ip_address(host)
    except ValueError:
        # A name; the numbers that browsers read as addresses (0x7f.1, 2130706433) end in a label of digits.
        label = host.rpartition(".")[2]
        return "." in host and not f".{host}".endswith(_NOT_PUBLIC) and not label.startswith(tuple("0123456789"))
    return outbound.is_public(host)


def may_be_told(uri: str, *, loopback: bool) -> bool:
    """Return whether a logout may be told there: as above, or to this machine in a first look."""
    if loopback and uri.startswith("http://") and is_loopback(urlsplit(uri).hostname):
        return True
    return is_public(uri)

"""Network addresses as they are shown to people: where from, roughly."""

from __future__ import annotations

import ipaddress


def mask_address(text: str | None) -> str | None:
    """Return an address with its last part hidden (RFC 1918 and public alike), or None where there is none."""
    try:
        ip = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address):
        return f"{str(ip).rpartition('.')[0]}.*"
    return ":".join(ip.exploded.split(":")[:4]) + ":*"

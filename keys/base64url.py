"""Base64url without padding, RFC 4648 section 5 as JOSE uses it (RFC 7515 appendix C), read strictly."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def b64u(data: bytes) -> str:
    """Return `data` in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(text: str) -> bytes:
    """Return the bytes of canonical unpadded base64url; ValueError for anything else.

    One byte string has exactly one accepted text: padding, foreign characters, white space and non-zero trailing
    bits (RFC 4648 section 3.5) are refused.
    """
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(text) % 4 and b64u(data[-(len(data) % 3) :]) != text[-(len(text) % 4) :]:
        raise ValueError("not canonical base64url")
    return data

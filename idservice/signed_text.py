"""Signed text (签名文本): a value that travels through the browser and is believed when it comes back unaltered.

By `itsdangerous`: JSON and its HMAC-SHA-256, for one purpose, under any live secret. Everybody can read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

MAX_LENGTH: Final = 4096  # of a cookie (RFC 6265 section 6.1)


class _Compact:
    """JSON in as few characters as it can be written."""

    dumps = staticmethod(json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode)
    loads = staticmethod(json.loads)


def sign(secret: bytes, purpose: str, value: Any) -> str:
    """Return `value`, of what JSON has, as text; `purpose` is a constant that no other use of `secret` has."""
    return str(_serializer((secret,), purpose).dumps(value))


def opened(secrets: Iterable[bytes], purpose: str, text: str | None) -> Any:
    """Return what was signed with one of `secrets` for `purpose`; None for any other text, however long."""
    if text is None or len(text) > MAX_LENGTH or not text.isascii():
        return None
    try:
        return _serializer(tuple(secrets), purpose).loads(text)
    except BadData:
        return None


@lru_cache(maxsize=64)
def _serializer(secrets: tuple[bytes, ...], purpose: str) -> URLSafeSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(list(secrets), salt=purpose, serializer=_Compact, signer_kwargs=options)

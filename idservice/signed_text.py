"""Signed text (签名文本): a value that travels through the browser and is believed when it comes back unaltered.

By `itsdangerous`: JSON and its HMAC-SHA-256, for one purpose, under any live secret. Everybody can read it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import orjson
from itsdangerous import BadData, Serializer, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.signer import SigningAlgorithm
from itsdangerous.url_safe import URLSafeSerializerMixin

from keys.compact_json import compact_json

COMPRESSED_FROM: Final = 256  # bytes
MAX_LENGTH: Final = 4096  # of a cookie (RFC 6265 section 6.1)


class _HmacSha256(SigningAlgorithm):
    """HMAC-SHA-256 in one call of the library that `itsdangerous` reaches in four."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Return the MAC of `value`."""
        return hmac.digest(key, value, "sha256")


class _QuickSigner(Signer):
    """The signer of `itsdangerous`, whose keys for one purpose are derived once."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """Return what the secret gives for this purpose (`key_derivation="hmac"`)."""
        secret = self.secret_keys[-1] if secret_key is None else secret_key
        return _derived(secret.encode() if isinstance(secret, str) else secret, self.salt)


class QuickTimestampSigner(_QuickSigner, TimestampSigner):
    """The same with the time of signing."""


class _Short(URLSafeSerializerMixin):
    """Tries to compress only what is long enough to become shorter by it: the attempt is dearer than the signature."""

    def dump_payload(self, obj: Any) -> bytes:
        """Return an object as text; what reads it sees whether it was compressed."""
        plain = Serializer.dump_payload(self, obj)
        return base64_encode(plain) if len(plain) < COMPRESSED_FROM else super().dump_payload(obj)


class _QuickSerializer(_Short, URLSafeSerializer):
    pass


class QuickTimedSerializer(_Short, URLSafeTimedSerializer):
    """The serializer of `itsdangerous` that notes the time, without vain attempts to compress."""


#: What makes a serializer of `itsdangerous` sign by HMAC-SHA-256 with a key derived by it.
SIGNED_BY: Final = {"key_derivation": "hmac", "digest_method": hashlib.sha256, "algorithm": _HmacSha256()}


class _Compact:
    """JSON in as few characters as it can be written."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value: Any) -> str:
        """Return `value` as JSON text: what is signed leaves as text only where its serializer gives text."""
        return compact_json(value).decode()


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
    return _QuickSerializer(
        list(secrets), salt=purpose, serializer=_Compact, signer=_QuickSigner, signer_kwargs=SIGNED_BY
    )


@lru_cache(maxsize=256)
def _derived(secret: bytes, salt: bytes) -> bytes:
    return hmac.digest(secret, salt, "sha256")

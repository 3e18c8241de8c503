"""Public keys that others hand in: JWK and JWK Set, RFC 7517, RFC 7518 section 6, RFC 8037 section 2.

The type of a key decides its one algorithm: P-256 is ES256, Ed25519 is EdDSA, RSA is PS256, and SM2 is SM2.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from keys.base64url import unb64u
from keys.signer import (
    KeyMaterialError,
    PublicKey,
    eddsa_public,
    es256_public,
    ps256_public,
    sm2_public,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_KEYS = 32
_MAX_KID = 256
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class JWKError(ValueError):
    """The JWK is malformed, private, meant for something else, or of an algorithm we do not take."""


class UnknownKeyTypeError(JWKError):
    """A well-formed JWK of a type we do not take; within a set it is passed over (RFC 7517 section 5)."""


def parse(jwk: Mapping[str, Any]) -> PublicKey:
    """Return the key of one public signature JWK. `kid` defaults to the key's thumbprint id; JWKError otherwise."""
    if not _PRIVATE.isdisjoint(jwk):
        raise JWKError("a private or symmetric key was handed in")
    kid = jwk.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _MAX_KID):
        raise JWKError("kid is not a text of 1 to 256 characters")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise UnknownKeyTypeError("the key is not for signatures")
    try:
        key = _key(jwk, kid)
    except KeyMaterialError as error:
        raise JWKError(str(error)) from None
    if jwk.get("alg", key.algorithm) != key.algorithm:
        raise UnknownKeyTypeError("only the algorithm of the key's type is taken")
    return key


def parse_set(jwks: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return by kid the keys of a JWK Set that we take, at most 32; two keys of one kid are refused."""
    listed = jwks.get("keys")
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise JWKError("not a JWK Set of at most 32 keys")
    keys: dict[str, PublicKey] = {}
    for jwk in listed:
        if not isinstance(jwk, dict):
            raise JWKError("a key is not an object")
        try:
            key = parse(jwk)
        except UnknownKeyTypeError:
            continue
        if key.kid in keys:
            raise JWKError("two keys have the same kid")
        keys[key.kid] = key
    return keys


def _key(jwk: Mapping[str, Any], kid: str | None) -> PublicKey:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "EC" and curve == "P-256":
        return _es256(_octets(jwk, "x"), _octets(jwk, "y"), kid)
    if kind == "EC" and curve == "SM2":
        return _sm2(b"\x04" + _octets(jwk, "x") + _octets(jwk, "y"), kid)
    if kind == "OKP" and curve == "Ed25519":
        return _eddsa(_octets(jwk, "x"), kid)
    if kind == "RSA":
        return _ps256(_octets(jwk, "n"), _octets(jwk, "e"), kid)
    raise UnknownKeyTypeError("the key's type is not taken")


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or len(text) > 1024:
        raise JWKError(f"{name} is missing or too long")
    try:
        return unb64u(text)
    except ValueError:
        raise JWKError(f"{name} is not base64url") from None


# An app's keys come with every assertion; parsing an elliptic-curve point costs as much as half a verification.
_es256 = lru_cache(maxsize=1024)(es256_public)
_eddsa = lru_cache(maxsize=1024)(eddsa_public)
_sm2 = lru_cache(maxsize=1024)(sm2_public)


@lru_cache(maxsize=1024)
def _ps256(n: bytes, e: bytes, kid: str | None) -> PublicKey:
    if not 256 <= len(n) <= 512 or not 1 <= len(e) <= 4 or not n[0] or not e[0]:
        raise KeyMaterialError("an RSA key has 2048 to 4096 bits here")
    try:
        key = RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big")).public_key()
    except ValueError:
        raise KeyMaterialError("not an RSA key") from None
    return ps256_public(key, kid)

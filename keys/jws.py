"""The one strict verifier, and the writer, of compact JWS: RFC 7515, with the advice of RFC 8725.

Nothing in a token chooses how the token is checked: the key is one of ours by `kid`, the algorithm is the key's, the
`typ` is what the caller expects. Header members outside a short list are refused, not ignored.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from keys.base64url import b64u, unb64u
from keys.compact_json import compact_json
from keys.jwk import JWKError, parse, parse_set
from keys.signer import Algorithm
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keys.signer import PublicKey, Signer

MAX_TOKEN = 16_384  # characters
_MAX_HEADER = 2_048
_MAX_CHAIN = 5  # certificates
_MAX_SIGNATURE = 683  # PS256 with 4096 bits
_JOSE = frozenset({Algorithm.ES256, Algorithm.EDDSA, Algorithm.PS256})  # SM2 has no registered JOSE name
# Thumbprints and the content type are harmless notes of other people's libraries; we never act on them.
_HEADER = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})
_NEVER = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"})
_NUMERIC = frozenset({"exp", "nbf", "iat", "auth_time", "updated_at"})  # NumericDate, RFC 7519 section 2


class JWSError(ValueError):
    """The token is refused; `code` says why.

    Codes of the token: `too_large malformed header_refused algorithm wrong_type unknown_key signature bad_payload
    bad_claim`; of its claims (`keys.claims`): `issuer audience expired not_yet_valid lifetime`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Decoded:
    """A token whose signature holds. Who may have issued it to whom, and when, is for `keys.claims.check`."""

    header: dict[str, Any]
    payload: dict[str, Any]


def encode(
    payload: Mapping[str, Any],
    *,
    signer: Signer,
    typ: str,
    headers: Mapping[str, Any] | None = None,
    chain: Sequence[bytes] = (),
) -> str:
    """Sign `payload` as a compact JWS with `alg`, `kid` and `typ`, and further `headers` where given.

    `chain` are certificates (DER, the signer's own first) for readers that know the key by them (`x5c`).
    """
    if signer.algorithm not in _JOSE:
        raise ValueError(f"no JWS is signed with {signer.algorithm}")
    if headers is None and not chain:
        head = _head(signer.algorithm, signer.kid, typ)
    else:
        head = _long_head(signer, typ, headers or {}, chain)
    signing_input = f"{head}.{b64u(compact_json(payload))}"
    return f"{signing_input}.{b64u(signer.sign(signing_input.encode()))}"


def decode(
    token: str,
    *,
    keys: Mapping[str, PublicKey],
    typ: str | frozenset[str | None],
    headers: frozenset[str] = frozenset(),
    with_chain: bool = False,
    max_bytes: int = MAX_TOKEN,
) -> Decoded:
    """Check a compact JWS against keys by `kid` and return its parts; JWSError otherwise.

    `typ` is what is expected, None in a set standing for "absent"; `headers` are further header members to let pass.
    `with_chain` lets `x5c` pass as well, for tokens of ours that bring certificates for other readers: the key is found
    by `kid` all the same.
    """
    chain = frozenset({"x5c"}) if with_chain else frozenset()
    parts = _Parts.read(token, max_bytes, headers | chain, _NEVER - chain)
    kid = parts.header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise JWSError("unknown_key")
    return parts.checked(key, typ)


def decode_with_jwk(
    token: str,
    *,
    jwks: Mapping[str, Any],
    typ: str | frozenset[str | None],
    max_bytes: int = MAX_TOKEN,
) -> Decoded:
    """Check a token that an app signed with a key of its registered JWK Set (`private_key_jwt`).

    A token without `kid` is accepted only where one key alone has its algorithm.
    """
    parts = _Parts.read(token, max_bytes, frozenset())
    try:
        keys = parse_set(jwks)
    except JWKError:
        raise JWSError("unknown_key") from None
    kid = parts.header.get("kid")
    if kid is None:
        fitting = [key for key in keys.values() if key.algorithm == parts.header.get("alg")]
        key = fitting[0] if len(fitting) == 1 else None
    else:
        key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise JWSError("unknown_key")
    return parts.checked(key, typ)


def decode_with_key(
    token: str, *, key: PublicKey, typ: str | frozenset[str | None], max_bytes: int = MAX_TOKEN
) -> Decoded:
    """Check a token against the one key that may have signed it, whatever it calls that key."""
    return _Parts.read(token, max_bytes, frozenset()).checked(key, typ)


def decode_with_chain(
    token: str, *, typ: str, key_of: Callable[[tuple[bytes, ...]], PublicKey | None], max_bytes: int = MAX_TOKEN
) -> Decoded:
    """Check a token that brings the certificates of its key (`x5c`): key attestations of wallets, and nothing else.

    `key_of` returns the key of the first of them (DER) where it believes the chain, else None.
    """
    parts = _Parts.read(token, max_bytes, frozenset({"x5c"}), _NEVER - {"x5c"}, max_header=max_bytes)
    key = key_of(_chain(parts.header.get("x5c")))
    if key is None:
        raise JWSError("unknown_key")
    return parts.checked(key, typ)


def _chain(stated: object) -> tuple[bytes, ...]:
    """Return the certificates of `x5c`: base64, not base64url (RFC 7515 section 4.1.6)."""
    if not isinstance(stated, list) or not 0 < len(stated) <= _MAX_CHAIN:
        raise JWSError("header_refused")
    try:
        return tuple(b64decode(one, validate=True) for one in stated)
    except (TypeError, ValueError):
        raise JWSError("header_refused") from None


def decode_with_own_key(
    token: str,
    *,
    typ: str,
    headers: frozenset[str] = frozenset(),
    max_bytes: int = MAX_TOKEN,
    max_header: int = _MAX_HEADER,
) -> tuple[Decoded, PublicKey]:
    """Check a token that brings its own public key, as `jwk`, and return its parts and the key.

    There are two: a DPoP proof (RFC 9449 section 4.2), and a wallet's proof of the key that a credential shall be bound
    to (OpenID4VCI 1.0 appendix F.1). It proves that its sender holds that key and nothing about who he is. `headers`
    are further header members to let pass, and `max_header` the characters there are for all of them.
    """
    parts = _Parts.read(token, max_bytes, headers | {"jwk"}, _NEVER - {"jwk"}, max_header)
    jwk = parts.header.get("jwk")
    try:
        key = parse(jwk) if isinstance(jwk, dict) else None
    except JWKError:
        key = None
    if key is None:
        raise JWSError("unknown_key")
    return parts.checked(key, typ), key


class _Parts(NamedTuple):
    """A token taken apart, nothing of it believed yet."""

    header: dict[str, Any]
    signed: bytes
    payload: str
    signature: bytes

    @classmethod
    def read(
        cls,
        token: str,
        max_bytes: int,
        headers: frozenset[str],
        never: frozenset[str] = _NEVER,
        max_header: int = _MAX_HEADER,
    ) -> _Parts:
        if len(token) > max_bytes:
            raise JWSError("too_large")
        parts = token.split(".", 3)
        if len(parts) != 3 or not token.isascii():
            raise JWSError("malformed")
        head, payload, signature = parts
        if len(head) > max_header or len(signature) > _MAX_SIGNATURE:
            raise JWSError("too_large")
        header = _object(head, max_depth=3, code="malformed")
        if not never.isdisjoint(header) or not header.keys() <= _HEADER | headers:
            raise JWSError("header_refused")
        return cls(header, token[: len(head) + 1 + len(payload)].encode(), payload, _octets(signature, "malformed"))

    def checked(self, key: PublicKey, typ: str | frozenset[str | None]) -> Decoded:
        if key.algorithm not in _JOSE or self.header.get("alg") != key.algorithm:
            raise JWSError("algorithm")
        if not _is_type(self.header.get("typ"), frozenset({typ}) if isinstance(typ, str) else typ):
            raise JWSError("wrong_type")
        if not key.verify(self.signed, self.signature):
            raise JWSError("signature")
        payload = _object(self.payload, max_depth=16, code="bad_payload")
        for name in _NUMERIC & payload.keys():
            if isinstance(payload[name], bool) or not isinstance(payload[name], (int, float)):
                raise JWSError("bad_claim")
        return Decoded(self.header, payload)


@lru_cache(maxsize=256)
def _head(algorithm: str, kid: str, typ: str) -> str:
    return b64u(compact_json({"alg": algorithm, "kid": kid, "typ": typ}))


def _long_head(signer: Signer, typ: str, headers: Mapping[str, Any], chain: Sequence[bytes]) -> str:
    if not (_NEVER | {"alg", "kid", "typ"}).isdisjoint(headers):
        raise ValueError("these header members are not the caller's")
    x5c = {"x5c": [b64encode(one).decode("ascii") for one in chain]} if chain else {}  # RFC 7515 section 4.1.6
    return b64u(compact_json({"alg": signer.algorithm, "kid": signer.kid, "typ": typ, **headers, **x5c}))


def _octets(text: str, code: str) -> bytes:
    try:
        return unb64u(text)
    except ValueError:
        raise JWSError(code) from None


def _object(text: str, *, max_depth: int, code: str) -> dict[str, Any]:
    try:
        value = strict_json(_octets(text, code), max_depth=max_depth)
    except StrictJSONError:
        raise JWSError(code) from None
    if not isinstance(value, dict):
        raise JWSError(code)
    return value


def _is_type(found: object, expected: frozenset[str | None]) -> bool:
    """Compare media types as RFC 7515 section 4.1.9 says: any case, `application/` may be left out."""
    if found is None or (isinstance(found, str) and found in expected):
        return found in expected
    return isinstance(found, str) and _media_type(found) in {_media_type(typ) for typ in expected if typ is not None}


def _media_type(typ: str) -> str:
    typ = typ.lower()
    return typ if "/" in typ else f"application/{typ}"

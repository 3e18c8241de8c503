"""Token Status List (令牌状态列表): draft-ietf-oauth-status-list-20/21 (RFC-Editor queue), two bits for each copy.

Section 4: the status of place `i` stands in byte `i // 4` at the bits from `2 * (i % 4)`, least significant first; the
bytes are compressed with zlib (RFC 1950). Section 5: a list is signed as a JWT (`statuslist+jwt`) or as a CWT
(`statuslist+cwt`). The reader takes what the writer writes: no more than one list inflated, nothing left over.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from keys import cbor, cose, jws
from keys.base64url import b64u, unb64u

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keys.signer import PublicKey, Signer

BITS: Final = 2
SIZE: Final = 2**20  # places of one list
JWT_TYPE: Final = "statuslist+jwt"
CWT_TYPE: Final = "statuslist+cwt"
MAX_TOKEN: Final = 512 * 1024  # characters: more than a list of random bits takes

LATEST: Final = 253_402_300_799  # the last second of the year 9999, beyond which no calendar of ours goes

_BYTES: Final = SIZE * BITS // 8
_PER_BYTE: Final = 8 // BITS
_CLAIMS: Final = frozenset({"sub", "iat", "exp", "ttl", "status_list", "aggregation_uri"})
# COSE header parameters (RFC 9052 section 3.1, RFC 9360, RFC 9596) and CWT claims (RFC 8392; section 14.2).
_ALGORITHM, _KEY_ID, _TYPE, _CHAIN, _ES256 = 1, 4, 16, 33, -7
_SUB, _EXP, _IAT, _TTL, _LIST = 2, 4, 6, 65534, 65533
_TAG_SIGN1: Final = b"\xd2"


class Status(IntEnum):
    """What stands at a place (section 7.1)."""

    VALID = 0x00
    INVALID = 0x01
    SUSPENDED = 0x02


class StatusListError(ValueError):
    """The list is refused, or has no such place; `code` is one of `keys.jws`, or `not_a_list`, `no_such_place`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Stated:
    """What a list that is to be signed says of itself; `aggregation` is where the addresses of all lists are."""

    uri: str
    issued_at: int
    expires_at: int
    ttl: int
    aggregation: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed list says of itself: times are Unix seconds, `uri` is the list's address."""

    uri: str
    issued_at: int
    expires_at: int
    ttl: int
    bits: bytes

    def status(self, index: int) -> int:
        """Return what stands at a place: 0 to 3; raises `StatusListError("no_such_place")`."""
        if not 0 <= index < len(self.bits) * _PER_BYTE:
            raise StatusListError("no_such_place")
        return self.bits[index // _PER_BYTE] >> BITS * (index % _PER_BYTE) & 3


def pack(entries: Iterable[tuple[int, int]]) -> bytes:
    """Return the bytes of a whole list in which these places (index, value) are not valid."""
    bits = bytearray(_BYTES)
    for index, value in entries:
        bits[index // _PER_BYTE] |= value << BITS * (index % _PER_BYTE)
    return bytes(bits)


def compress(bits: bytes) -> bytes:
    """Return the bytes of a list compressed with the highest level, as the draft advises."""
    return zlib.compress(bits, 9)


def to_jwt(compressed: bytes, stated: Stated, *, signer: Signer, chain: Sequence[bytes] = ()) -> str:
    """Return the Status List Token of a list as JWT (section 5.1), `chain` (DER) in its header for other readers."""
    listed = {"bits": BITS, "lst": b64u(compressed), "aggregation_uri": stated.aggregation}
    times = {"iat": stated.issued_at, "exp": stated.expires_at, "ttl": stated.ttl}
    claims = {"sub": stated.uri, **times, "status_list": listed}
    return jws.encode(claims, signer=signer, typ=JWT_TYPE, chain=chain)


def to_cwt(compressed: bytes, stated: Stated, *, signer: Signer, chain: Sequence[bytes] = ()) -> bytes:
    """Return the Status List Token of a list as CWT (section 5.2): a tagged COSE_Sign1 message signed with ES256."""
    listed = {"bits": BITS, "lst": compressed, "aggregation_uri": stated.aggregation}
    times = {_IAT: stated.issued_at, _EXP: stated.expires_at, _TTL: stated.ttl}
    claims = {_SUB: stated.uri, **times, _LIST: listed}
    header = {_ALGORITHM: _ES256, _KEY_ID: signer.kid.encode(), _TYPE: f"application/{CWT_TYPE}"}
    protected, payload = cbor.encode(header), cbor.encode(claims)
    signature = signer.sign(cose.to_be_signed(protected, payload))
    certificates: object = chain[0] if len(chain) == 1 else list(chain)
    return _TAG_SIGN1 + cbor.encode([protected, {_CHAIN: certificates} if chain else {}, payload, signature])


def read_jwt(token: str, *, keys: Mapping[str, PublicKey]) -> Signed:
    """Return what a list says if one of `keys` signed it, whatever the day; raises `StatusListError`."""
    try:
        claims = jws.decode(token, keys=keys, typ=JWT_TYPE, with_chain=True, max_bytes=MAX_TOKEN).payload
    except jws.JWSError as error:
        raise StatusListError(error.code) from None
    listed = claims.get("status_list")
    if not claims.keys() <= _CLAIMS or not isinstance(listed, dict) or listed.get("bits") != BITS:
        raise StatusListError("not_a_list")
    issued_at, expires_at, ttl = (_whole(claims, name) for name in ("iat", "exp", "ttl"))
    return Signed(_text(claims, "sub"), issued_at, expires_at, ttl, _inflate(listed))


def _inflate(listed: dict[str, Any]) -> bytes:
    try:
        compressed = unb64u(_text(listed, "lst"))
        inflater = zlib.decompressobj()
        bits = inflater.decompress(compressed, _BYTES + 1)
    except (ValueError, zlib.error):
        raise StatusListError("not_a_list") from None
    if not inflater.eof or inflater.unused_data or not 0 < len(bits) <= _BYTES:
        raise StatusListError("not_a_list")
    return bits


def _text(claims: dict[str, Any], name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str):
        raise StatusListError("not_a_list")
    return found


def _whole(claims: dict[str, Any], name: str) -> int:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= LATEST:
        raise StatusListError("not_a_list")
    return found

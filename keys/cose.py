"""COSE_Sign1 without its tag: RFC 9052 section 4.2, signed with ES256 (RFC 9053 section 2.1) or SM2, read strictly.

No algorithm identifier is registered for SM2 with SM3 (GB/T 32918.2); ours is in the range for private use (RFC 9053
section 11.1), and its signature is r and s of 32 bytes each, as ES256 has them, instead of DER.

The protected header holds the algorithm and a short key identifier and nothing else, the unprotected header is empty,
the CBOR is deterministic. As in `keys.jws`, nothing in a message chooses how it is checked: the algorithm is the key's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keys import cbor
from keys.signer import Algorithm, thumbprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import PublicKey, Signer

SHORT_KID_BYTES: Final = 4
MAX_MESSAGE: Final = 8_192  # bytes

_ALGORITHM, _KID = 1, 4  # header parameters, RFC 9052 section 3.1
#: The identifier of each algorithm: RFC 9053 table 1, and one for private use.
ALGORITHMS: Final = {Algorithm.ES256: -7, Algorithm.SM2: -65_537}
_NAMED: Final = {number: algorithm for algorithm, number in ALGORITHMS.items()}
_SIGNATURE_BYTES = 64
_CONTEXT: Final = b"\x84" + cbor.encode("Signature1")  # an array of four, and its first member
_NO_EXTERNAL_DATA: Final = cbor.encode(b"")


class COSEError(ValueError):
    """The message is refused; `code` is one of `malformed header_refused algorithm unknown_key bad_key signature`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message taken apart, nothing of it believed yet; `protected` is the encoded header as it was received."""

    protected: bytes
    algorithm: Algorithm
    kid: bytes
    payload: bytes
    signature: bytes


def short_kid(key: PublicKey) -> bytes:
    """Return the first 4 bytes of the key's RFC 7638 thumbprint: they narrow the search, they identify nobody."""
    return _short(key.members)


@lru_cache(maxsize=256)
def _short(members: tuple[tuple[str, str], ...]) -> bytes:
    return thumbprint(members)[:SHORT_KID_BYTES]


def sign(payload: bytes, *, signer: Signer) -> bytes:
    """Return `payload` signed as `[protected, {}, payload, signature]`; ValueError where the key is for neither."""
    algorithm = signer.public.algorithm
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no COSE message is signed with {algorithm}")
    protected = cbor.encode({_ALGORITHM: ALGORITHMS[algorithm], _KID: short_kid(signer.public)})
    value = signer.sign(to_be_signed(protected, payload))
    return cbor.encode([protected, {}, payload, _flat(value) if algorithm is Algorithm.SM2 else value])


def to_be_signed(protected: bytes, payload: bytes, external: bytes = b"") -> bytes:
    """Return the encoded Sig_structure (RFC 9052 section 4.4); `external` is signed too and not in the message."""
    outside = cbor.encode(external) if external else _NO_EXTERNAL_DATA
    return _CONTEXT + cbor.encode(protected) + outside + cbor.encode(payload)


def read(message: bytes) -> Sign1:
    """Take a message apart; raises `COSEError`."""
    try:
        parts = cbor.decode(message, max_bytes=MAX_MESSAGE)
    except cbor.CBORError:
        raise COSEError("malformed") from None
    if not isinstance(parts, list) or len(parts) != 4:
        raise COSEError("malformed")
    protected, unprotected, payload, signature = parts
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise COSEError("malformed")
    if unprotected != {} or len(signature) != _SIGNATURE_BYTES:
        raise COSEError("header_refused" if unprotected != {} else "malformed")
    return Sign1(protected, *_read_header(protected), payload, signature)


def verify(message: Sign1, keys: Iterable[PublicKey]) -> PublicKey:
    """Return the one of `keys` that signed; raises `COSEError`. Every key with the short identifier is tried."""
    named = [key for key in keys if short_kid(key) == message.kid]
    if not named:
        raise COSEError("unknown_key")
    fitting = [key for key in named if key.algorithm is message.algorithm]
    if not fitting:
        raise COSEError("algorithm")
    signed, signature = to_be_signed(message.protected, message.payload), message.signature
    value = _der(signature) if message.algorithm is Algorithm.SM2 else signature
    for key in fitting:
        if key.verify(signed, value):
            return key
    raise COSEError("signature")


def _flat(der: bytes) -> bytes:
    """Return r and s in a row of a signature in DER."""
    return b"".join(number.to_bytes(_SIGNATURE_BYTES // 2, "big") for number in decode_dss_signature(der))


def _der(flat: bytes) -> bytes:
    half = _SIGNATURE_BYTES // 2
    return encode_dss_signature(int.from_bytes(flat[:half], "big"), int.from_bytes(flat[half:], "big"))


@lru_cache(maxsize=256)  # every message of a key has the same header
def _read_header(protected: bytes) -> tuple[Algorithm, bytes]:
    """Return algorithm and key identifier of the protected header; any further parameter is refused, `crit` too."""
    try:
        header = cbor.decode(protected)
    except cbor.CBORError:
        raise COSEError("malformed") from None
    if not isinstance(header, dict) or header.keys() != {_ALGORITHM, _KID}:
        raise COSEError("header_refused")
    kid, number = header[_KID], header[_ALGORITHM]
    algorithm = _NAMED.get(number) if isinstance(number, int) else None
    if algorithm is None:
        raise COSEError("algorithm")
    if not isinstance(kid, bytes) or len(kid) != SHORT_KID_BYTES:
        raise COSEError("header_refused")
    return algorithm, kid

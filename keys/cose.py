"""COSE_Sign1 without its tag: RFC 9052 section 4.2, signed with ES256 (RFC 9053 section 2.1), read strictly.

The protected header holds the algorithm and a short key identifier and nothing else, the unprotected header is empty,
the CBOR is deterministic. As in `keys.jws`, nothing in a message chooses how it is checked: the algorithm is the key's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keys import cbor
from keys.signer import Algorithm, thumbprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import PublicKey, Signer

SHORT_KID_BYTES: Final = 4
MAX_MESSAGE: Final = 8_192  # bytes

_ALGORITHM, _KID = 1, 4  # header parameters, RFC 9052 section 3.1
_ES256: Final = -7  # RFC 9053 table 1
_SIGNATURE_BYTES = 64


class COSEError(ValueError):
    """The message is refused; `code` is one of `malformed header_refused algorithm unknown_key signature`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message taken apart, nothing of it believed yet; `protected` is the encoded header as it was received."""

    protected: bytes
    kid: bytes
    payload: bytes
    signature: bytes


def short_kid(key: PublicKey) -> bytes:
    """Return the first 4 bytes of the key's RFC 7638 thumbprint: they narrow the search, they identify nobody."""
    return thumbprint(key.members)[:SHORT_KID_BYTES]


def sign(payload: bytes, *, signer: Signer) -> bytes:
    """Return `payload` signed as `[protected, {}, payload, signature]`; ValueError where the key is not ES256."""
    if signer.algorithm != Algorithm.ES256:
        raise ValueError(f"no COSE message is signed with {signer.algorithm}")
    protected = cbor.encode({_ALGORITHM: _ES256, _KID: short_kid(signer.public)})
    return cbor.encode([protected, {}, payload, signer.sign(to_be_signed(protected, payload))])


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the encoded Sig_structure (RFC 9052 section 4.4) without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])


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
    return Sign1(protected, _read_kid(protected), payload, signature)


def verify(message: Sign1, keys: Iterable[PublicKey]) -> PublicKey:
    """Return the one of `keys` that signed; raises `COSEError`. Every key with the short identifier is tried."""
    named = [key for key in keys if short_kid(key) == message.kid]
    if not named:
        raise COSEError("unknown_key")
    fitting = [key for key in named if key.algorithm is Algorithm.ES256]
    if not fitting:
        raise COSEError("algorithm")
    signed = to_be_signed(message.protected, message.payload)
    for key in fitting:
        if key.verify(signed, message.signature):
            return key
    raise COSEError("signature")


def _read_kid(protected: bytes) -> bytes:
    """Return the key identifier of the protected header; any further parameter, `crit` among them, is refused."""
    try:
        header = cbor.decode(protected)
    except cbor.CBORError:
        raise COSEError("malformed") from None
    if not isinstance(header, dict) or header.keys() != {_ALGORITHM, _KID}:
        raise COSEError("header_refused")
    kid = header[_KID]
    if header[_ALGORITHM] != _ES256:
        raise COSEError("algorithm")
    if not isinstance(kid, bytes) or len(kid) != SHORT_KID_BYTES:
        raise COSEError("header_refused")
    return kid

"""COSE_Sign1 by the holder of a credential: his key stands in the credential (`cnf`, RFC 8747 section 3.2).

The key is a COSE_Key of curve P-256 with its point compressed (RFC 9053 section 7.1.1). The protected header names the
algorithm and nothing else, and the credential itself is signed with the message as external data (RFC 9052 section
4.3), so that a message stands for this one credential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec

from keys import cbor
from keys.base64url import unb64u
from keys.cose import ALGORITHMS, COSEError, to_be_signed
from keys.signer import Algorithm, KeyMaterialError, es256_public

if TYPE_CHECKING:
    from keys.signer import PublicKey, Signer

_KTY, _CRV, _X, _Y = 1, -1, -2, -3  # RFC 9053 section 7.1.1
_EC2, _P256 = 2, 1
_COORDINATE = 32  # bytes
_SIGNATURE = 64
_HEADER: Final = cbor.encode({1: ALGORITHMS[Algorithm.ES256]})


def cose_key(key: PublicKey) -> dict[object, object]:
    """Return a P-256 key as COSE_Key: its x, and whether its y is odd."""
    jwk = key.jwk()
    return {_KTY: _EC2, _CRV: _P256, _X: unb64u(jwk["x"]), _Y: bool(unb64u(jwk["y"])[-1] & 1)}


def read_key(value: cbor.Value) -> PublicKey:
    """Read what `cose_key` wrote and nothing else; raises `COSEError("bad_key")`."""
    if not isinstance(value, dict) or value.keys() != {_KTY, _CRV, _X, _Y}:
        raise COSEError("bad_key")
    x, is_odd = value[_X], value[_Y]
    if (value[_KTY], value[_CRV]) != (_EC2, _P256) or not isinstance(x, bytes) or not isinstance(is_odd, bool):
        raise COSEError("bad_key")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes([2 + is_odd]) + x).public_numbers()
        return es256_public(x, point.y.to_bytes(_COORDINATE, "big"))
    except (ValueError, KeyMaterialError):
        raise COSEError("bad_key") from None


def sign(payload: bytes, *, signer: Signer, credential: bytes) -> list[object]:
    """Return `payload` signed for a credential, as the array that a larger message holds."""
    return [_HEADER, {}, payload, signer.sign(to_be_signed(_HEADER, payload, credential))]


def verify(message: cbor.Value, *, key: PublicKey, credential: bytes) -> bytes:
    """Return the payload that the holder signed; raises `COSEError`."""
    if not isinstance(message, list) or len(message) != 4:
        raise COSEError("malformed")
    protected, unprotected, payload, signature = message
    if not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != _SIGNATURE:
        raise COSEError("malformed")
    if protected != _HEADER or unprotected != {}:
        raise COSEError("header_refused")
    if not key.verify(to_be_signed(_HEADER, payload, credential), signature):
        raise COSEError("signature")
    return payload

"""Keys that were made elsewhere (导入密钥): read PKCS #8, refuse what is weak.

A key that somebody could guess is worse than none: P-256 and SM2 scalars must look like random numbers of full size,
and other kinds of key are not taken in at all.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keys import sm2
from keys.certificates import der
from keys.errors import RingError
from keys.signer import Algorithm
from keys.sm2_pure import N as SM2_ORDER

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ORDERS = {Algorithm.SM2: SM2_ORDER, Algorithm.ES256: P256_ORDER}
_SHORT = 128  # bits; a random scalar is this far from both ends but once in 2^127
_SM2_CURVE = der.write_oid("1.2.156.10197.1.301")
_FEW = 8  # different bytes; a random scalar of 32 bytes has some 30


def read_pkcs8(data: bytes) -> tuple[Algorithm, str]:
    """Return algorithm and text (as `keys.signer` keeps it) of a PKCS #8 or SEC 1 key, PEM or DER. Raise RingError."""
    raw = _unpacked(data)
    if _SM2_CURVE in raw:
        private = _sm2_scalar(raw)
        try:
            return Algorithm.SM2, base64.b64encode(private + sm2.public_key(private)).decode()
        except sm2.SM2Error as error:
            raise RingError(f"not an SM2 key: {error}") from None
    try:
        key = serialization.load_der_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise RingError("not a private key that is read here: PKCS #8 without a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RingError("only SM2 and P-256 keys are taken in")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Algorithm.ES256, pem.decode()


def refuse_weak(algorithm: Algorithm | None, private: str) -> None:
    """Refuse a private key (as `keys.signer` keeps it) whose scalar is no random number of full size.

    Raise RingError.
    """
    if algorithm not in _ORDERS:
        raise RingError("only SM2 and P-256 keys are taken in")
    scalar, order = _scalar(algorithm, private), _ORDERS[algorithm]
    few = len(set(scalar.to_bytes(32, "big"))) < _FEW if 0 <= scalar < 1 << 256 else True
    if few or min(scalar, order - scalar).bit_length() <= _SHORT:
        raise RingError("the key is weak: its number is too small, too large or too regular")


def _scalar(algorithm: Algorithm, private: str) -> int:
    try:
        if algorithm is Algorithm.SM2:
            return int.from_bytes(base64.b64decode(private, validate=True)[:32], "big")
        key = serialization.load_pem_private_key(private.encode(), password=None)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        raise RingError("not a private key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise RingError("not a P-256 key")
    return key.private_numbers().private_value


def _unpacked(data: bytes) -> bytes:
    """Return the DER of a PEM block, or the bytes as they are."""
    if not data.lstrip().startswith(b"-----BEGIN"):
        return data
    blocks = data.split(b"PRIVATE KEY-----")
    try:
        return base64.b64decode(b"".join(blocks[1].rsplit(b"-----END", 1)[0].split()), validate=True)
    except (IndexError, binascii.Error):
        raise RingError("the PEM file holds no private key") from None


def _sm2_scalar(raw: bytes) -> bytes:
    """Return the scalar of an SM2 key: ECPrivateKey (RFC 5915), by itself or inside PKCS #8."""
    try:
        parts = der.children(der.read_only(raw, der.SEQUENCE), at_most=6)
        inside = parts[2].expect(der.OCTET_STRING) if parts[0].content == b"\x00" else raw
        scalar = der.children(der.read_only(inside, der.SEQUENCE), at_most=4)[1].expect(der.OCTET_STRING)
    except (der.DERError, IndexError) as error:
        raise RingError(f"not an SM2 key: {error}") from None
    return scalar.rjust(32, b"\0")

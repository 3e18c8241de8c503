"""Signing keys: ES256 (RFC 7518 section 3.4), EdDSA with Ed25519 (RFC 8037) and SM2 (GB/T 32918.2).

The algorithm belongs to the key and never to the message. PS256 (RFC 7518 section 3.5) is verified only: some apps
sign their client assertions with it, the house itself never signs with RSA.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keys import sm2
from keys.base64url import b64u

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())
_SHA256 = hashes.SHA256()
_PSS = PSS(mgf=MGF1(_SHA256), salt_length=32)  # RFC 7518 section 3.5: the salt is as long as the hash


class Algorithm(StrEnum):
    """What a key does; the names of ES256, EdDSA and PS256 are those of the JOSE registry."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    SM2 = "SM2"
    PS256 = "PS256"


class KeyMaterialError(ValueError):
    """The bytes are not a key of the algorithm they were given for."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that knows its one algorithm.

    `members` are the JWK members that define the key, in the lexicographic order of RFC 7638 section 3.2.
    """

    kid: str
    algorithm: Algorithm
    members: tuple[tuple[str, str], ...]
    _check: Callable[[bytes, bytes], bool] = field(repr=False, compare=False)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's over `data`; malformed signatures are simply false."""
        return self._check(data, signature)

    def jwk(self) -> dict[str, str]:
        """Return the public JWK (RFC 7517) without `kid`, `alg` or `use`."""
        return dict(self.members)


class Signer(Protocol):
    """Something that signs with one key: software here, a hardware module elsewhere."""

    @property
    def kid(self) -> str:
        """The key's identifier."""

    @property
    def algorithm(self) -> str:
        """The one algorithm of the key: `ES256`, `EdDSA` or `SM2`."""

    @property
    def public(self) -> PublicKey:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """Sign `data`: r||s of 64 bytes (ES256), 64 bytes (EdDSA), or DER (SM2, default identity)."""


@dataclass(frozen=True, slots=True)
class SoftwareSigner:
    """A Signer whose private key lies in this process's memory, out of reach of `repr`."""

    public: PublicKey
    _sign: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @property
    def kid(self) -> str:
        """The key's identifier."""
        return self.public.kid

    @property
    def algorithm(self) -> str:
        """The key's algorithm."""
        return self.public.algorithm

    def sign(self, data: bytes) -> bytes:
        """Sign `data` as the Signer protocol says."""
        return self._sign(data)


def generate_private(algorithm: Algorithm) -> str:
    """Make a new private key as text: PKCS #8 PEM, or for SM2 base64 of the private and public value in a row."""
    if algorithm is Algorithm.SM2:
        private, public = sm2.generate()
        return base64.b64encode(private + public).decode()
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if algorithm is Algorithm.ES256:
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm is Algorithm.EDDSA:
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        raise KeyMaterialError(f"no {algorithm} key is made here")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def load_private(algorithm: Algorithm, text: str) -> SoftwareSigner:
    """Read what `generate_private` wrote; KeyMaterialError if it is not a key of this algorithm."""
    if algorithm is Algorithm.SM2:
        return _sm2_signer(text)
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyMaterialError("not a PKCS #8 private key") from None
    if algorithm is Algorithm.ES256 and isinstance(key, ec.EllipticCurvePrivateKey):
        return _es256_signer(key)
    if algorithm is Algorithm.EDDSA and isinstance(key, ed25519.Ed25519PrivateKey):
        return SoftwareSigner(eddsa_public(key.public_key().public_bytes_raw()), key.sign)
    raise KeyMaterialError(f"not an {algorithm} key")


def es256_public(x: bytes, y: bytes, kid: str | None = None) -> PublicKey:
    """Return the P-256 key at (x, y), 32 bytes each; KeyMaterialError off the curve. `kid` defaults to `key_id`."""
    if len(x) != 32 or len(y) != 32:
        raise KeyMaterialError("a P-256 coordinate has 32 bytes")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except ValueError:
        raise KeyMaterialError("the point is not on P-256") from None

    def check(data: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            key.verify(encode_dss_signature(r, s), data, _ECDSA_SHA256)
        except InvalidSignature:
            return False
        return True

    return _public(Algorithm.ES256, kid, check, crv="P-256", kty="EC", x=b64u(x), y=b64u(y))


def eddsa_public(point: bytes, kid: str | None = None) -> PublicKey:
    """Return the Ed25519 key of 32 bytes."""
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(point)
    except ValueError:
        raise KeyMaterialError("an Ed25519 public key has 32 bytes") from None

    def check(data: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return _public(Algorithm.EDDSA, kid, check, crv="Ed25519", kty="OKP", x=b64u(point))


def sm2_public(point: bytes, kid: str | None = None) -> PublicKey:
    """Return the SM2 key (国密椭圆曲线公钥) of 65 bytes, uncompressed; signatures use the default identity."""
    try:
        point = sm2.check_public(point)
    except sm2.SM2Error:
        raise KeyMaterialError("not an SM2 public key") from None

    def check(data: bytes, signature: bytes) -> bool:
        return sm2.verify(point, data, signature)

    return _public(Algorithm.SM2, kid, check, crv="SM2", kty="EC", x=b64u(point[1:33]), y=b64u(point[33:]))


def ps256_public(key: rsa.RSAPublicKey, kid: str | None = None) -> PublicKey:
    """Return an RSA key of 2048 to 4096 bits for PS256."""
    if not 2048 <= key.key_size <= 4096:
        raise KeyMaterialError("an RSA key has 2048 to 4096 bits here")

    def check(data: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, data, _PSS, _SHA256)
        except InvalidSignature:
            return False
        return True

    numbers = key.public_numbers()
    e, n = (b64u(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.e, numbers.n))
    return _public(Algorithm.PS256, kid, check, e=e, kty="RSA", n=n)


def thumbprint(members: tuple[tuple[str, str], ...]) -> bytes:
    """Return the SHA-256 JWK thumbprint (RFC 7638) of the defining members, already in lexicographic order."""
    return hashlib.sha256(json.dumps(dict(members), separators=(",", ":")).encode()).digest()


def key_id(members: tuple[tuple[str, str], ...]) -> str:
    """Return the first 8 bytes of the thumbprint in hex: short, and safe in file names and on command lines."""
    return thumbprint(members)[:8].hex()


def _public(algorithm: Algorithm, kid: str | None, check: Callable[[bytes, bytes], bool], **jwk: str) -> PublicKey:
    members = tuple(sorted(jwk.items()))
    return PublicKey(key_id(members) if kid is None else kid, algorithm, members, check)


def _es256_signer(key: ec.EllipticCurvePrivateKey) -> SoftwareSigner:
    if not isinstance(key.curve, ec.SECP256R1):
        raise KeyMaterialError("not a P-256 key")
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, _ECDSA_SHA256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return SoftwareSigner(es256_public(point[1:33], point[33:]), sign)


def _sm2_signer(text: str) -> SoftwareSigner:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise KeyMaterialError("not base64") from None
    if len(raw) != 97:
        raise KeyMaterialError("an SM2 key pair has 32 and 65 bytes")
    private, point = raw[:32], raw[32:]
    return SoftwareSigner(sm2_public(point), lambda data: sm2.sign(private, data))

"""Does a signature hold under a certificate's key? SM2 by `keys.sm2`, ECDSA and RSA by `cryptography`.

GM/T 0009 (SM2 with SM3), RFC 5758 (ECDSA), RFC 8017 (RSA). SHA-1, MD5 and RSA keys under 2,048 bits hold nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from keys import sm2
from keys.certificates.certificate import SM2_WITH_SM3, Certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from keys.signer import Signer

MIN_RSA = 2048  # bits

ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    ECDSA_WITH_SHA256: hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
_RSA: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
SUPPORTED = frozenset({SM2_WITH_SM3, *_ECDSA, *_RSA})


def verify_signature(
    certificate: Certificate,
    algorithm: str,
    message: bytes,
    signature: bytes,
    *,
    identity: bytes = sm2.DEFAULT_IDENTITY,
) -> bool:
    """Return whether `signature` by `algorithm` (a dotted OID) holds over `message` under the certificate's key.

    An algorithm that is unknown, weak or does not fit the key is False. Says nothing about the certificate itself.
    `identity` is that of SM2 signers.
    """
    if algorithm == SM2_WITH_SM3:
        return certificate.key_algorithm == "SM2" and sm2.verify(
            certificate.public_key, message, signature, identity=identity
        )
    if algorithm in _ECDSA and certificate.key_algorithm in ("P-256", "P-384"):
        return _holds(certificate.spki, signature, message, ecdsa=_ECDSA[algorithm])
    if algorithm in _RSA and certificate.key_algorithm == "RSA":
        return _holds(certificate.spki, signature, message, rsa_hash=_RSA[algorithm])
    return False


def der_signing(signer: Signer) -> Callable[[bytes], bytes]:
    """Return how a key of the ring signs certificates and messages: in DER, which ES256 (r ‖ s) is not."""
    if signer.algorithm != "ES256":
        return signer.sign

    def sign(data: bytes) -> bytes:
        raw = signer.sign(data)
        return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    return sign


@lru_cache(maxsize=512)
def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether `certificate` names `issuer` and was signed by its key; nothing else is looked at.

    Remembered: the few certificates of a city stand behind millions of seal signatures.
    """
    return (
        certificate.issuer == issuer.subject
        and certificate.issuer != ""
        and verify_signature(issuer, certificate.signature_algorithm, certificate.tbs, certificate.signature)
    )


def _holds(
    spki: bytes,
    signature: bytes,
    message: bytes,
    *,
    ecdsa: hashes.HashAlgorithm | None = None,
    rsa_hash: hashes.HashAlgorithm | None = None,
) -> bool:
    try:
        key = serialization.load_der_public_key(spki)
        if ecdsa is not None and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(ecdsa))
        elif rsa_hash is not None and isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA:
            key.verify(signature, message, padding.PKCS1v15(), rsa_hash)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True

"""Write SignedData (签名数据): RFC 5652 clause 5, GB/T 35275-2017 clause 8. Reading and verifying: `keys.cms`.

made = write_signed_data(data, certificate=certificate, sign=sign, gm=True)
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from keys.certificates import Certificate, der
from keys.certificates.certificate import SM2_WITH_SM3
from keys.certificates.signature import ECDSA_WITH_SHA256
from keys.cms import (
    CERTIFICATE_V2,
    CONTENT_TYPE,
    DATA,
    GM_DATA,
    GM_SIGNED_DATA,
    MESSAGE_DIGEST,
    SHA256,
    SIGNED_DATA,
    SIGNING_TIME,
    SM3,
    TIMESTAMP_TOKEN,
    digest,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_GM_SM2 = "1.2.156.10197.1.301.1"  # GB/T 35275 names the signature without its hash
_ALGORITHMS = {"SM2": (SM3, SM2_WITH_SM3), "P-256": (SHA256, ECDSA_WITH_SHA256)}


def write_signed_data(
    content: bytes,
    *,
    certificate: Certificate,
    sign: Callable[[bytes], bytes],
    gm: bool = False,
    content_type: str | None = None,
    detached: bool = False,
    signed_at: datetime | None = None,
    with_certificate: bool = True,
    timestamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Return the DER of a SignedData over `content` with attributes; `sign(data) -> DER signature` signs these.

    `gm` chooses the identifiers of GB/T 35275; `detached` leaves the content out; `timestamp(signature)` adds a
    time stamp over the signature value (RFC 3161 appendix A).
    """
    digest_oid, signature_oid = _ALGORITHMS[certificate.key_algorithm]
    kind = content_type or (GM_DATA if gm else DATA)
    signed = _attributes(content, certificate, kind, digest_oid, signed_at)
    value = sign(der.write(der.SET, signed))
    stamps = [] if timestamp is None else [der.write(0xA1, _attribute(TIMESTAMP_TOKEN, timestamp(value)))]
    signer = der.write(
        der.SEQUENCE,
        der.write_integer(1),
        der.write(der.SEQUENCE, certificate.issuer_der, der.write_integer(certificate.serial)),
        _algorithm(digest_oid),
        der.write(0xA0, signed),
        _algorithm(_GM_SM2 if gm else signature_oid),
        der.write(der.OCTET_STRING, value),
        *stamps,
    )
    body = der.write(
        der.SEQUENCE,
        der.write_integer(1 if kind in {DATA, GM_DATA} else 3),
        der.write(der.SET, _algorithm(digest_oid)),
        der.write(
            der.SEQUENCE,
            der.write_oid(kind),
            *([] if detached else [der.write(0xA0, der.write(der.OCTET_STRING, content))]),
        ),
        *([der.write(0xA0, certificate.der)] if with_certificate else []),
        der.write(der.SET, signer),
    )
    return der.write(der.SEQUENCE, der.write_oid(GM_SIGNED_DATA if gm else SIGNED_DATA), der.write(0xA0, body))


def _attributes(
    content: bytes, certificate: Certificate, kind: str, digest_oid: str, signed_at: datetime | None
) -> bytes:
    value = digest(digest_oid, content) or b""
    found = [
        _attribute(CONTENT_TYPE, der.write_oid(kind)),
        _attribute(MESSAGE_DIGEST, der.write(der.OCTET_STRING, value)),
        _attribute(CERTIFICATE_V2, _named(certificate, digest_oid)),
    ]
    if signed_at is not None:
        text = f"{signed_at.astimezone(UTC):%y%m%d%H%M%S}Z".encode()  # UTCTime until 2049 (RFC 5652 11.3)
        found.append(_attribute(SIGNING_TIME, der.write(der.UTC_TIME, text)))
    return b"".join(sorted(found))  # a SET OF in DER


def _attribute(oid: str, value: bytes) -> bytes:
    return der.write(der.SEQUENCE, der.write_oid(oid), der.write(der.SET, value))


def _named(certificate: Certificate, digest_oid: str) -> bytes:
    """Return SigningCertificateV2 (RFC 5035); SHA-256 is its default and therefore not written."""
    algorithm = b"" if digest_oid == SHA256 else _algorithm(digest_oid)
    value = der.write(der.OCTET_STRING, digest(digest_oid, certificate.der) or b"")
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write(der.SEQUENCE, algorithm, value)))


def _algorithm(oid: str) -> bytes:
    return der.write(der.SEQUENCE, der.write_oid(oid))

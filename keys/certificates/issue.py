"""Issue certificates (签发证书) with SM2 or P-256 keys: root, seal maker, signer; GB/T 20518-2018, RFC 5280 clause 4.

Meant for the demonstration city and for tests; a real one gets its certificates from a licensed authority.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from keys import sm2
from keys.certificates import der
from keys.certificates.certificate import (
    EC_PUBLIC_KEY,
    P256_CURVE,
    SM2_CURVE,
    SM2_WITH_SM3,
    Certificate,
    CertificateError,
    parse,
)
from keys.certificates.extensions import (
    ALTERNATIVE_NAME,
    AUTHORITY_KEY_ID,
    BASIC_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    ORGANIZATION_CODE,
    SUBJECT_KEY_ID,
    KeyUsage,
)
from keys.certificates.name import write_name
from keys.certificates.signature import ECDSA_WITH_SHA256, is_signed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_SIGNS_WITH = {"SM2": SM2_WITH_SM3, "P-256": ECDSA_WITH_SHA256}  # by the kind of key that signs
_CURVES = {"SM2": SM2_CURVE, "P-256": P256_CURVE}
_DNS_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def issue(
    *,
    subject: Sequence[tuple[str, str]],
    public_key: bytes,
    issuer: Certificate | None,
    sign: Callable[[bytes], bytes],
    serial: int,
    not_before: datetime,
    not_after: datetime,
    ca: bool,
    key_usage: Collection[KeyUsage],
    path_length: int | None = None,
    organization_code: str | None = None,
    extended_usage: Collection[str] = (),
    dns_names: Collection[str] = (),
    key_algorithm: str = "SM2",
) -> bytes:
    """Return the DER of a certificate for `subject` (ordered pairs, e.g. `("C", "CN"), ("O", "…"), ("CN", "…")`).

    `public_key` is the point 04‖x‖y on the curve of `key_algorithm` (`SM2` or `P-256`). `sign(data) -> DER signature`
    (SM2 with SM3, GB/T 35276; or ECDSA with SHA-256) signs for the issuer, whose key may be in hardware; `issuer` None
    makes the certificate self-signed. `extended_usage` (OIDs) is marked critical, as RFC 3161 wants it; `dns_names` are
    the alternative names of a service. Times are aware, taken to the second. The result has been verified under the
    issuer's key. Raise CertificateError for facts that make no certificate, and whatever `sign` raises.
    """
    if not 0 < serial < 1 << 159:
        raise CertificateError("a serial number is positive and has at most 20 bytes")
    if not_before >= not_after:
        raise CertificateError("a certificate's validity ends before it begins")
    try:
        name = write_name(subject)
        algorithm = signature_algorithm(key_algorithm if issuer is None else issuer.key_algorithm)
        key = sm2.check_public(public_key) if key_algorithm == "SM2" else public_key
        tbs = der.write(
            der.SEQUENCE,
            der.write(0xA0, der.write_integer(2)),
            der.write_integer(serial),
            algorithm,
            name if issuer is None else issuer.subject_der,
            der.write(der.SEQUENCE, write_time(not_before), write_time(not_after)),
            name,
            der.write(der.SEQUENCE, _key_algorithm(key_algorithm), der.write_bits(key)),
            der.write(
                0xA3,
                der.write(
                    der.SEQUENCE,
                    _basic_constraints(ca, path_length),
                    _key_usage(key_usage),
                    *([_extended_usage(extended_usage)] if extended_usage else []),
                    write_extension(SUBJECT_KEY_ID, der.write(der.OCTET_STRING, key_id(key))),
                    *([] if issuer is None else [write_authority_key_id(issuer)]),
                    *([_dns_names(dns_names)] if dns_names else []),
                    *([] if organization_code is None else [_organization_code(organization_code)]),
                ),
            ),
        )
    except ValueError as error:
        raise CertificateError(str(error)) from error
    certificate = parse(der.write(der.SEQUENCE, tbs, algorithm, der.write_bits(sign(tbs))))
    if not is_signed_by(certificate, issuer or certificate):
        raise CertificateError("the signing key is not the issuer's")
    return certificate.der


def signature_algorithm(key_algorithm: str) -> bytes:
    """Return the AlgorithmIdentifier of what a key of this kind signs. Raise ValueError for other kinds."""
    if key_algorithm not in _SIGNS_WITH:
        raise ValueError(f"nothing is issued here under a key of {key_algorithm}")
    return der.write(der.SEQUENCE, der.write_oid(_SIGNS_WITH[key_algorithm]))


def _key_algorithm(key_algorithm: str) -> bytes:
    if key_algorithm not in _CURVES:
        raise ValueError(f"no certificate is issued here for a key of {key_algorithm}")
    return der.write(der.SEQUENCE, der.write_oid(EC_PUBLIC_KEY), der.write_oid(_CURVES[key_algorithm]))


def key_id(public_key: bytes) -> bytes:
    """Return a key's 20-byte identifier: the first 160 bits of its SM3, after the manner of RFC 7093."""
    return sm2.sm3(public_key)[:20]


def write_time(moment: datetime) -> bytes:
    """Return a Time (RFC 5280 4.1.2.5), which is UTCTime until 2049. Raise ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a certificate's times have a time zone")
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return der.write(der.UTC_TIME, f"{utc:%y%m%d%H%M%S}Z".encode())
    return der.write(der.GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%S}Z".encode())


def write_extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return one Extension around an encoded value."""
    flag = der.write(der.BOOLEAN, b"\xff") if critical else b""
    return der.write(der.SEQUENCE, der.write_oid(oid), flag, der.write(der.OCTET_STRING, value))


def _basic_constraints(ca: bool, path_length: int | None) -> bytes:
    if path_length is not None and (not ca or path_length < 0):
        raise ValueError("only a certificate authority has a path length, zero or more")
    parts = [der.write(der.BOOLEAN, b"\xff")] if ca else []
    if path_length is not None:
        parts.append(der.write_integer(path_length))
    return write_extension(BASIC_CONSTRAINTS, der.write(der.SEQUENCE, *parts), critical=True)


def _key_usage(usages: Collection[KeyUsage]) -> bytes:
    positions = sorted(list(KeyUsage).index(KeyUsage(usage)) for usage in set(usages))
    if not positions:
        raise ValueError("a certificate states at least one key usage")
    flags, last = sum(1 << 15 - position for position in positions), positions[-1]
    size = last // 8 + 1  # a named bit list has no zero bits at its end (X.690 11.2.2)
    bits = bytes([size * 8 - 1 - last]) + flags.to_bytes(2, "big")[:size]
    return write_extension(KEY_USAGE, der.write(der.BIT_STRING, bits), critical=True)


def write_authority_key_id(issuer: Certificate) -> bytes:
    """Return the extension that names the issuer's key."""
    identifier = issuer.extensions.subject_key_id or key_id(issuer.public_key)
    return write_extension(AUTHORITY_KEY_ID, der.write(der.SEQUENCE, der.write(0x80, identifier)))


def _extended_usage(usages: Collection[str]) -> bytes:
    value = der.write(der.SEQUENCE, *(der.write_oid(oid) for oid in sorted(usages)))
    return write_extension(EXTENDED_KEY_USAGE, value, critical=True)


def _dns_names(names: Collection[str]) -> bytes:
    """Return the extension of alternative names (RFC 5280 clause 4.2.1.6), each a dNSName."""
    if any(not _DNS_NAME.fullmatch(name) for name in names):
        raise ValueError("an alternative name is a host name in lower case")
    value = der.write(der.SEQUENCE, *(der.write(0x82, name.encode()) for name in sorted(names)))
    return write_extension(ALTERNATIVE_NAME, value)


def _organization_code(code: str) -> bytes:
    if not 0 < len(code) <= 64 or not code.isascii() or not code.isalnum():
        raise ValueError("an organisation code is letters and digits")
    return write_extension(ORGANIZATION_CODE, der.write(der.PRINTABLE_STRING, code.encode()))

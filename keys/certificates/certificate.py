"""One certificate (数字证书) as it was received; RFC 5280 clause 4, GB/T 20518-2018 clause 5.

Reading judges nothing: an expired certificate, a weak key or an unknown signature algorithm reads well, and
`verify_path` says what it is worth. Only a structure that cannot be understood is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from keys.certificates import der
from keys.certificates.extensions import Extensions, KeyUsage, read_extensions
from keys.certificates.name import read_name
from keys.sm2 import SM2Error, check_public

__all__ = ["Certificate", "CertificateError", "Extensions", "KeyUsage", "parse", "parse_pem", "to_pem"]

MAX_CERTIFICATE = 32_768  # bytes; real ones have 500 to 3,000
MAX_PEM = 1_048_576  # bytes of one PEM file
MAX_PEM_CERTIFICATES = 256

EC_PUBLIC_KEY, RSA_ENCRYPTION = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1"
SM2_CURVE, P256_CURVE = "1.2.156.10197.1.301", "1.2.840.10045.3.1.7"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
_CURVES = {SM2_CURVE: "SM2", P256_CURVE: "P-256", "1.3.132.0.34": "P-384"}


class CertificateError(ValueError):
    """Bytes that are no certificate, or a certificate that must not be made."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate's facts. Times are aware and in UTC, both ends included; names are RFC 4514 text and raw DER.

    `key_algorithm` is `SM2`, `P-256`, `P-384`, `RSA` or the OID of another; `public_key` is the content of the key's
    BIT STRING (for SM2 and the P curves the point 04‖x‖y) and `spki` the whole SubjectPublicKeyInfo.
    """

    der: bytes
    tbs: bytes  # what the issuer signed, as received
    signature_algorithm: str
    signature: bytes
    serial: int
    issuer: str
    issuer_der: bytes
    subject: str
    subject_der: bytes
    common_name: str | None
    not_before: datetime
    not_after: datetime
    key_algorithm: str
    public_key: bytes
    spki: bytes
    extensions: Extensions

    def __hash__(self) -> int:
        return hash(self.der)  # all else follows from it, and paths are remembered by it

    @property
    def key_usage(self) -> frozenset[KeyUsage] | None:
        """Return the stated key usages, None where none are stated."""
        return self.extensions.key_usage

    @property
    def is_ca(self) -> bool | None:
        """Return whether the certificate says that its key issues certificates, None where it says nothing."""
        return self.extensions.is_ca


def parse(data: bytes) -> Certificate:
    """Read one DER certificate. Raise CertificateError, and nothing else, for whatever is not one."""
    if len(data) > MAX_CERTIFICATE:
        raise CertificateError(f"a certificate has at most {MAX_CERTIFICATE} bytes")
    try:
        return _remembered(bytes(data))
    except (der.DERError, SM2Error) as error:
        raise CertificateError(f"not a certificate: {error}") from error


@lru_cache(maxsize=256)
def _remembered(data: bytes) -> Certificate:
    """Read a certificate, or return it as it was read before: the same few stand in every seal of a city."""
    return _read(data)


def parse_pem(text: str | bytes) -> list[Certificate]:
    """Read all certificates of a PEM file (RFC 7468), in its order. Raise CertificateError, also for none at all."""
    data = text.encode("ascii", "replace") if isinstance(text, str) else text
    if len(data) > MAX_PEM:
        raise CertificateError(f"a PEM file has at most {MAX_PEM} bytes")
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----", data)
    if not 0 < len(blocks) <= MAX_PEM_CERTIFICATES or len(blocks) != data.count(b"-----BEGIN CERTIFICATE-----"):
        raise CertificateError("the PEM file holds no certificate, too many, or a damaged one")
    try:
        return [parse(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks]
    except binascii.Error as error:
        raise CertificateError("a certificate of the PEM file is not base64") from error


def to_pem(certificate_der: bytes) -> str:
    """Return the PEM form of one DER certificate."""
    text = base64.b64encode(certificate_der).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _read(data: bytes) -> Certificate:
    outer = der.children(der.read_only(data, der.SEQUENCE), at_most=3)
    if len(outer) != 3:
        raise der.DERError("a certificate has three parts")
    tbs, algorithm, signature = outer
    fields = der.children(tbs.expect(der.SEQUENCE), at_most=10)
    version = 1
    if fields and fields[0].tag == 0xA0:
        version = der.read_integer(der.read_only(fields.pop(0).content, der.INTEGER)) + 1
    if version not in (1, 3) or len(fields) < 6:
        raise der.DERError("a version 1 or 3 certificate with its six fields was expected")
    serial, inner_algorithm, issuer_field, validity, subject_field, key = fields[:6]
    # Were they to differ, the signed one would say something else than the one that is followed.
    if inner_algorithm.raw != algorithm.raw:
        raise der.DERError("the certificate names two signature algorithms")
    issuer, subject = read_name(issuer_field), read_name(subject_field)
    not_before, not_after = _read_validity(validity)
    key_algorithm, public_key = _read_key(key)
    return Certificate(
        der=data,
        tbs=tbs.raw,
        signature_algorithm=read_algorithm(algorithm)[0],
        signature=der.read_bits(signature.expect(der.BIT_STRING)),
        serial=der.read_integer(serial.expect(der.INTEGER)),
        issuer=issuer.text,
        issuer_der=issuer.raw,
        subject=subject.text,
        subject_der=subject.raw,
        common_name=subject.common_name,
        not_before=not_before,
        not_after=not_after,
        key_algorithm=key_algorithm,
        public_key=public_key,
        spki=key.raw,
        extensions=read_extensions(fields[6:], version),
    )


def read_algorithm(element: der.Element) -> tuple[str, der.Element | None]:
    """Return the OID and the parameters, if any, of an AlgorithmIdentifier. Raise DERError."""
    parts = der.children(element.expect(der.SEQUENCE), at_most=2)
    if not parts:
        raise der.DERError("an algorithm has an identifier")
    return der.read_oid(parts[0].expect(der.OID)), parts[1] if len(parts) == 2 else None


def _read_validity(element: der.Element) -> tuple[datetime, datetime]:
    times = der.children(element.expect(der.SEQUENCE), at_most=2)
    if len(times) != 2:
        raise der.DERError("a validity has two times")
    return read_time(times[0]), read_time(times[1])


def read_time(element: der.Element) -> datetime:
    """Return a Time (RFC 5280 4.1.2.5), aware. Raise DERError."""
    text = element.content.decode("latin-1")
    if element.tag == der.UTC_TIME and len(text) == 13:
        text = ("19" if text >= "5" else "20") + text  # RFC 5280 4.1.2.5.1: 50 to 99 are of the last century
    elif element.tag != der.GENERALIZED_TIME or len(text) != 15:
        text = ""
    if not text[:-1].isdecimal() or text[-1] != "Z":
        raise der.DERError("a time of a certificate is YYMMDDhhmmssZ or YYYYMMDDhhmmssZ")
    try:
        month, day, hour, minute, second = (int(text[at : at + 2]) for at in (4, 6, 8, 10, 12))
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise der.DERError("a time of a certificate is no time") from error


def _read_key(element: der.Element) -> tuple[str, bytes]:
    parts = der.children(element.expect(der.SEQUENCE), at_most=2)
    if len(parts) != 2:
        raise der.DERError("a public key has an algorithm and bits")
    bits = der.read_bits(parts[1].expect(der.BIT_STRING))
    oid, parameters = read_algorithm(parts[0])
    if oid == EC_PUBLIC_KEY and parameters is not None and parameters.tag == der.OID:
        curve = der.read_oid(parameters.content)
        return _CURVES.get(curve, curve), check_public(bits) if curve == SM2_CURVE else bits
    return "RSA" if oid == RSA_ENCRYPTION else oid, bits

"""Cryptographic messages: SignedData (签名数据) of RFC 5652 clause 5 and GB/T 35275-2017 clause 8, read and verified.

Both have one structure under different object identifiers; time-stamp tokens (RFC 3161) are a third use. The signature
is verified over the bytes received. DER alone is read: no indefinite lengths. What a signature is worth is the
business of `keys.certificates`; certificates and lists found inside are handed on, nothing is fetched.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from keys.certificates import Certificate, CertificateError, RevocationList, der, parse, verify_signature
from keys.certificates.certificate import EC_PUBLIC_KEY, RSA_ENCRYPTION, SM2_CURVE, SM2_WITH_SM3, read_algorithm
from keys.certificates.crl import parse_list
from keys.sm2 import sm3
from keys.verdict import Check, Reason, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNED_DATA, GM_SIGNED_DATA = "1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"
DATA, GM_DATA = "1.2.840.113549.1.7.1", "1.2.156.10197.6.1.4.2.1"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
CERTIFICATE_V1, CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"  # RFC 5035
TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"
SM3, SHA256, SHA384, SHA512 = (
    "1.2.156.10197.1.401", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3",
)  # fmt: skip
_SHA = {SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
_SM2 = {SM2_WITH_SM3, "1.2.156.10197.1.301.1", "1.2.156.10197.1.301"}  # GB/T 35275 makers write either
# RSA and ECDSA named by key alone, with the hash beside: the algorithm that both together are.
_COMBINED = {
    (RSA_ENCRYPTION, SHA256): "1.2.840.113549.1.1.11",
    (RSA_ENCRYPTION, SHA384): "1.2.840.113549.1.1.12",
    (RSA_ENCRYPTION, SHA512): "1.2.840.113549.1.1.13",
    (EC_PUBLIC_KEY, SHA256): "1.2.840.10045.4.3.2",
    (EC_PUBLIC_KEY, SHA384): "1.2.840.10045.4.3.3",
    (EC_PUBLIC_KEY, SHA512): "1.2.840.10045.4.3.4",
}
_PSS = "1.2.840.113549.1.1.10"  # known by name alone: such signatures do not verify here
_PARAMETERS = frozenset({der.write(der.NULL), der.write_oid(SM2_CURVE)})
_OTHER_CERTIFICATES, _OTHER_LIST = frozenset({0xA0, 0xA1, 0xA2, 0xA3}), 0xA1  # RFC 5652 10.2.1 and 10.2.2
MAX_CERTIFICATES, MAX_SIGNERS, MAX_LISTS, MAX_LIST, MAX_ATTRIBUTES = 32, 16, 8, 1 << 20, 32


class CMSError(ValueError):
    """Bytes that are no SignedData, or one of a form that is not read here."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One SignerInfo. `signed` are the bytes of the signed attributes (None without), tagged SET as they are signed.

    Attributes are their one value in DER by OID.
    """

    issuer_der: bytes | None
    serial: int | None
    key_id: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    signature: bytes
    signed: bytes | None
    attributes: Mapping[str, bytes]
    unsigned: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData as received. `content` is None where it lies elsewhere."""

    gm: bool  # of GB/T 35275
    content_type: str
    content: bytes | None = field(repr=False)
    certificates: tuple[Certificate, ...]
    lists: tuple[RevocationList, ...]
    signers: tuple[Signer, ...]


def digest(algorithm: str, data: bytes) -> bytes | None:
    """Return the digest of `data` by the OID of an algorithm, None for one that is unknown or weak."""
    if algorithm == SM3:
        return sm3(data)
    return hashlib.new(_SHA[algorithm], data).digest() if algorithm in _SHA else None


def read_signed_data(data: bytes) -> SignedData:
    """Read a ContentInfo around a SignedData. Raise CMSError, and nothing else."""
    try:
        return _read(memoryview(data))
    except (der.DERError, CertificateError) as error:
        raise CMSError(f"not a SignedData: {error}") from error


def certificate_of(signed: SignedData, signer: Signer, more: Iterable[Certificate] = ()) -> Certificate | None:
    """Return the certificate that a SignerInfo names, from inside or from `more`; None where none is at hand."""
    for certificate in (*signed.certificates, *more):
        if signer.key_id is not None and certificate.extensions.subject_key_id == signer.key_id:
            return certificate
        if signer.issuer_der == certificate.issuer_der and signer.serial == certificate.serial:
            return certificate
    return None


def check_signature(signed: SignedData, signer: Signer, certificate: Certificate) -> Check:
    """Return `signature`: the signer signed his attributes, or where he has none the content, which must be there.

    Says nothing about the content where there are attributes: `check_content` does.
    """
    if signer.signed is None and signed.content is None:
        return _failed("what was signed is not at hand")
    if signer.signed is None and signed.content_type not in {DATA, GM_DATA}:
        return _failed("content that is not plain data is signed with attributes (RFC 5652 5.3)")
    if signer.signed is not None and _one(signer.attributes, CONTENT_TYPE, der.OID) != _oid(signed.content_type):
        return _failed("the signed attributes name another type of content")
    if not _names(signer, certificate):
        return _failed("the signed attributes name another certificate")
    algorithm = _algorithm(signer)
    message = signer.signed if signer.signed is not None else signed.content or b""
    if verify_signature(certificate, algorithm, message, signer.signature):
        return Check("signature", Result.OK)
    return _failed("the signature value does not fit what was signed")


def check_content(signer: Signer, content: bytes) -> Check:
    """Return `integrity`: `content` is what the signed attributes speak of. Without them the signature says it."""
    if signer.signed is None:
        return Check("integrity", Result.OK)
    expected, found = (
        _one(signer.attributes, MESSAGE_DIGEST, der.OCTET_STRING),
        digest(signer.digest_algorithm, content),
    )
    if expected is not None and found is not None and hmac.compare_digest(expected, found):
        return Check("integrity", Result.OK)
    return Check("integrity", Result.FAIL, "the content is not what was signed", Reason.DOCUMENT_ALTERED)


def _failed(detail: str) -> Check:
    return Check("signature", Result.FAIL, detail, Reason.SIGNATURE_INVALID)


def _algorithm(signer: Signer) -> str:
    if signer.signature_algorithm in _SM2:
        return SM2_WITH_SM3
    return _COMBINED.get((signer.signature_algorithm, signer.digest_algorithm), signer.signature_algorithm)


def _names(signer: Signer, certificate: Certificate) -> bool:
    """Return whether the signing-certificate attribute (RFC 5035), if there is one, means this certificate."""
    value, old = signer.attributes.get(CERTIFICATE_V2), signer.attributes.get(CERTIFICATE_V1)
    if value is None and old is None:
        return True
    try:
        listed = der.children(der.read_only(value or old or b"", der.SEQUENCE), at_most=2)[0]
        first = der.children(der.children(listed.expect(der.SEQUENCE), at_most=16)[0].expect(der.SEQUENCE), at_most=3)
        if value is None:
            found = hashlib.new("sha1", certificate.der, usedforsecurity=False).digest()
            return hmac.compare_digest(first[0].expect(der.OCTET_STRING), found)
        algorithm = read_algorithm(first.pop(0))[0] if first[0].tag == der.SEQUENCE else SHA256
        return hmac.compare_digest(first[0].expect(der.OCTET_STRING), digest(algorithm, certificate.der) or b"-")
    except (der.DERError, IndexError):
        return False


def _one(attributes: Mapping[str, bytes], oid: str, tag: int) -> bytes | None:
    try:
        return der.read_only(attributes[oid], tag) if oid in attributes else None
    except der.DERError:
        return None


def _oid(dotted: str) -> bytes:
    return der.read_only(der.write_oid(dotted), der.OID)


# -- reading ------------------------------------------------------------------------------------------------------


def _read(data: memoryview) -> SignedData:
    kind, wrapped = _parts(_only(data, der.SEQUENCE), 2)
    oid = der.read_oid(bytes(_expect(kind, der.OID)))
    if oid not in {SIGNED_DATA, GM_SIGNED_DATA}:
        raise der.DERError(f"its content type is {oid}")
    fields = _split(_only(_expect(wrapped, 0xA0), der.SEQUENCE), 6)
    if len(fields) < 4:
        raise der.DERError("a SignedData has a version, algorithms, content and signers")
    content_type, content = _content(_expect(fields[2], der.SEQUENCE))
    certificates, lists = (_optional(fields[3:-1], tag) for tag in (0xA0, 0xA1))
    if len(fields) != 4 + (certificates is not None) + (lists is not None):
        raise der.DERError("a SignedData has certificates, then lists, then signers")
    found = _split(_expect(fields[-1], der.SET), MAX_SIGNERS)
    signers = tuple(_signer(bytes(_expect(signer, der.SEQUENCE))) for signer in found)
    _refuse_contradiction(fields, signers, content_type, gm=oid == GM_SIGNED_DATA, kinds=_kinds(certificates))
    return SignedData(
        gm=oid == GM_SIGNED_DATA,
        content_type=content_type,
        content=content,
        certificates=tuple(_certificates(certificates)),
        lists=tuple(_lists(lists)),
        signers=signers,
    )


def _refuse_contradiction(
    fields: list[_Part], signers: tuple[Signer, ...], content_type: str, *, gm: bool, kinds: set[int]
) -> None:
    """Refuse a version or a list of digests that contradicts the rest (RFC 5652 5.1): neither is signed."""
    plain = content_type in {DATA, GM_DATA} and all(signer.key_id is None for signer in signers) and 0xA1 not in kinds
    version = 1 if gm or plain else 3
    version = 5 if 0xA3 in kinds else 4 if 0xA2 in kinds else version
    if der.read_integer(bytes(_expect(fields[0], der.INTEGER))) != version:
        raise der.DERError(f"a SignedData of this form has version {version}")
    listed = {_named(one) for one in der.children(bytes(_expect(fields[1], der.SET)), at_most=MAX_SIGNERS)}
    if listed != {signer.digest_algorithm for signer in signers}:
        raise der.DERError("the digests listed are not those of the signers")


def _kinds(certificates: memoryview | None) -> set[int]:
    return {tag for tag, _, _ in _split(certificates or memoryview(b""), MAX_CERTIFICATES)}


def _content(view: memoryview) -> tuple[str, bytes | None]:
    parts = _split(view, 2)
    oid = der.read_oid(bytes(_expect(parts[0], der.OID))) if parts else ""
    return oid, bytes(_only(_expect(parts[1], 0xA0), der.OCTET_STRING)) if len(parts) == 2 else None


def _certificates(view: memoryview | None) -> Iterable[Certificate]:
    """Yield the X.509 certificates; attribute certificates and other kinds, which are tagged, are passed over."""
    for tag, _, raw in _split(view or memoryview(b""), MAX_CERTIFICATES):
        if tag == der.SEQUENCE:
            yield parse(bytes(raw))
        elif tag not in _OTHER_CERTIFICATES:
            raise der.DERError("something among the certificates is none")


def _lists(view: memoryview | None) -> Iterable[RevocationList]:
    for tag, _, raw in _split(view or memoryview(b""), MAX_LISTS):
        if tag not in {der.SEQUENCE, _OTHER_LIST}:
            raise der.DERError("something among the revocation lists is none")
        if tag == der.SEQUENCE and len(raw) <= MAX_LIST:
            with suppress(CertificateError):  # lists that say too little are no reason to refuse the signature
                yield parse_list(bytes(raw))


def _signer(content: bytes) -> Signer:
    fields = der.children(content, at_most=7)
    if len(fields) < 5:
        raise der.DERError("a SignerInfo has five to seven parts")
    version, who, digest_algorithm, *rest = fields
    if der.read_integer(version.expect(der.INTEGER)) != (3 if who.tag == 0x80 else 1):
        raise der.DERError("a SignerInfo has version 1, or 3 where it names a key")
    signed = rest.pop(0) if rest[0].tag == 0xA0 else None
    if len(rest) not in (2, 3) or (len(rest) == 3 and rest[2].tag != 0xA1):
        raise der.DERError("a SignerInfo ends with a signature and unsigned attributes")
    issuer, serial, key_id = _who(who)
    value = rest[1].expect(der.OCTET_STRING)
    return Signer(
        issuer_der=issuer,
        serial=serial,
        key_id=key_id,
        digest_algorithm=_named(digest_algorithm),
        signature_algorithm=_named(rest[0]),
        signature=value,
        signed=None if signed is None else bytes([der.SET]) + signed.raw[1:],
        attributes=MappingProxyType({} if signed is None else _attributes(signed.content)),
        unsigned=MappingProxyType(_attributes(rest[2].content) if len(rest) == 3 else {}),
    )


def _named(element: der.Element) -> str:
    """Return the OID of an algorithm that takes no parameters; a curve may stand beside SM2's, and PSS has some."""
    oid, parameters = read_algorithm(element)
    if parameters is not None and parameters.raw not in _PARAMETERS and oid != _PSS:
        raise der.DERError(f"parameters of {oid} that it does not take")
    return oid


def _who(element: der.Element) -> tuple[bytes | None, int | None, bytes | None]:
    if element.tag == 0x80:
        return None, None, element.content
    parts = der.children(element.expect(der.SEQUENCE), at_most=2)
    if len(parts) != 2:
        raise der.DERError("a signer is an issuer and a serial number")
    return parts[0].raw, der.read_integer(parts[1].expect(der.INTEGER)), None


def _attributes(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in der.children(content, at_most=MAX_ATTRIBUTES):
        parts = der.children(attribute.expect(der.SEQUENCE), at_most=2)
        if len(parts) != 2:
            raise der.DERError("an attribute has a type and values")
        oid = der.read_oid(parts[0].expect(der.OID))
        values = der.children(parts[1].expect(der.SET), at_most=MAX_ATTRIBUTES)
        if oid in found or not values:
            raise der.DERError(f"attribute {oid} occurs twice or is empty")
        found[oid] = values[0].raw
        if len(values) > 1 and oid in {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME}:
            raise der.DERError(f"attribute {oid} has several values")
    return found


# Views instead of slices: the content may be a whole document, which the nesting would copy again and again.
_Part = tuple[int, memoryview, memoryview]


def _split(view: memoryview, at_most: int) -> list[_Part]:
    found: list[_Part] = []
    while len(view):
        if len(found) == at_most:
            raise der.DERError(f"more than {at_most} elements")
        start, size = der.read_head(bytes(view[:8]))
        if len(view) < start + size:
            raise der.DERError("an element is cut short")
        found.append((view[0], view[start : start + size], view[: start + size]))
        view = view[start + size :]
    return found


def _parts(view: memoryview, count: int) -> list[_Part]:
    found = _split(view, count)
    if len(found) != count:
        raise der.DERError(f"{count} elements expected")
    return found


def _expect(part: _Part, tag: int) -> memoryview:
    if part[0] != tag:
        raise der.DERError(f"tag {tag:#04x} expected, {part[0]:#04x} found")
    return part[1]


def _only(view: memoryview, tag: int) -> memoryview:
    return _expect(_parts(view, 1)[0], tag)


def _optional(parts: list[_Part], tag: int) -> memoryview | None:
    return next((content for found, content, _raw in parts if found == tag), None)

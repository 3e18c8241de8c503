"""Decode electronic seals (电子印章) and seal signatures (电子签章): GB/T 38540-2020 clauses 6.1 and 7.1.

Version 5 (GM/T 0031-2025) is version 4 with an optional timestamp on the seal. What has the form of version 1 is handed
to `seals.decoding_2014`. `seals.encoding` is the inverse.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat import asn1

from seals import decoding_2014, wire
from seals.parts import Property, bound, decode, extensions, octets, oid, seal_info, small, some, text
from seals.structure import (
    CERTIFICATES,
    DIGESTS,
    MAX_SEAL,
    MAX_SIGNATURE,
    VERSION,
    VERSION_2025,
    CertificateDigest,
    Seal,
    SealFormatError,
    SealSignature,
    SealVersionError,
)

MAX_REMEMBERED = 64 << 10  # bytes; seals of strangers must not fill the memory
MAX_OCTET = 0x7F  # the largest INTEGER of one octet


def read_seal(der: bytes) -> Seal:
    """Decode an SESeal of any version. Raise SealVersionError for unknown versions, else SealFormatError."""
    bound(der, MAX_SEAL, "a seal")
    try:
        outer = asn1.decode_der(wire.SESeal, der)
    except ValueError:
        return decoding_2014.read_seal(der)
    info_der = asn1.encode_der(outer.eSealInfo)
    info = seal_info(info_der, _version, _property)
    if outer.timeStamp is not None and info.version != VERSION_2025:
        raise SealFormatError("a timestamp on a seal of a version that has none")
    return Seal(
        der=der,
        info_der=info_der,
        signed_der=info_der,
        info=info,
        maker_certificate=outer.cert,
        algorithm=oid(outer.signAlgID),
        signature=octets(outer.signedValue, "signedValue"),
        timestamp=None if outer.timeStamp is None else octets(outer.timeStamp, "timeStamp"),
    )


def read_signature(der: bytes) -> SealSignature:
    """Decode an SES_Signature of any version. Raise SealVersionError for unknown versions, else SealFormatError."""
    bound(der, MAX_SIGNATURE, "a seal signature")
    try:
        outer = asn1.decode_der(wire.SESSignature, der)
    except ValueError:
        return decoding_2014.read_signature(der)
    _version(_leading_integer(outer.toSign))
    tbs_der = asn1.encode_der(outer.toSign)
    tbs = decode(wire.TBSSign, tbs_der, "TBS_Sign")
    seal_der = asn1.encode_der(tbs.eseal)
    seal = _remembered(seal_der) if len(seal_der) <= MAX_REMEMBERED else read_seal(seal_der)
    if tbs.version != seal.info.version:
        raise SealFormatError("the signature and the seal in it are of different versions")
    return SealSignature(
        der=der,
        tbs_der=tbs_der,
        seal=seal,
        signed_at=tbs.timeInfo.as_datetime(),
        data_hash=octets(tbs.dataHash, "dataHash"),
        property_info=text(tbs.propertyInfo.as_str(), "propertyInfo"),
        extensions=extensions(tbs.extDatas),
        signer_certificate=outer.cert,
        algorithm=oid(outer.signatureAlgID),
        signature=octets(outer.signature, "signature"),
        timestamp=None if outer.timeStamp is None else octets(outer.timeStamp, "timeStamp"),
    )


@lru_cache(maxsize=256)
def _remembered(der: bytes) -> Seal:
    """Read a seal, or return it as it was read before: one seal stands in thousands of signatures."""
    return read_seal(der)


def _property(der: bytes) -> Property:
    """Read SES_ESPropertyInfo: the list's shape decides which form it is, and certListType must agree."""
    facts: wire.PropertyWithCerts | wire.PropertyWithDigests
    certificates: tuple[bytes, ...] = ()
    digests: tuple[CertificateDigest, ...] = ()
    try:
        facts = asn1.decode_der(wire.PropertyWithCerts, der)
        certificates, expected = tuple(facts.certList), CERTIFICATES
    except ValueError:
        facts = decode(wire.PropertyWithDigests, der, "SES_ESPropertyInfo")
        digests = tuple(CertificateDigest(text(d.type.as_str(), "digest type"), d.value) for d in facts.certList)
        expected = DIGESTS
    some(facts.certList)
    if facts.certListType != expected:
        raise SealFormatError("certListType does not describe the certificate list")
    return Property(
        kind=facts.type,
        name=facts.name,
        certificates=certificates,
        digests=digests,
        created_at=facts.createDate.as_datetime(),
        valid_from=facts.validStart.as_datetime(),
        valid_until=facts.validEnd.as_datetime(),
    )


def _leading_integer(tlv: asn1.TLV) -> int:
    """Return the one-octet INTEGER that the contents of `tlv` begin with: the version of a TBS_Sign."""
    head = bytes(tlv.data[:3])
    if len(head) < 3 or head[:2] != b"\x02\x01" or head[2] > MAX_OCTET:
        raise SealFormatError("a TBS_Sign begins with its version")
    return head[2]


def _version(number: int) -> int:
    if small(number, "version") not in {VERSION, VERSION_2025}:
        raise SealVersionError(number)
    return number

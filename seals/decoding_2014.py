"""Decode electronic seals (电子印章) and seal signatures (电子签章) of version 1: GM/T 0031-2014 clauses 6.1 and 6.2.

The seal is a SEQUENCE of two, and its maker signs more than SES_SealInfo; the signer's certificate and algorithm stand
inside TBS_Sign. The time of signing is a BIT STRING whose contents the standard leaves open: makers put a UTCTime or
GeneralizedTime there, in DER or as text, or date and time of day as people write them, which is Beijing time. A
timestamp of an authority in that place is not read.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from cryptography.hazmat import asn1

from seals import wire
from seals.parts import Property, decode, octets, oid, seal_info, small, some, text
from seals.structure import VERSION_2014, Seal, SealFormatError, SealSignature, SealVersionError

_NUMBERS = frozenset({1, 2, 3})  # what headers of this standard say
_BEIJING = timezone(timedelta(hours=8))
_UTC_TIME, _GENERALIZED_TIME = re.compile(rb"\d{12}Z"), re.compile(rb"\d{14}Z")
_LOCAL_TIME = re.compile(rb"(?:19|20)\d\d-\d\d-\d\d \d\d:\d\d:\d\d")
_UTC_TIME_TAG, _GENERALIZED_TIME_TAG = b"\x17", b"\x18"
_SEQUENCE = b"\x30"


def read_seal(der: bytes) -> Seal:
    """Decode a version 1 SESeal. Raise SealVersionError or SealFormatError."""
    outer = decode(wire.SESeal2014, der, "SESeal in DER")
    info_der = asn1.encode_der(outer.esealInfo)
    signed = wire.SignedSeal2014(
        esealInfo=outer.esealInfo, cert=outer.signInfo.cert, signatureAlgorithm=outer.signInfo.signatureAlgorithm
    )
    return Seal(
        der=der,
        info_der=info_der,
        signed_der=asn1.encode_der(signed),
        info=seal_info(info_der, _version, _property),
        maker_certificate=outer.signInfo.cert,
        algorithm=oid(outer.signInfo.signatureAlgorithm),
        signature=octets(outer.signInfo.signData, "signData"),
    )


def read_signature(der: bytes) -> SealSignature:
    """Decode a version 1 SES_Signature. Raise SealVersionError or SealFormatError."""
    outer = decode(wire.SESSignature2014, der, "SES_Signature in DER")
    tbs_der = asn1.encode_der(outer.toSign)
    tbs = decode(wire.TBSSign2014, tbs_der, "TBS_Sign")
    _version(tbs.version)
    return SealSignature(
        der=der,
        tbs_der=tbs_der,
        seal=read_seal(asn1.encode_der(tbs.eseal)),
        signed_at=_time(octets(tbs.timeInfo, "timeInfo")),
        data_hash=octets(tbs.dataHash, "dataHash"),
        property_info=text(tbs.propertyInfo.as_str(), "propertyInfo"),
        extensions=(),
        signer_certificate=tbs.cert,
        algorithm=oid(tbs.signatureAlgorithm),
        signature=octets(outer.signature, "signature"),
        timestamp=None,
    )


def _property(der: bytes) -> Property:
    facts = decode(wire.Property2014, der, "SES_ESPropertyInfo")
    some(facts.certList)
    return Property(
        kind=facts.type,
        name=facts.name,
        certificates=tuple(facts.certList),
        created_at=facts.createDate.as_datetime(),
        valid_from=facts.validStart.as_datetime(),
        valid_until=facts.validEnd.as_datetime(),
    )


def _time(received: bytes) -> datetime:
    """Return the time of signing, aware."""
    try:
        if _UTC_TIME.fullmatch(received):
            received = _UTC_TIME_TAG + bytes([len(received)]) + received
        elif _GENERALIZED_TIME.fullmatch(received):
            received = _GENERALIZED_TIME_TAG + bytes([len(received)]) + received
        elif _LOCAL_TIME.fullmatch(received):
            return datetime.strptime(received.decode(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING)
        if received.startswith(_UTC_TIME_TAG):
            return asn1.decode_der(asn1.UTCTime, received).as_datetime()
        if received.startswith(_GENERALIZED_TIME_TAG):
            return asn1.decode_der(asn1.GeneralizedTime, received).as_datetime()
        other = asn1.decode_der(asn1.TLV, received)
    except ValueError as error:
        raise SealFormatError(f"not a time of signing: {error}") from None
    if other.tag_bytes == _SEQUENCE:
        raise SealVersionError(VERSION_2014, "its time of signing is a timestamp of an authority")
    raise SealFormatError("not a time of signing")


def _version(number: int) -> int:
    if small(number, "version") not in _NUMBERS:
        raise SealVersionError(number)
    return VERSION_2014

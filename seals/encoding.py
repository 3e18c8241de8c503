"""Encode electronic seals (电子印章) and seal signatures (电子签章) in DER: GB/T 38540-2020 clauses 6.1 and 7.1.

The signed parts are encoded once and then carried as bytes, so that what is signed is what is stored and sent.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from keys.certificates import der
from seals import wire
from seals.structure import CERTIFICATES, DIGESTS, MAX_TEXT, SM2_WITH_SM3, VERSION, VERSION_2025, SealFormatError

_HEAD = 40  # bytes that hold the header of any seal up to its version
_ES = b"\x16\x02ES"

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from seals.structure import Extension, SealInfo


def encode_seal_info(info: SealInfo) -> bytes:
    """Return the DER of SES_SealInfo. Raise SealFormatError for text its string types cannot hold."""
    if bool(info.certificates) == bool(info.digests):
        raise SealFormatError("a seal lists signer certificates or their digests, one of the two")
    picture = wire.PictureInfo(
        type=_ia5(info.picture.kind, "picture type"),
        data=info.picture.data,
        width=info.picture.width,
        height=info.picture.height,
    )
    return asn1.encode_der(
        wire.SESSealInfo(
            header=wire.SESHeader(ID=asn1.IA5String("ES"), version=info.version, Vid=_ia5(info.vendor, "Vid")),
            esID=_ia5(info.seal_id, "esID"),
            property=_raw(_encode_property(info)),
            picture=picture,
            extDatas=_wire_extensions(info.extensions),
        )
    )


def encode_seal(info_der: bytes, maker_certificate: bytes, signature: bytes, timestamp: bytes | None = None) -> bytes:
    """Return the DER of SESeal around an encoded SES_SealInfo and the maker's signature over it.

    Only a version 5 seal has a `timestamp`, over the signature value.
    """
    return asn1.encode_der(
        wire.SESeal(
            eSealInfo=_raw(info_der),
            cert=maker_certificate,
            signAlgID=ObjectIdentifier(SM2_WITH_SM3),
            signedValue=asn1.BitString(signature, 0),
            timeStamp=None if timestamp is None else asn1.BitString(timestamp, 0),
        )
    )


def encode_tbs(
    seal_der: bytes,
    signed_at: datetime,
    data_hash: bytes,
    property_info: str,
    extensions: Sequence[Extension] = (),
) -> bytes:
    """Return the DER of TBS_Sign, of the seal's own version. `signed_at` is aware and of whole seconds."""
    return asn1.encode_der(
        wire.TBSSign(
            version=version_of(seal_der),
            eseal=_raw(seal_der),
            timeInfo=_time(signed_at),
            dataHash=asn1.BitString(data_hash, 0),
            propertyInfo=_ia5(property_info, "propertyInfo"),
            extDatas=_wire_extensions(extensions),
        )
    )


def version_of(seal_der: bytes) -> int:
    """Return the version in the header of a seal that is written here; nothing else of it is read.

    Raise SealFormatError for bytes that do not begin as such a seal.
    """
    rest = seal_der[:_HEAD]
    try:
        for _ in range(3):  # SESeal, SES_SealInfo, SES_Header
            rest = rest[der.read_head(rest)[0] :]
        if not rest.startswith(_ES):
            raise SealFormatError("the header of a seal says ES")
        number, _rest = der.read(rest[len(_ES) : len(_ES) + 3])
        version = der.read_integer(number.expect(der.INTEGER))
    except der.DERError as error:
        raise SealFormatError(f"not a seal: {error}") from None
    return version if version == VERSION_2025 else VERSION


def encode_signature(
    tbs_der: bytes, signer_certificate: bytes, signature: bytes, timestamp: bytes | None = None
) -> bytes:
    """Return the DER of SES_Signature around an encoded TBS_Sign and the signer's signature over it."""
    return asn1.encode_der(
        wire.SESSignature(
            toSign=_raw(tbs_der),
            cert=signer_certificate,
            signatureAlgID=ObjectIdentifier(SM2_WITH_SM3),
            signature=asn1.BitString(signature, 0),
            timeStamp=None if timestamp is None else asn1.BitString(timestamp, 0),
        )
    )


def _encode_property(info: SealInfo) -> bytes:
    created, start, end = _time(info.created_at), _time(info.valid_from), _time(info.valid_until)
    name = _text(info.name, "name")
    if info.certificates:
        return asn1.encode_der(
            wire.PropertyWithCerts(
                type=info.kind,
                name=name,
                certListType=CERTIFICATES,
                certList=list(info.certificates),
                createDate=created,
                validStart=start,
                validEnd=end,
            )
        )
    digests = [wire.CertDigestObj(type=asn1.PrintableString(d.algorithm), value=d.value) for d in info.digests]
    return asn1.encode_der(
        wire.PropertyWithDigests(
            type=info.kind,
            name=name,
            certListType=DIGESTS,
            certList=digests,
            createDate=created,
            validStart=start,
            validEnd=end,
        )
    )


def _wire_extensions(extensions: Sequence[Extension]) -> list[wire.ExtData] | None:
    if not extensions:
        return None
    return [
        wire.ExtData(
            extnID=ObjectIdentifier(e.oid),
            critical=True if e.critical else (False if e.explicit_false else None),
            extnValue=e.value,
        )
        for e in extensions
    ]


def _raw(der: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, der)


def _ia5(text: str, name: str) -> asn1.IA5String:
    try:
        return asn1.IA5String(_text(text, name))
    except ValueError:
        raise SealFormatError(f"{name} holds ASCII only") from None


def _time(moment: datetime) -> asn1.GeneralizedTime:
    if moment.tzinfo is None or moment.microsecond:
        raise SealFormatError("times of a seal are aware and of whole seconds")
    return asn1.GeneralizedTime(moment.astimezone(UTC))


def _text(text: str, name: str) -> str:
    if len(text) > MAX_TEXT:
        raise SealFormatError(f"{name} is longer than {MAX_TEXT} characters")
    return text

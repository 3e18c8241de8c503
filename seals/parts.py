"""The parts that seals of every version are made of: GB/T 38540-2020 clause 6.1, GM/T 0031-2014 and GM/T 0031-2025.

Decoding is strict DER and of fixed depth; certificates and extension values stay opaque. One leniency: `critical FALSE`
written out, which DER forbids and real seal systems do; `Extension.explicit_false` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat import asn1

from seals import wire
from seals.structure import (
    MAX_ARC,
    MAX_CERTIFICATES,
    MAX_EXTENSIONS,
    MAX_NUMBER,
    MAX_TEXT,
    Extension,
    Picture,
    SealFormatError,
    SealInfo,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from datetime import datetime

    from cryptography.x509 import ObjectIdentifier

    from seals.structure import CertificateDigest

_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """SES_ESPropertyInfo (印章属性), of whatever version."""

    kind: int
    name: str
    certificates: tuple[bytes, ...] = ()
    digests: tuple[CertificateDigest, ...] = ()
    created_at: datetime
    valid_from: datetime
    valid_until: datetime


def seal_info(der: bytes, version_of: Callable[[int], int], property_of: Callable[[bytes], Property]) -> SealInfo:
    """Decode SES_SealInfo (印章信息).

    `version_of` turns the header's number into the version; `property_of` decodes the SES_ESPropertyInfo in DER. Raise
    SealFormatError.
    """
    info = decode(wire.SESSealInfo, der, "SES_SealInfo")
    version = version_of(info.header.version)
    if info.header.ID.as_str() != "ES":
        raise SealFormatError("the header of a seal says ES")
    facts = property_of(asn1.encode_der(info.property))
    return SealInfo(
        version=version,
        vendor=text(info.header.Vid.as_str(), "Vid"),
        seal_id=text(info.esID.as_str(), "esID"),
        kind=small(facts.kind, "type"),
        name=text(facts.name, "name"),
        certificates=facts.certificates,
        digests=facts.digests,
        created_at=facts.created_at,
        valid_from=facts.valid_from,
        valid_until=facts.valid_until,
        picture=Picture(
            text(info.picture.type.as_str(), "picture type"),
            info.picture.data,
            small(info.picture.width, "width"),
            small(info.picture.height, "height"),
        ),
        extensions=extensions(info.extDatas),
    )


def extensions(received: list[wire.ExtData] | None) -> tuple[Extension, ...]:
    """Return ExtensionDatas (自定义数据), perhaps none."""
    if received is None:
        return ()
    if len(received) > MAX_EXTENSIONS:
        raise SealFormatError(f"more than {MAX_EXTENSIONS} extensions")
    return tuple(
        Extension(oid(e.extnID), e.critical is True, e.extnValue, explicit_false=e.critical is False) for e in received
    )


def decode(shape: type[_Shape], der: bytes, name: str) -> _Shape:
    """Decode strict DER. Raise SealFormatError, naming the part."""
    try:
        return asn1.decode_der(shape, der)
    except ValueError as error:
        raise SealFormatError(f"not a {name}: {error}") from None


def bound(der: bytes, limit: int, name: str) -> None:
    """Refuse bytes that are too many, before they are decoded."""
    if len(der) > limit:
        raise SealFormatError(f"{name} has at most {limit} bytes")


def some(certificates: Sized) -> None:
    """Refuse a certificate list that names nobody, or more than anybody needs."""
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise SealFormatError(f"the certificate list has no entry, or more than {MAX_CERTIFICATES}")


def octets(bits: asn1.BitString, name: str) -> bytes:
    """Return the contents of a BIT STRING of whole octets."""
    if bits.padding_bits():
        raise SealFormatError(f"{name} is not a whole number of octets")
    return bits.as_bytes()


def oid(identifier: ObjectIdentifier) -> str:
    """Return an object identifier in dotted form; its arcs are of sensible size."""
    if any(int(arc) > MAX_ARC for arc in identifier.dotted_string.split(".")):
        raise SealFormatError("an object identifier with an arc above 2^32")
    return identifier.dotted_string


def small(number: int, name: str) -> int:
    """Refuse numbers without sense, which may be of any length in DER and then cannot even be printed."""
    if not 0 <= number <= MAX_NUMBER:
        raise SealFormatError(f"{name} is negative or above {MAX_NUMBER}")
    return number


def text(value: str, name: str) -> str:
    """Refuse a text longer than anybody reads."""
    if len(value) > MAX_TEXT:
        raise SealFormatError(f"{name} is longer than {MAX_TEXT} characters")
    return value

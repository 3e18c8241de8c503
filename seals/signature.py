"""Make electronic seals (制章) and electronic seal signatures (签章): GB/T 38540-2020 clauses 6.2 and 7.2.

The signing itself is given from outside as `sign(data) -> DER signature` (SM2 with SM3), because the key may sit in a
hardware module. A seal signature is a pure function of its seal, time, data hash, property text, certificate and
signature value: a database row keeps the time and the value only, and `assemble` gives back the same bytes.

    value = sign(tbs(seal, signed_at, data_hash, name))
    der = assemble(seal, signed_at, data_hash, name, signer_certificate=certificate, signature=value)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seals.decoding import read_seal
from seals.encoding import encode_seal, encode_seal_info, encode_signature, encode_tbs
from seals.structure import VERSION, VERSION_2025, Picture, SealFormatError, SealInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from seals.structure import Extension

UNIT, PERSONAL = 1, 2  # kinds of seal: 单位印章, 个人印章; other numbers are a vendor's own
HASH_BYTES = 32  # SM3


def make_seal(
    *,
    seal_id: str,
    vendor: str,
    name: str,
    picture: Picture,
    signer_certificates: Sequence[bytes],
    created_at: datetime,
    valid_from: datetime,
    valid_until: datetime,
    maker_certificate: bytes,
    sign: Callable[[bytes], bytes],
    kind: int = UNIT,
    extensions: Sequence[Extension] = (),
    version: int = VERSION,
    timestamp: Callable[[bytes], bytes | None] | None = None,
) -> bytes:
    """Return the DER of a seal (SESeal) that the maker signs through `sign`; times are aware, of whole seconds.

    `version` is 4 (GB/T 38540-2020) or 5 (GM/T 0031-2025); a version 5 seal takes the time stamp that
    `timestamp(signature) -> token` gives over the maker's signature value.

    Raise SealFormatError where a fact does not fit the structure, before anything is signed.
    """
    if not seal_id or not name or valid_until <= valid_from:
        raise SealFormatError("a seal has a number, a name, and an end after its beginning")
    info = encode_seal_info(
        SealInfo(
            seal_id=seal_id,
            vendor=vendor,
            kind=kind,
            name=name,
            certificates=tuple(signer_certificates),
            created_at=created_at,
            valid_from=valid_from,
            valid_until=valid_until,
            picture=picture,
            extensions=tuple(extensions),
            version=version,
        )
    )
    read_seal(encode_seal(info, maker_certificate, b"\0"))  # what cannot be read back is not signed
    value = sign(info)
    token = timestamp(value) if timestamp is not None and version == VERSION_2025 else None
    return encode_seal(info, maker_certificate, value, token)


def tbs(seal_der: bytes, signed_at: datetime, data_hash: bytes, property_info: str) -> bytes:
    """Return TBS_Sign (待签章数据), the bytes to sign.

    `data_hash` is the SM3 of the document (in an OFD: of Signature.xml).
    `property_info` names the document's kind or, in an OFD, the path of Signature.xml. Raise SealFormatError.
    """
    if len(data_hash) != HASH_BYTES:
        raise SealFormatError("the data hash is an SM3 value of 32 bytes")
    return encode_tbs(seal_der, signed_at, data_hash, property_info)


def assemble(
    seal_der: bytes,
    signed_at: datetime,
    data_hash: bytes,
    property_info: str,
    *,
    signer_certificate: bytes,
    signature: bytes,
) -> bytes:
    """Return the DER of SES_Signature; the same arguments always give the same bytes. Raise SealFormatError."""
    return encode_signature(tbs(seal_der, signed_at, data_hash, property_info), signer_certificate, signature)

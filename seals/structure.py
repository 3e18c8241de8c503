"""Electronic seals (电子印章) and electronic seal signatures (电子签章) as values: GB/T 38540-2020 clauses 6.1 and 7.1.

Three versions are alive, and one set of values holds them all: 1 is GM/T 0031-2014, 4 is GB/T 38540-2020, 5 is
GM/T 0031-2025. `seals.decoding` reads all three, `seals.encoding` writes 4 and 5. Whatever somebody signed is kept as
the bytes received, because a signature is verified over those, never over what was encoded again.

Limits: a seal signature has at most 4 MiB, a seal 2 MiB; at most 100 certificates and 64 extensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

SM2_WITH_SM3 = "1.2.156.10197.1.501"
VERSION = 4  # the version that is written unless the settings say 5
VERSION_2014, VERSION_2025 = 1, 5
MAX_SIGNATURE, MAX_SEAL = 4 << 20, 2 << 20  # bytes
MAX_CERTIFICATES, MAX_EXTENSIONS, MAX_TEXT, MAX_NUMBER = 100, 64, 1_000, 1_000_000
MAX_ARC = 1 << 32  # of an object identifier
CERTIFICATES, DIGESTS = 1, 2  # certListType


class SealFormatError(ValueError):
    """The bytes are not what the standards describe; the message says where."""


class SealVersionError(SealFormatError):
    """A seal or signature of a version, or a variant of one, that is not read here."""

    def __init__(self, version: int, detail: str = "its form is that of no version known here") -> None:
        super().__init__(f"version {version} is not read: {detail}")
        self.version = version


@dataclass(frozen=True, slots=True)
class CertificateDigest:
    """The digest of a signer certificate (证书杂凑): name or OID of the hash, and its value."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a seal (印章图像): kind such as PNG or SVG, bytes, size in millimetres."""

    kind: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Extension:
    """One ExtData (自定义数据). `explicit_false`: `critical FALSE` was written out, which DER forbids."""

    oid: str
    critical: bool
    value: bytes
    explicit_false: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealInfo:
    """SES_SealInfo (印章信息). Either `certificates` or `digests` lists who may sign with the seal.

    `version` is 1, 4 or 5; the header of a version 1 seal may say 1, 2 or 3.
    """

    seal_id: str
    vendor: str
    kind: int
    name: str
    certificates: tuple[bytes, ...] = ()
    digests: tuple[CertificateDigest, ...] = ()
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    picture: Picture
    extensions: tuple[Extension, ...] = ()
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Seal:
    """SESeal (电子印章) as received: `der` whole, `info_der` its SES_SealInfo, `signed_der` what the maker signed.

    The maker signs SES_SealInfo alone; in version 1 a SEQUENCE of that, his certificate and the algorithm. Only
    version 5 has a `timestamp`.
    """

    der: bytes
    info_der: bytes
    signed_der: bytes
    info: SealInfo
    maker_certificate: bytes
    algorithm: str
    signature: bytes
    timestamp: bytes | None = None


class SealSignature(NamedTuple):
    """SES_Signature (电子签章数据) as received: `tbs_der` is the part the signer signed."""

    der: bytes
    tbs_der: bytes
    seal: Seal
    signed_at: datetime
    data_hash: bytes
    property_info: str
    extensions: tuple[Extension, ...]
    signer_certificate: bytes
    algorithm: str
    signature: bytes
    timestamp: bytes | None

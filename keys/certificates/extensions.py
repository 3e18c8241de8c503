"""Extensions of certificates (证书扩展项): RFC 5280 clause 4.2, and those of GB/T 20518-2018 for who the holder is.

The identity extensions 1.2.156.10260.4.1 decide nothing here: makers encode them differently, so contents of another
type than the standard's are read as text where they are text, and as nothing otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from keys.certificates import der

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE = "2.5.29.15", "2.5.29.19", "2.5.29.37"
SUBJECT_KEY_ID, AUTHORITY_KEY_ID, ALTERNATIVE_NAME = "2.5.29.14", "2.5.29.35", "2.5.29.17"
_IDENTITY = "1.2.156.10260.4.1"
ORGANIZATION_CODE = f"{_IDENTITY}.4"  # 组织机构代码, today the unified social credit code
# GB/T 20518-2018 5.2.4.2 and GM/T 0015-2023: name here, by OID.
IDENTITIES = {
    f"{_IDENTITY}.1": "identity_code",  # 个人身份标识
    f"{_IDENTITY}.1.1": "identity_code",  # 身份证, its own OID since 2023
    f"{_IDENTITY}.1.2": "passport",
    f"{_IDENTITY}.2": "insurance_number",  # 个人社会保险号
    f"{_IDENTITY}.3": "registration_number",  # 企业工商注册号
    ORGANIZATION_CODE: "organization_code",
    f"{_IDENTITY}.5": "taxation_number",  # 企业税号
}
PERSONAL = frozenset({"identity_code", "passport", "insurance_number"})  # whoever shows these masks them

ANY_USAGE, TIME_STAMPING = "2.5.29.37.0", "1.3.6.1.5.5.7.3.8"
_MAX_IDENTITY, _MAX_USAGES = 64, 64
# Critical certificate policies, alternative names and CRL addresses take nothing away from a signature, so they need
# not be followed; name constraints and everything unheard of might, and are not understood.
_UNDERSTOOD = {
    KEY_USAGE,
    BASIC_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    SUBJECT_KEY_ID,
    AUTHORITY_KEY_ID,
    *IDENTITIES,
    ALTERNATIVE_NAME,
    "2.5.29.31",
    "2.5.29.32",
}
_TEXT = {der.PRINTABLE_STRING, der.UTF8_STRING, 0x16}  # and IA5String
_WRAPPED = {0xA0, 0xA1, 0xA2}  # the choices of IdentityCode, with explicit tags
_BARE = {0x80, 0x81, 0x82}  # with implicit ones


class KeyUsage(StrEnum):
    """What a key may be used for, in the order of its bits; RFC 5280 4.2.1.3, whose names these are."""

    DIGITAL_SIGNATURE = "digitalSignature"
    NON_REPUDIATION = "nonRepudiation"
    KEY_ENCIPHERMENT = "keyEncipherment"
    DATA_ENCIPHERMENT = "dataEncipherment"
    KEY_AGREEMENT = "keyAgreement"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"
    ENCIPHER_ONLY = "encipherOnly"
    DECIPHER_ONLY = "decipherOnly"


@dataclass(frozen=True, slots=True)
class Extensions:
    """The extensions understood here; None where the certificate says nothing."""

    key_usage: frozenset[KeyUsage] | None = None
    is_ca: bool | None = None
    path_length: int | None = None
    extended_usage: frozenset[str] | None = None  # OIDs
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    identities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    critical: frozenset[str] = frozenset()  # OIDs
    unknown_critical: tuple[str, ...] = ()  # OIDs that whoever relies on the certificate would have to understand

    @property
    def organization_code(self) -> str | None:
        """Return the organisation's code, None where the certificate names none."""
        return self.identities.get("organization_code")


def read_extensions(fields: list[der.Element], version: int) -> Extensions:
    """Read what follows the public key of a certificate. Raise DERError."""
    wrapped = [element for element in fields if element.tag == 0xA3]
    if any(element.tag not in (0x81, 0x82, 0xA3) for element in fields) or len(wrapped) > 1:
        raise der.DERError("the fields after the public key are not those of a certificate")
    if wrapped and version != 3:
        raise der.DERError("only a version 3 certificate has extensions")
    values, critical = read_list(der.read_only(wrapped[0].content, der.SEQUENCE)) if wrapped else ({}, frozenset())
    is_ca, path_length = _basic_constraints(values.get(BASIC_CONSTRAINTS))
    identities = {name: _identity(values[oid]) for oid, name in IDENTITIES.items() if oid in values}
    return Extensions(
        key_usage=_key_usage(values.get(KEY_USAGE)),
        is_ca=is_ca,
        path_length=path_length,
        extended_usage=_extended_usage(values.get(EXTENDED_KEY_USAGE)),
        subject_key_id=_subject_key_id(values.get(SUBJECT_KEY_ID)),
        authority_key_id=authority_key_id(values.get(AUTHORITY_KEY_ID)),
        identities=MappingProxyType({name: text for name, text in identities.items() if text is not None}),
        critical=critical,
        unknown_critical=tuple(sorted(critical - _UNDERSTOOD)),
    )


def read_list(content: bytes) -> tuple[dict[str, bytes], frozenset[str]]:
    """Return the values of an Extensions sequence by OID, and the OIDs of the critical ones. Raise DERError."""
    values: dict[str, bytes] = {}
    critical = set()
    for element in der.children(content):
        parts = der.children(element.expect(der.SEQUENCE), at_most=3)
        if len(parts) not in (2, 3):
            raise der.DERError("an extension has two or three parts")
        oid = der.read_oid(parts[0].expect(der.OID))
        if oid in values:
            raise der.DERError(f"extension {oid} occurs twice")
        values[oid] = parts[-1].expect(der.OCTET_STRING)
        if len(parts) == 3 and der.read_boolean(parts[1].expect(der.BOOLEAN)):
            critical.add(oid)
    return values, frozenset(critical)


def authority_key_id(value: bytes | None) -> bytes | None:
    """Return the key identifier of an AuthorityKeyIdentifier. Raise DERError."""
    if value is None:
        return None
    parts = der.children(der.read_only(value, der.SEQUENCE), at_most=3)
    return next((part.content for part in parts if part.tag == 0x80), None)


def _key_usage(value: bytes | None) -> frozenset[KeyUsage] | None:
    if value is None:
        return None
    bits = der.read_only(value, der.BIT_STRING)
    if not 2 <= len(bits) <= 3 or bits[0] > 7:
        raise der.DERError("a key usage is a string of nine bits at most")
    flags = int.from_bytes(bits[1:].ljust(2, b"\0"), "big")
    return frozenset(usage for position, usage in enumerate(KeyUsage) if flags >> 15 - position & 1)


def _extended_usage(value: bytes | None) -> frozenset[str] | None:
    if value is None:
        return None
    usages = der.children(der.read_only(value, der.SEQUENCE), at_most=_MAX_USAGES)
    if not usages:
        raise der.DERError("an extended key usage names at least one purpose")
    return frozenset(der.read_oid(usage.expect(der.OID)) for usage in usages)


def _basic_constraints(value: bytes | None) -> tuple[bool | None, int | None]:
    if value is None:
        return None, None
    parts = der.children(der.read_only(value, der.SEQUENCE), at_most=2)
    is_ca = der.read_boolean(parts.pop(0).content) if parts and parts[0].tag == der.BOOLEAN else False
    if not parts:
        return is_ca, None
    path_length = der.read_integer(parts.pop(0).expect(der.INTEGER))
    if parts or path_length < 0:
        raise der.DERError("basic constraints are a boolean and a length")
    return is_ca, path_length


def _subject_key_id(value: bytes | None) -> bytes | None:
    return None if value is None else der.read_only(value, der.OCTET_STRING)


def _identity(value: bytes) -> str | None:
    """Return the text of an identity extension, whichever string or choice it is; None for anything else."""
    try:
        element, rest = der.read(value)
        if element.tag in _WRAPPED:
            element, rest = der.read(element.content)
        if rest or element.tag not in _TEXT | _BARE or len(element.content) > _MAX_IDENTITY:
            return None
        return element.content.decode("utf-8")
    except (der.DERError, UnicodeDecodeError):
        return None

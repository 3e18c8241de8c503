"""Certificate revocation lists (证书撤销列表 CRL): read and issue; RFC 5280 clause 5, GB/T 20518-2018 clause 6.

Lists come by configuration or beside a signature, never from an address that a file names. Delta lists, lists of
another authority's certificates and lists for some reasons only say too little to rely on, and are refused: the
extensions that make them so are critical.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from keys.certificates import der
from keys.certificates.certificate import Certificate, CertificateError, read_algorithm, read_time
from keys.certificates.extensions import AUTHORITY_KEY_ID, authority_key_id, read_list
from keys.certificates.issue import signature_algorithm, write_authority_key_id, write_extension, write_time
from keys.certificates.name import read_name
from keys.certificates.signature import verify_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

MAX_LIST = 16 << 20  # bytes
MAX_ENTRIES = 500_000
MAX_LISTS = 64  # in one PEM file
_NUMBER, _REASON, _INVALIDITY = "2.5.29.20", "2.5.29.21", "2.5.29.24"
_HARMLESS = frozenset({_NUMBER, _REASON, _INVALIDITY, AUTHORITY_KEY_ID})
_ENUMERATED = 0x0A
_HOLD, _REMOVED = 6, 8
REASONS = {
    0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
    5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}  # fmt: skip


class Revocation(NamedTuple):
    """Since when a certificate is revoked, and why. `since` is the earlier of revocation and stated invalidity."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """A list as it was received; nothing is said yet about who signed it."""

    der: bytes = field(repr=False)
    tbs: bytes = field(repr=False)
    signature_algorithm: str
    signature: bytes = field(repr=False)
    issuer: str
    this_update: datetime
    next_update: datetime | None
    number: int | None
    authority_key_id: bytes | None
    revoked: Mapping[int, Revocation] = field(repr=False)


def read_lists(data: bytes) -> tuple[RevocationList, ...]:
    """Read one list in DER, or all lists of a PEM file (RFC 7468). Raise CertificateError, also for none at all."""
    if b"-----BEGIN X509 CRL-----" not in data:
        return (parse_list(data),)
    blocks = re.findall(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----", data)
    if len(blocks) > MAX_LISTS or len(blocks) != data.count(b"-----BEGIN X509 CRL-----"):
        raise CertificateError("the PEM file holds too many lists, or a damaged one")
    try:
        return tuple(parse_list(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks)
    except binascii.Error as error:
        raise CertificateError("a list of the PEM file is not base64") from error


def parse_list(data: bytes) -> RevocationList:
    """Read one list in DER. Raise CertificateError, and nothing else, for whatever is not one or says too little."""
    if len(data) > MAX_LIST:
        raise CertificateError(f"a revocation list has at most {MAX_LIST} bytes")
    try:
        return _remembered(bytes(data))
    except der.DERError as error:
        raise CertificateError(f"not a revocation list: {error}") from error


def issue_list(
    *,
    issuer: Certificate,
    sign: Callable[[bytes], bytes],
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Iterable[tuple[int, datetime, str]],
) -> bytes:
    """Return the DER of a list over `revoked` (serial, since, reason), verified under the issuer's key.

    Raise CertificateError for facts that make no list, and whatever `sign` raises.
    """
    codes = {name: code for code, name in REASONS.items()}
    try:
        algorithm = signature_algorithm(issuer.key_algorithm)
        entries = [_entry(serial, since, codes[reason]) for serial, since, reason in sorted(revoked)]
        tbs = der.write(
            der.SEQUENCE,
            der.write_integer(1),
            algorithm,
            issuer.subject_der,
            write_time(this_update),
            write_time(next_update),
            *([der.write(der.SEQUENCE, *entries)] if entries else []),
            der.write(
                0xA0,
                der.write(
                    der.SEQUENCE, write_authority_key_id(issuer), write_extension(_NUMBER, der.write_integer(number))
                ),
            ),
        )
    except (ValueError, KeyError) as error:
        raise CertificateError(f"no revocation list: {error}") from error
    made = parse_list(der.write(der.SEQUENCE, tbs, algorithm, der.write_bits(sign(tbs))))
    if not is_list_of(made, issuer):
        raise CertificateError("the signing key is not the issuer's")
    return made.der


@lru_cache(maxsize=256)
def is_list_of(revocations: RevocationList, issuer: Certificate) -> bool:
    """Return whether `revocations` names `issuer` and was signed by its key."""
    return revocations.issuer == issuer.subject and verify_signature(
        issuer, revocations.signature_algorithm, revocations.tbs, revocations.signature
    )


@lru_cache(maxsize=64)
def _remembered(data: bytes) -> RevocationList:
    outer = der.children(der.read_only(data, der.SEQUENCE), at_most=3)
    if len(outer) != 3:
        raise der.DERError("a list has three parts")
    tbs, algorithm, signature = outer
    fields = der.children(tbs.expect(der.SEQUENCE), at_most=7)
    if fields and fields[0].tag == der.INTEGER and der.read_integer(fields.pop(0).content) != 1:
        raise der.DERError("a version 2 list was expected")
    if len(fields) < 3 or fields[0].raw != algorithm.raw:
        raise der.DERError("a list has an algorithm (one alone), an issuer and a time")
    issuer, this_update, rest = read_name(fields[1]), read_time(fields[2]), fields[3:]
    next_update = read_time(rest.pop(0)) if rest and rest[0].tag in (der.UTC_TIME, der.GENERALIZED_TIME) else None
    entries = rest.pop(0).content if rest and rest[0].tag == der.SEQUENCE else b""
    values = _known(der.read_only(rest.pop(0).content, der.SEQUENCE)) if rest and rest[0].tag == 0xA0 else {}
    if rest:
        raise der.DERError("something follows the extensions of a list")
    return RevocationList(
        der=data,
        tbs=tbs.raw,
        signature_algorithm=read_algorithm(algorithm)[0],
        signature=der.read_bits(signature.expect(der.BIT_STRING)),
        issuer=issuer.text,
        this_update=this_update,
        next_update=next_update,
        number=der.read_integer(der.read_only(values[_NUMBER], der.INTEGER)) if _NUMBER in values else None,
        authority_key_id=authority_key_id(values.get(AUTHORITY_KEY_ID)),
        revoked=MappingProxyType(_revoked(entries)),
    )


def _revoked(content: bytes) -> dict[int, Revocation]:
    found: dict[int, Revocation] = {}
    view, place = memoryview(content), 0
    while place < len(view):  # not `children`: slicing the rest again and again would be quadratic
        element, _ = der.read(bytes(view[place : place + 4096]))
        place += len(element.raw)
        parts = der.children(element.expect(der.SEQUENCE), at_most=3)
        if len(parts) not in (2, 3) or len(found) == MAX_ENTRIES:
            raise der.DERError("an entry of a list has a serial and a time, and there are too many of them otherwise")
        serial, since = der.read_integer(parts[0].expect(der.INTEGER)), read_time(parts[1])
        values = _known(parts[2].expect(der.SEQUENCE)) if len(parts) == 3 else {}
        reason = _reason(values.get(_REASON))
        if _INVALIDITY in values:
            since = min(since, read_time(der.read(values[_INVALIDITY])[0]))
        if reason != _REMOVED:
            found[serial] = Revocation(since, REASONS.get(reason, str(reason)))
    return found


def _reason(value: bytes | None) -> int:
    return 0 if value is None else der.read_integer(der.read_only(value, _ENUMERATED))


def _known(content: bytes) -> dict[str, bytes]:
    values, critical = read_list(content)
    if critical - _HARMLESS:
        raise der.DERError(f"critical extensions not followed here: {', '.join(sorted(critical - _HARMLESS))}")
    return values


def _entry(serial: int, since: datetime, reason: int) -> bytes:
    extensions = write_extension(_REASON, der.write(_ENUMERATED, bytes([reason])))
    parts = der.write_integer(serial), write_time(since), der.write(der.SEQUENCE, extensions)
    return der.write(der.SEQUENCE, *parts)

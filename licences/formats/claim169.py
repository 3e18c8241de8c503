"""A person's licence as Claim 169 (MOSIP 二维码身份声明): CWT claim 169 in a COSE_Sign1, zlib, base45.

A QR code that readers of other systems know. It says who somebody is and no more of the licence than its number; the
paper QR (LC1) says what was issued in half the room. The message is COSE without its tag, as `keys.cose` writes it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from idservice.numbers import citizen
from keys import cbor, cose
from keys.verdict import Reason
from licences.formats import lc1_text
from licences.formats.lc1_text import LC1TextError
from licences.formats.refusal import FormatError
from licences.lifecycle import CHINA_STANDARD_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from keys.signer import PublicKey, Signer
    from licences.metadata import Metadata

CLAIM: Final = 169  # registered for "MOSIP identity QR" in the CWT claims registry
MAX_TEXT: Final = 4_096  # characters
MAX_INFLATED: Final = 4_096  # bytes
_ISSUER, _SUBJECT, _EXPIRES, _BEGINS, _ISSUED = 1, 2, 4, 5, 6  # RFC 8392 section 4
_CLAIMS: Final = frozenset({_ISSUER, _SUBJECT, _EXPIRES, _BEGINS, _ISSUED, CLAIM})
#: Members of the claim: identifier, language, full name, birth date, gender, address, nationality.
_ID, _LANGUAGE, _NAME, _BORN, _GENDER, _ADDRESS, _NATION = 1, 3, 4, 8, 9, 10, 13
_ZLIB, _SHORTEST = 0x78, 100
_GENDERS: Final = {citizen.Sex.MALE: 1, citizen.Sex.FEMALE: 2}

_REASONS = {
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "header_refused": Reason.SIGNATURE_INVALID,
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "bad_payload": Reason.FORMAT_UNKNOWN,
}


class Claim169Error(FormatError):
    """The code is refused; codes: `too_large malformed header_refused algorithm unknown_key signature bad_payload`."""

    reasons = _REASONS


@dataclass(frozen=True, slots=True)
class Verified:
    """What a code says: the key that signed it, whose it is (`number`), and the members of claim 169."""

    kid: str
    subject: str
    members: Mapping[cbor.Key, cbor.Value]


def make(metadata: Metadata, *, issuer: str, issued_at: datetime, signer: Signer) -> str:
    """Return the text of the code; ValueError where the holder is no person.

    The subject of the CWT is the licence's identifier: the number of a person stands in the claim alone.
    """
    holder = metadata.holders[0]
    if holder.code_type == "001":
        raise ValueError("Claim 169 is about persons")
    parts = citizen.parts(holder.code)
    members: dict[object, object] = {
        _ID: holder.code,
        _LANGUAGE: "zho",
        _NAME: holder.name,
        _BORN: parts.birth_date.isoformat(),
        _GENDER: _GENDERS[parts.sex],
        _NATION: "CN",
    }
    if isinstance(address := metadata.surface.get("address"), str):
        members[_ADDRESS] = address
    claims: dict[object, object] = {
        _ISSUER: issuer,
        _SUBJECT: metadata.identifier,
        _BEGINS: _begin_of(metadata.valid_from),
        _ISSUED: int(issued_at.timestamp()),
        CLAIM: members,
    }
    if metadata.valid_until is not None:
        claims[_EXPIRES] = _begin_of(metadata.valid_until + timedelta(days=1))
    message = cose.sign(cbor.encode(claims), signer=signer)
    return lc1_text.base45(zlib.compress(message, 9))


def looks_like(text: str) -> bool:
    """Tell whether a scanned text may be such a code: base45 of a zlib stream begins so, and nothing else of ours."""
    if len(text) < _SHORTEST:
        return False
    try:
        head = lc1_text.from_base45(text[:3])
    except LC1TextError:
        return False
    return len(head) == 2 and head[0] == _ZLIB and int.from_bytes(head, "big") % 31 == 0  # RFC 1950 section 2.2


def authenticate(text: str, keys: Iterable[PublicKey]) -> Verified:
    """Return what a code says if one of `keys` signed it, whatever the day; raises `Claim169Error`."""
    try:
        message = cose.read(_inflate(text))
        key = cose.verify(message, keys)
        claims = cbor.decode(message.payload, max_bytes=MAX_INFLATED)
    except cose.COSEError as error:
        raise Claim169Error(error.code) from None
    except cbor.CBORError:
        raise Claim169Error("bad_payload") from None
    if not isinstance(claims, dict) or not {_SUBJECT, CLAIM} <= claims.keys() <= _CLAIMS:
        raise Claim169Error("bad_payload")
    subject, members = claims[_SUBJECT], claims[CLAIM]
    if not isinstance(subject, str) or not isinstance(members, dict):
        raise Claim169Error("bad_payload")
    return Verified(key.kid, subject, members)


def _begin_of(day: date) -> int:
    return int(datetime.combine(day, time(), CHINA_STANDARD_TIME).timestamp())


def _inflate(text: str) -> bytes:
    if len(text) > MAX_TEXT:
        raise Claim169Error("too_large")
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(lc1_text.from_base45(text), MAX_INFLATED)
    except (LC1TextError, zlib.error):
        raise Claim169Error("malformed") from None
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise Claim169Error("malformed")
    return found

"""LC1, the code on a paper licence (纸质证照二维码): a licence in some 240 signed bytes, to be read without a network.

A COSE_Sign1 message (`keys.cose`) whose payload is a CWT claims set (RFC 8392) in deterministic CBOR, compressed with
raw DEFLATE (RFC 1951) and a preset dictionary. `docs/lc1.md` gives the claim numbers. A type's template says in which
order its fields stand; it is named by a digest, so a code is only read with the very template it was written with.

The code can be copied like the paper it stands on: it says what was issued, never whether that still holds.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from keys import cbor, cose
from keys.canonical import canonical_json
from keys.cose import COSEError
from keys.signer import Algorithm
from keys.verdict import Reason
from licences.formats import lc1_text
from licences.formats.lc1_text import LC1TextError, Scanned
from licences.formats.refusal import FormatError
from licences.lifecycle import CHINA_STANDARD_TIME
from licences.surface import FieldType, Mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import PublicKey, Signer
    from licences.definition import LicenceType
    from licences.metadata import Metadata
    from licences.surface import Field, Value

DICTIONARY_SHA256: Final = "7f4f03c3b62e07890d903b2dcfd49ccf1a69c975df669bb912914c4e5ef8d3a4"
MAX_INFLATED: Final = 4_096  # bytes
#: With 80 bytes of header and signature as much as the URL form holds in a QR code of version 12 at level M, with 29
#: characters for scheme and host.
MAX_PAYLOAD: Final = 178
LICENCE_ID_BYTES: Final = 8
MAX_FIELDS: Final = 64
#: Texts are cut to the first of these lengths at which the message fits; a text that was cut ends in `CUT`.
_LENGTHS: Final = (100, 64, 48, 36, 28, 20, 14, 8)
CUT: Final = "…"

#: How many bytes more the header of a message in SM2 takes: its algorithm is a number for private use.
_LONGER: Final = {Algorithm.SM2: 4}

_EXPIRES, _ISSUED, _LICENCE, _STATUS, _FACE = 4, 6, 7, -1, "f"  # 4, 6 and 7 are exp, iat and cti of RFC 8392
_CLAIMS = frozenset({_EXPIRES, _ISSUED, _LICENCE, _STATUS, _FACE})
_TEMPLATE_BYTES = 8
_PLACE_BYTES = 3  # at least: a byte less than CBOR's own integer takes, and each one counts on paper
_HEAD = 6  # template, holder's name, holder's number, licence number, issuer, first day
_EPOCH = date(1970, 1, 1)
_LARGEST_SECOND = 253_402_300_799  # the end of the year 9999
_RAW = -zlib.MAX_WBITS
_DIGITS = re.compile(r"[1-9][0-9]{0,17}")

_REASONS = {
    "dictionary_unknown": Reason.DICTIONARY_UNKNOWN,
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "header_refused": Reason.SIGNATURE_INVALID,
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "bad_payload": Reason.FORMAT_UNKNOWN,
}


class LC1Error(FormatError):
    """The code is refused, or cannot be made.

    Codes: `too_large malformed dictionary_unknown header_refused algorithm unknown_key signature bad_payload`.
    """

    reasons = _REASONS


@dataclass(frozen=True, slots=True)
class Template:
    """Which fields of a type's face stand in the code, and in which order."""

    identifier: bytes
    type_code: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """What a code says, its signature checked; `expires_at` None is 长期, `values` are of the template's fields."""

    kid: str
    licence_id: bytes
    issued_at: datetime
    expires_at: datetime | None
    template: bytes
    holder_name: str
    holder_number: str
    number: str
    issuer: str
    valid_from: date
    values: tuple[Value | None, ...]
    status: int | None = None  # number of the status list * 2**20 + place in it; None: older than the lists


@lru_cache(maxsize=2_048)
def template(kind: LicenceType) -> Template:
    """Return the template of a type: its required fields, but no numbers of other people and nothing hidden."""
    shown = tuple(f for f in kind.fields if f.required and f.mask not in {Mask.NUMBER, Mask.HIDDEN})
    named = [kind.code, *([field.name, str(field.type)] for field in shown)]
    return Template(
        hashlib.sha256(canonical_json(named)).digest()[:_TEMPLATE_BYTES],
        kind.code,
        shown,
    )


def licence_id(identifier: str) -> bytes:
    """Return the 8 bytes by which a code names its licence; from the identifier, so that it has one at any time."""
    return hashlib.sha256(b"LC1 licence\0" + identifier.encode("ascii")).digest()[:LICENCE_ID_BYTES]


def make(
    metadata: Metadata,
    layout: Template,
    *,
    issued_at: datetime,
    signer: Signer,
    status: int | None = None,
) -> bytes:
    """Return the signed message of a licence; raises `LC1Error("too_large")` where no cutting makes it fit."""
    claims: dict[object, object] = {_ISSUED: int(issued_at.timestamp()), _LICENCE: licence_id(metadata.identifier)}
    if metadata.valid_until is not None:
        claims[_EXPIRES] = _end_of(metadata.valid_until)
    if status is not None:
        claims[_STATUS] = status.to_bytes(max(_PLACE_BYTES, (status.bit_length() + 7) // 8), "big")
    for longest in _LENGTHS:
        payload = _deflate(cbor.encode({**claims, _FACE: _face(metadata, layout, longest)}))
        if len(payload) <= MAX_PAYLOAD - _LONGER.get(signer.public.algorithm, 0):
            return cose.sign(payload, signer=signer)
    raise LC1Error("too_large")


def read(text: str) -> Scanned:
    """Return what a text in either form holds; raises `LC1Error`."""
    try:
        return lc1_text.read(text)
    except LC1TextError as error:
        raise LC1Error(error.code) from None


def short_kid(content: bytes) -> bytes:
    """Return the short key identifier that a message names; raises `LC1Error`."""
    return _parts(content).kid


def authenticate(content: bytes, keys: Iterable[PublicKey]) -> Paper:
    """Return what a message says if one of `keys` signed it, whatever the day; raises `LC1Error`."""
    message = _parts(content)
    try:
        key = cose.verify(message, keys)
    except COSEError as error:
        raise LC1Error(error.code) from None
    try:
        return _paper(key.kid, cbor.decode(_inflate(message.payload), max_bytes=MAX_INFLATED))
    except (ValueError, zlib.error, OverflowError):  # no deterministic CBOR, or a time that no calendar has
        raise LC1Error("bad_payload") from None


@lru_cache(maxsize=1)
def dictionary() -> bytes:
    """Return the preset dictionary D1; a file that is not the one in the formula is no dictionary at all."""
    found = (files("licences.formats") / "lc1_dictionary.txt").read_bytes()
    if hashlib.sha256(found).hexdigest() != DICTIONARY_SHA256:
        raise RuntimeError("lc1_dictionary.txt was changed: every code on paper depends on its bytes")
    return found


def _parts(content: bytes) -> cose.Sign1:
    try:
        return cose.read(content)
    except COSEError as error:
        raise LC1Error(error.code) from None


def _face(metadata: Metadata, layout: Template, longest: int) -> list[object]:
    holder, others = metadata.holders[0], len(metadata.holders) - 1
    name = f"{holder.name}等{others + 1}人" if others else holder.name
    return [
        layout.identifier,
        _short(name, longest),
        _short(holder.code, longest),
        _short(metadata.number, longest),
        _short(metadata.issuer.name, longest),
        (metadata.valid_from - _EPOCH).days,
        *(_value(metadata.surface.get(field.name), field, longest) for field in layout.fields),
    ]


def _short(value: Value, longest: int) -> Value:
    """Return a value as it stands in the code: digits alone as an integer, which reads the same in half the room."""
    if not isinstance(value, str):
        return value
    if _DIGITS.fullmatch(value):
        return int(value)
    return value if len(value) <= longest else value[: longest - 1] + CUT


def _value(value: Value | None, field: Field, longest: int) -> Value | None:
    """Return a field of the face as it stands in the code: a day as its number, a choice whole."""
    if value is None:
        return None
    if field.type is FieldType.DATE:
        return (date.fromisoformat(str(value)) - _EPOCH).days
    return _short(value, MAX_INFLATED if field.type is FieldType.ENUM else longest)


def _end_of(last_day: date) -> int:
    """Return the first second after the last day, in China, where the days of licences are counted."""
    return int(datetime.combine(last_day + timedelta(days=1), time(), CHINA_STANDARD_TIME).timestamp())


def _deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=_RAW, zdict=dictionary())
    return deflater.compress(data) + deflater.flush()


def _inflate(data: bytes) -> bytes:
    """Return what was compressed; LC1Error where it is more than allowed, cut short, or followed by anything."""
    inflater = zlib.decompressobj(wbits=_RAW, zdict=dictionary())
    found = inflater.decompress(data, MAX_INFLATED)
    if not inflater.eof or inflater.unused_data or inflater.unconsumed_tail:
        raise LC1Error("bad_payload")
    return found


def _paper(kid: str, claims: cbor.Value) -> Paper:
    """Read the claims set; one claim more, or one of another form, is refused."""
    if not isinstance(claims, dict) or not {_ISSUED, _LICENCE, _FACE} <= claims.keys() <= _CLAIMS:
        raise LC1Error("bad_payload")
    identifier, face = claims[_LICENCE], claims[_FACE]
    if not isinstance(identifier, bytes) or len(identifier) != LICENCE_ID_BYTES or not isinstance(face, list):
        raise LC1Error("bad_payload")
    if not _HEAD <= len(face) <= _HEAD + MAX_FIELDS:
        raise LC1Error("bad_payload")
    named, name, number, own_number, issuer, valid_from, *values = face
    if not isinstance(named, bytes) or len(named) != _TEMPLATE_BYTES:
        raise LC1Error("bad_payload")
    return Paper(
        kid=kid,
        licence_id=identifier,
        issued_at=_moment(claims[_ISSUED]),
        expires_at=_moment(claims[_EXPIRES]) if _EXPIRES in claims else None,
        template=named,
        holder_name=_text(name),
        holder_number=_text(number),
        number=_text(own_number),
        issuer=_text(issuer),
        valid_from=_EPOCH + timedelta(days=_whole(valid_from)),
        values=tuple(_scalar(value) for value in values),
        status=_place(claims[_STATUS]) if _STATUS in claims else None,
    )


def _place(value: cbor.Value) -> int:
    """Read a place: big-endian and no longer than needed, so that it has one form."""
    if not isinstance(value, bytes) or not _PLACE_BYTES <= len(value) <= 8:
        raise LC1Error("bad_payload")
    if len(value) > _PLACE_BYTES and value[0] == 0:
        raise LC1Error("bad_payload")
    return int.from_bytes(value, "big")


def _moment(value: cbor.Value) -> datetime:
    return datetime.fromtimestamp(_whole(value), UTC)


def _text(value: cbor.Value) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise LC1Error("bad_payload")
    return str(value)


def _whole(value: cbor.Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST_SECOND:
        raise LC1Error("bad_payload")
    return value


def _scalar(value: cbor.Value) -> Value | None:
    if isinstance(value, (bytes, list, dict, cbor.Tagged)):
        raise LC1Error("bad_payload")
    return value

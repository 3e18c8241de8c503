"""LD1, the offline show code of a holder's own device (离线亮证码): two signatures in one QR code of version 12.

The issuer signs a minimal, masked licence that names the public key of one device and lives for days (a CWT, RFC 8392,
with `cnf`, RFC 8747); the device signs the time and a nonce with the licence as external data, anew every half minute
(`keys.cose_holder`). Both are read without a network. `docs/device-codes.md` gives the claim numbers.

What a screenshot is worth is a matter of clocks alone where there is no network, so `judge_time` is strict towards the
past and patient towards the future: see there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from keys import cbor, cose, cose_holder
from keys.cose import COSEError
from keys.verdict import Reason
from licences.formats import lc1_text
from licences.formats.lc1_text import LC1TextError
from licences.formats.refusal import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import PublicKey, Signer

PREFIX: Final = "LD1:"
MAX_CODE: Final = 276  # bytes: with `PREFIX` what a QR code of version 12 at level M holds in alphanumeric mode
#: Of these the device needs so many for its own part, an audience included.
MAX_CREDENTIAL: Final = 175
SECONDS: Final = 60  # a code is accepted for so long
CLOCKS: Final = 300  # seconds by which clocks may differ
NONCE_BYTES: Final = 8
AUDIENCE_BYTES: Final = 4
TEMPLATE_BYTES: Final = 8
TAIL: Final = 4  # characters of the holder's number that are stated
CUT: Final = "…"

_EXPIRES, _HOLDS, _STATUS, _FACE = 4, 8, -1, "f"  # exp and cnf are claims 4 and 8; the others are as in LC1
_KEY = 1  # the member COSE_Key of cnf, RFC 8747 section 3.1
_AUDIENCE, _MADE, _NONCE = 3, 6, 7  # aud, iat and cti of RFC 8392
_PLACE_BYTES = 3
_EPOCH = date(1970, 1, 1)
_LATEST = 253_402_300_799  # the end of the year 9999

_REASONS: Final = {
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "header_refused": Reason.SIGNATURE_INVALID,
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "bad_key": Reason.FORMAT_UNKNOWN,
    "bad_payload": Reason.FORMAT_UNKNOWN,
    "version_unknown": Reason.FORMAT_UNKNOWN,
}


class DeviceCodeError(FormatError):
    """The code is refused, or cannot be made.

    Codes: `too_large malformed version_unknown header_refused algorithm unknown_key bad_key signature bad_payload`.
    """

    reasons = _REASONS


@dataclass(frozen=True, slots=True)
class Minimal:
    """What a device shows of a licence: `template` is that of LC1, the number's last characters alone are stated."""

    template: bytes
    holder_name: str  # masked
    number_tail: str
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Credential:
    """A minimal licence that one device may show until `expires_at`, its issuer's signature checked."""

    kid: str
    key: PublicKey
    place: int  # in the status lists: number of the list * 2**20 + index
    expires_at: datetime
    face: Minimal


@dataclass(frozen=True, slots=True)
class Code:
    """What a scanned code says, both signatures checked and no clock asked yet."""

    credential: Credential
    content: bytes  # the credential's, as it was signed
    made_at: datetime
    nonce: bytes
    audience: bytes | None

    @property
    def name(self) -> bytes:
        """Return the 32 bytes by which this code is known once it was used; a device signs no nonce twice."""
        return sha256(b"LD1 code\0" + sha256(self.content).digest() + self.nonce).digest()


def issue(face: Minimal, *, key: PublicKey, place: int, expires_at: datetime, signer: Signer) -> bytes:
    """Return a credential for the device that holds `key`; the name is cut where it is too long for a QR code.

    Raises:
        DeviceCodeError: too_large.
    """
    until = None if face.valid_until is None else (face.valid_until - _EPOCH).days
    claims: dict[object, object] = {
        _EXPIRES: int(expires_at.timestamp()),
        _HOLDS: {_KEY: cose_holder.cose_key(key)},
        _STATUS: place.to_bytes(max(_PLACE_BYTES, (place.bit_length() + 7) // 8), "big"),
    }
    for name in _shortened(face.holder_name):
        made = cose.sign(cbor.encode({**claims, _FACE: [face.template, name, face.number_tail, until]}), signer=signer)
        if len(made) <= MAX_CREDENTIAL:
            return made
    raise DeviceCodeError("too_large")


def sign(content: bytes, *, at: datetime, nonce: bytes, signer: Signer, audience: bytes | None = None) -> str:
    """Return the text of a code: what a device does with the credential `content` and its own key."""
    stated: dict[object, object] = {_MADE: int(at.timestamp()), _NONCE: nonce}
    if audience is not None:
        stated[_AUDIENCE] = audience
    message = cose_holder.sign(cbor.encode(stated), signer=signer, credential=content)
    return PREFIX + lc1_text.base45(cbor.encode([content, message]))


def audience_of(unit: str) -> bytes:
    """Return the bytes by which a code is meant for one unit (credit code or client identifier) alone."""
    return sha256(b"LD1 audience\0" + unit.encode()).digest()[:AUDIENCE_BYTES]


def looks_like(text: str) -> bool:
    """Tell whether a scanned text is meant as such a code, of whichever version."""
    text = lc1_text.as_printed(text, "ld")
    return text[:2] == "LD" and text[2:3].isdecimal() and text[3:4] == ":"


def authenticate(text: str, keys: Iterable[PublicKey]) -> Code:
    """Return what a code says if one of `keys` issued its credential and the device named there signed it.

    Raises:
        DeviceCodeError: with the code of what is wrong.
    """
    content, message = _parts(text)
    credential = read_credential(content, keys)
    try:
        payload = cose_holder.verify(message, key=credential.key, credential=content)
        stated = cbor.decode(payload)
    except COSEError as error:
        raise DeviceCodeError(error.code) from None
    except cbor.CBORError:
        raise DeviceCodeError("bad_payload") from None
    if not isinstance(stated, dict) or not {_MADE, _NONCE} <= stated.keys() <= {_MADE, _NONCE, _AUDIENCE}:
        raise DeviceCodeError("bad_payload")
    nonce = _bytes(stated[_NONCE], NONCE_BYTES)
    audience = _bytes(stated[_AUDIENCE], AUDIENCE_BYTES) if _AUDIENCE in stated else None
    return Code(credential, content, _moment(stated[_MADE]), nonce, audience)


def read_credential(content: bytes, keys: Iterable[PublicKey]) -> Credential:
    """Return what a credential says if one of `keys` signed it; raises `DeviceCodeError`."""
    try:
        message = cose.read(content)
        signer = cose.verify(message, keys)
        return _credential(signer.kid, cbor.decode(message.payload))
    except COSEError as error:
        raise DeviceCodeError(error.code) from None
    except (cbor.CBORError, OverflowError):
        raise DeviceCodeError("bad_payload") from None


def short_kid(text: str) -> bytes:
    """Return the short identifier of the key that a code's credential names; raises `DeviceCodeError`."""
    try:
        return cose.read(_parts(text)[0]).kid
    except COSEError as error:
        raise DeviceCodeError(error.code) from None


def judge_time(code: Code, now: datetime) -> Reason | None:
    """Return why a code that was made when it says is not accepted now, or None.

    Older than a minute is `code_expired`: where the verifier's clock is right no screenshot outlives the minute. The
    price is that a device which is slow by more than a minute is refused too; it therefore learns the difference to the
    service's clock whenever it is online and states corrected times. A time ahead of now cannot be a screenshot's, so
    five minutes are tolerated there, and beyond them the answer is `clock_wrong`: a clock was moved, nobody cheats.
    """
    ahead = (code.made_at - now).total_seconds()
    if ahead > CLOCKS:
        return Reason.CLOCK_WRONG
    is_over = -ahead > SECONDS or max(now, code.made_at) >= code.credential.expires_at
    return Reason.CODE_EXPIRED if is_over else None


def _shortened(name: str) -> Iterable[str]:
    """Return a name, then ever less of it."""
    yield name
    for length in range(len(name) - 1, 0, -1):
        yield name[: length - 1] + CUT


def _parts(text: str) -> tuple[bytes, cbor.Value]:
    """Return the credential and the device's message, nothing of either believed yet."""
    if len(text) > lc1_text.MAX_TEXT:
        raise DeviceCodeError("malformed")
    text = lc1_text.as_printed(text, "ld")
    if not text.startswith(PREFIX):
        raise DeviceCodeError("version_unknown" if looks_like(text) else "malformed")
    try:
        content = lc1_text.from_base45(text.removeprefix(PREFIX))
        parts = cbor.decode(content, max_bytes=MAX_CODE)
    except (LC1TextError, cbor.CBORError):
        raise DeviceCodeError("malformed") from None
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], bytes):
        raise DeviceCodeError("malformed")
    return parts[0], parts[1]


def _credential(kid: str, claims: cbor.Value) -> Credential:
    """Read the claims set; one claim more, or one of another form, is refused."""
    if not isinstance(claims, dict) or claims.keys() != {_EXPIRES, _HOLDS, _STATUS, _FACE}:
        raise DeviceCodeError("bad_payload")
    held = claims[_HOLDS]
    if not isinstance(held, dict) or held.keys() != {_KEY}:
        raise DeviceCodeError("bad_payload")
    return Credential(
        kid, cose_holder.read_key(held[_KEY]), _place(claims[_STATUS]), _moment(claims[_EXPIRES]), _face(claims[_FACE])
    )


def _face(value: cbor.Value) -> Minimal:
    if not isinstance(value, list) or len(value) != 4:
        raise DeviceCodeError("bad_payload")
    template, name, tail, until = value
    if not isinstance(name, str) or not isinstance(tail, str):
        raise DeviceCodeError("bad_payload")
    day = None if until is None else _EPOCH + timedelta(days=_whole(until))
    return Minimal(_bytes(template, TEMPLATE_BYTES), name, tail, day)


def _place(value: cbor.Value) -> int:
    """Read a place: big-endian and no longer than needed, so that it has one form."""
    if not isinstance(value, bytes) or not _PLACE_BYTES <= len(value) <= 8:
        raise DeviceCodeError("bad_payload")
    if len(value) > _PLACE_BYTES and value[0] == 0:
        raise DeviceCodeError("bad_payload")
    return int.from_bytes(value, "big")


def _bytes(value: cbor.Value, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise DeviceCodeError("bad_payload")
    return value


def _moment(value: cbor.Value) -> datetime:
    return datetime.fromtimestamp(_whole(value), UTC)


def _whole(value: cbor.Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LATEST:
        raise DeviceCodeError("bad_payload")
    return value

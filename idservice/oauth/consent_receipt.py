"""A consent receipt (同意凭证): what somebody allowed an app, or took back, signed, for him to keep.

The members follow ISO/IEC TS 27560:2023 clause 6 (consent record and receipt) and the Kantara Consent Receipt
Specification 1.1; those that RFC 7519 has a name for (issuer, subject, identifier, time) go by that name. The person
is named as the app knows him, by a pairwise subject: a receipt that is shown around gives nobody away. What he read
stands in it word for word, with the version of the words in both languages. Pure.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from keys.base64url import b64u, unb64u
from keys.canonical import canonical_json
from keys.jws import JWSError, decode
from keys.verdict import Check, Reason, Result, reasons

if TYPE_CHECKING:
    from keys.signer import PublicKey

TYPE: Final = "consent-receipt+jwt"
SCHEMA_VERSION: Final = "1"
JURISDICTION: Final = "CN"  # Personal Information Protection Law (个人信息保护法)
LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}
MAX_BYTES: Final = 65_536
_SIGNATURE: Final = 64  # ES256: r and s


class Event(StrEnum):
    """What a receipt is of (ISO/IEC TS 27560 `event_type`)."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


Words = tuple[str, str]  # what stands on the page: title, explanation


@dataclass(frozen=True, slots=True)
class Purpose:
    """One line of the consent page. `kind` and `name` say what it allows; `pii_types` what is learnt by it."""

    kind: str  # scope | claim | authorization_detail | resource
    name: str
    zh: Words
    en: Words
    pii_types: tuple[str, ...] = ()
    detail: Mapping[str, Any] | None = None

    def as_json(self, language: str) -> dict[str, Any]:
        """Return the purpose in the words that were shown, with the version of the words in all languages."""
        title, explanation = self.en if language == "en" else self.zh
        shown: dict[str, Any] = {"purpose": title, "purpose_type": self.kind, "name": self.name}
        if explanation:
            shown["explanation"] = explanation
        if self.detail is not None:
            shown["detail"] = dict(self.detail)
        if self.pii_types:
            shown["pii_information"] = list(self.pii_types)
        return shown | {"text_version": text_version(self.zh, self.en)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a receipt states. `previous` is the receipt that this one follows, or withdraws."""

    issuer: str
    receipt_id: str
    at: datetime
    event: Event
    subject: str
    actor: str | None
    client_id: str
    app: str
    unit: str
    purposes: Sequence[Mapping[str, Any]]  # as `Purpose.as_json` writes them
    language: str  # of LANGUAGES' values
    previous: str | None = None


@lru_cache(maxsize=1024)
def text_version(*texts: Words) -> str:
    """Return what names the words of a consent page: they cannot change and keep it."""
    return hashlib.sha256(canonical_json([list(text) for text in texts])).hexdigest()[:16]


def body(facts: Facts) -> dict[str, Any]:
    """Return the payload of the receipt."""
    moment = facts.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event: dict[str, Any] = {"event_type": str(facts.event), "event_time": moment}
    if facts.event is Event.GIVEN:
        event["validity_duration"] = "until_withdrawn"
    else:
        event["extent"] = "all"  # what earlier receipts in the chain state ends with it
    if facts.previous is not None:
        event["follows" if facts.event is Event.GIVEN else "withdraws"] = facts.previous
    return {
        "iss": facts.issuer,
        "jti": facts.receipt_id,
        "iat": int(facts.at.timestamp()),
        "sub": facts.subject,
        **({"act": {"sub": facts.actor}} if facts.actor is not None else {}),
        "schema_version": SCHEMA_VERSION,
        "event": event,
        "jurisdiction": JURISDICTION,
        "language": facts.language,
        "collection_method": "consent_page",
        "pii_controller": {"party_id": facts.client_id, "party_name": facts.unit, "service": facts.app},
        "lawful_basis": "consent",
        "purposes": [dict(purpose) for purpose in facts.purposes],
        "withdrawal_method": {
            "page": f"{facts.issuer}/me/apps",
            "api": f"{facts.issuer}/v1/consents/{facts.client_id}/withdrawals",
        },
    }


def pack(receipt: str) -> bytes:
    """Return a signed receipt in about a third of its length; `unpack` gives back the same characters."""
    header, payload, signature = (unb64u(part) for part in receipt.split("."))
    if len(signature) != _SIGNATURE or b"\n" in header:
        raise ValueError("not a receipt signed by ES256")
    return signature + zlib.compress(header + b"\n" + payload, 9)


def unpack(packed: bytes) -> str:
    """Return the receipt that `pack` was given, character by character."""
    header, _, payload = zlib.decompress(packed[_SIGNATURE:]).partition(b"\n")
    return ".".join(b64u(part) for part in (header, payload, packed[:_SIGNATURE]))


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What was found of a receipt. `claims` is what it says, and empty unless every check holds."""

    checks: tuple[Check, ...]
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Return whether the receipt is what the issuer signed."""
        return all(check.result is Result.OK for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the wire form."""
        checks = [check.as_json() for check in self.checks]
        return {"ok": self.ok, "reasons": reasons(self.checks), "checks": checks, "receipt": dict(self.claims)}


_REASONS: Final = {"unknown_key": Reason.ISSUER_UNKNOWN, "signature": Reason.SIGNATURE_INVALID}


def verify(
    text: str,
    *,
    keys: Mapping[str, PublicKey],
    issuer: str | None = None,
    is_revoked: Callable[[str], bool] = lambda _kid: False,
) -> ReceiptReport:
    """Return whether `text` is a receipt signed by one of `keys`, by `issuer` where that is named.

    `is_revoked` tells of a key that is not among them whether it once was.
    """
    try:
        payload = decode(text.strip(), keys=keys, typ=TYPE, max_bytes=MAX_BYTES).payload
    except JWSError as error:
        reason = _REASONS.get(error.code, Reason.UNREADABLE)
        if reason is Reason.ISSUER_UNKNOWN and is_revoked(_kid(text)):
            reason = Reason.KEY_REVOKED
        name = "format" if reason is Reason.UNREADABLE else "signature"
        return ReceiptReport((Check(name, Result.FAIL, error.code, reason),))
    checks = [Check("format", Result.OK), Check("signature", Result.OK)]
    if not _is_receipt(payload):
        checks[0] = Check("format", Result.FAIL, "a member is missing", Reason.UNREADABLE)
    elif issuer is not None and payload["iss"] != issuer:
        checks.append(Check("issuer", Result.FAIL, "another issuer signed it", Reason.ISSUER_UNKNOWN))
    found = ReceiptReport(tuple(checks), payload)
    return found if found.ok else ReceiptReport(found.checks)


def _kid(text: str) -> str:
    """Return the key that a well-formed token names; the decoder has looked at its header before."""
    return str(json.loads(unb64u(text.strip().partition(".")[0])).get("kid"))


def _is_receipt(payload: Mapping[str, Any]) -> bool:
    match payload:
        case {
            "iss": str(),
            "jti": str(),
            "sub": str(),
            "iat": int(),
            "schema_version": str(version),
            "event": {"event_type": str(event), "event_time": str()},
            "pii_controller": {"party_id": str(), "party_name": str(), "service": str()},
            "purposes": list(purposes),
        }:
            is_known = version == SCHEMA_VERSION and event in set(Event)
            return is_known and all(isinstance(p, dict) and isinstance(p.get("purpose"), str) for p in purposes)
    return False

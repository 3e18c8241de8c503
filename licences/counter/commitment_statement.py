"""What somebody commits to in writing (告知承诺书), as a signed statement that is verified offline. Pure.

A JWS (RFC 7515) of the type `commitment+jwt` under the platform's key: it states who signed, which words, for which
matter, and by which login or at which counter. Electronic Signature Law (电子签名法) sections 4 to 8: the words and who
approved them can be read and are unaltered. The statement names the person in full and is his; it is stored encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keys.jws import JWSError, decode, encode
from keys.verdict import Check, Reason, Result, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from keys.signer import PublicKey, Signer

TYPE: Final = "commitment+jwt"
MAX_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Statement:
    """The facts of one commitment. `act` says how it was approved: the methods of the login, or the counter."""

    issuer: str
    commitment_id: str
    at: datetime
    matter: Mapping[str, str]
    proof: Mapping[str, str]
    unit: str
    case_number: str
    signer: Mapping[str, str]
    text: str
    text_en: str
    language: str
    act: Mapping[str, Any]

    def body(self) -> dict[str, Any]:
        """Return the payload; what RFC 7519 has a name for goes by that name."""
        return {
            "iss": self.issuer,
            "jti": self.commitment_id,
            "iat": int(self.at.timestamp()),
            "matter": dict(self.matter),
            "proof": dict(self.proof),
            "unit": self.unit,
            "case_number": self.case_number,
            "signer": dict(self.signer),
            "text": self.text,
            "text_en": self.text_en,
            "language": self.language,
            "act": dict(self.act),
        }


@dataclass(frozen=True, slots=True)
class StatementReport:
    """Whether a statement holds, and what it says; `payload` is empty where it does not."""

    checks: tuple[Check, ...]
    payload: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the signature is one of the issuer's and nothing was changed."""
        return all(check.result is Result.OK for check in self.checks)

    @property
    def reasons(self) -> list[str]:
        """Why it does not hold, by the closed list of reasons."""
        return [str(reason) for reason in reasons(self.checks)]


def sign(statement: Statement, signer: Signer) -> str:
    """Return the statement as a compact JWS."""
    return encode(statement.body(), signer=signer, typ=TYPE)


def verify(token: str, *, keys: Mapping[str, PublicKey], issuer: str) -> StatementReport:
    """Check a statement against the issuer's keys; nothing else is needed."""
    try:
        found = decode(token, keys=keys, typ=TYPE, max_bytes=MAX_BYTES)
    except JWSError as error:
        reason = {"signature": Reason.SIGNATURE_INVALID, "unknown_key": Reason.ISSUER_UNKNOWN}
        code = reason.get(error.code, Reason.UNREADABLE)
        return StatementReport((Check("signature", Result.FAIL, error.code, code),), {})
    if found.payload.get("iss") != issuer:
        return StatementReport((Check("issuer", Result.FAIL, "another issuer", Reason.ISSUER_UNKNOWN),), {})
    return StatementReport((Check("signature", Result.OK),), found.payload)

"""The answer to "whose seal is on this, and does it hold?": named checks in the order of GB/T 38540-2020 clause 7.3.

A report is frozen and carries separate answers; `ok` follows from them by one rule, written down here. `as_json` is
the shape that `POST /v1/seal-verifications` and `seals verify --json` give to the outside.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

from keys.certificates.extensions import PERSONAL
from keys.verdict import Check, Reason, Result, reasons

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from keys.certificates import Certificate
    from seals.structure import Picture, SealInfo

# A bare seal is judged by the first row, a seal signature by both, one without a seal (SignedData, PAdES) by the third.
# What is allowed besides `ok` stands behind.
SEAL_RULE: dict[str, frozenset[Result]] = {
    "format": frozenset({Result.OK}),
    "seal_signature": frozenset({Result.OK}),
    "seal_maker": frozenset({Result.OK, Result.NOTICE}),
    "seal_period": frozenset({Result.OK, Result.NOTICE}),
}
SIGNATURE_RULE = SEAL_RULE | {
    "signature": frozenset({Result.OK}),
    "signer_in_list": frozenset({Result.OK}),
    "signer_certificate": frozenset({Result.OK, Result.NOTICE}),
    "integrity": frozenset({Result.OK}),
}
PLAIN_RULE: dict[str, frozenset[Result]] = {
    "format": frozenset({Result.OK}),
    "signature": frozenset({Result.OK}),
    "signer_certificate": frozenset({Result.OK, Result.NOTICE}),
    "integrity": frozenset({Result.OK}),
}
# These may be left out where they do not apply; where they stand they must not fail.
OPTIONAL_RULE: dict[str, frozenset[Result]] = {
    "coverage": frozenset({Result.OK, Result.NOTICE}),
    "timestamp": frozenset({Result.OK, Result.NOTICE, Result.NOT_CHECKED}),
    "revocation": frozenset({Result.OK, Result.NOTICE, Result.NOT_CHECKED}),
}


# Kinds of picture (SES_ESPictrueInfo.type) that browsers show; an OFD as a picture is none of them.
_MEDIA_TYPES = {
    "PNG": "image/png", "GIF": "image/gif", "JPG": "image/jpeg", "JPEG": "image/jpeg", "BMP": "image/bmp",
    "SVG": "image/svg+xml",
}  # fmt: skip


class Format(StrEnum):
    """What kind of file was judged."""

    OFD = "ofd"
    PDF = "pdf"
    SIGNATURE = "ses_signature"
    SEAL = "seal"
    SIGNED_DATA = "signed_data"  # RFC 5652 or GB/T 35275
    PLAIN = "signature"  # a signature value and nothing else
    UNKNOWN = "unknown"


class ExitStatus(IntEnum):
    """The exit status of commands that verify seals."""

    OK = 0
    NO = 1
    COULD_NOT_TELL = 2


class SignatureReport(NamedTuple):
    """The checks of one seal signature, one bare seal (`bare`), or one signature without a seal (`plain`).

    Facts are absent where they could not be read. `signed_at` is the signer's own word; `trusted_at` is what the
    time-stamp `authority` says, where it can be trusted.
    """

    checks: tuple[Check, ...]
    bare: bool = False
    plain: bool = False
    version: int | None = None
    seal: SealInfo | None = None
    signer: Certificate | None = None
    signed_at: datetime | None = None
    trusted_at: datetime | None = None
    authority: str | None = None
    appearance: Picture | None = None  # what is seen where there is no seal structure (PAdES)
    altered: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()
    end: int | None = None  # of a PDF: where in the file what it covers ends

    @property
    def ok(self) -> bool:
        """Whether every check the rule names is there with a result the rule allows."""
        results = {check.name: check.result for check in self.checks}
        required = SEAL_RULE if self.bare else PLAIN_RULE if self.plain else SIGNATURE_RULE
        if len(results) != len(self.checks) or not results.keys() >= required.keys():
            return False
        for name, result in results.items():
            allowed = required.get(name) or OPTIONAL_RULE.get(name)
            if allowed is None or result not in allowed:
                return False
        return True

    @property
    def picture(self) -> Picture | None:
        """The picture of the seal, or what is seen in its place."""
        return self.seal.picture if self.seal is not None else self.appearance

    @property
    def picture_uri(self) -> str | None:
        """The picture as a `data:` URI (RFC 2397), None where it is of no kind that a browser shows."""
        kind = _MEDIA_TYPES.get(self.picture.kind.upper()) if self.picture is not None else None
        if self.picture is None or kind is None:
            return None
        return f"data:{kind};base64,{base64.b64encode(self.picture.data).decode()}"

    def as_json(self) -> dict[str, object]:
        """Return one entry of `signatures`."""
        body: dict[str, object] = {"checks": [check.as_json() for check in self.checks]}
        if self.seal is not None:
            body["seal"] = _seal_json(self.seal)
        if self.picture is not None:
            body["picture"] = _picture_json(self.picture) | ({"data": self.picture_uri} if self.picture_uri else {})
        if self.bare:
            return body
        if self.signer is not None:
            body["signer"] = _signer_json(self.signer)
        if self.signed_at is not None:
            body["signed_at"] = _time(self.signed_at)
        body["times"] = {
            "claimed": _time(self.signed_at) if self.signed_at else None,
            "trusted": _time(self.trusted_at) if self.trusted_at else None,
            "authority": self.authority,
        }
        return body | {"altered": list(self.altered), "not_covered": list(self.not_covered)}


@dataclass(frozen=True, slots=True)
class SealReport:
    """What was found in one file. `problems` are reasons about the file as a whole: unreadable, not sealed."""

    format: Format
    signatures: tuple[SignatureReport, ...] = ()
    problems: tuple[Reason, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file bears at least one seal and every one of them holds."""
        return bool(self.signatures) and not self.problems and all(signature.ok for signature in self.signatures)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The distinct reason codes, in the order they were found."""
        found = [check for signature in self.signatures for check in signature.checks]
        return tuple(dict.fromkeys([*map(str, self.problems), *reasons(found)]))

    @property
    def exit_status(self) -> ExitStatus:
        """Return 0 if all holds, 1 if the answer is no, 2 if nothing failed but it could not be told."""
        if self.ok:
            return ExitStatus.OK
        failed = any(c.result is Result.FAIL for signature in self.signatures for c in signature.checks)
        return ExitStatus.NO if failed or Reason.NOT_SEALED in self.problems else ExitStatus.COULD_NOT_TELL

    def as_json(self) -> dict[str, object]:
        """Return the wire form, as the contract has it."""
        body: dict[str, object] = {"ok": self.ok, "format": str(self.format)}
        if version := next((s.version for s in self.signatures if s.version is not None), None):
            body["version"] = version
        return body | {"signatures": [s.as_json() for s in self.signatures], "reasons": list(self.reasons)}


def exit_status(reports: Iterable[SealReport]) -> ExitStatus:
    """Return the status for several files: 1 if any answer is no, else 2 if any could not be told, else 0."""
    found = {report.exit_status for report in reports}
    return next((s for s in (ExitStatus.NO, ExitStatus.COULD_NOT_TELL) if s in found), ExitStatus.OK)


def _seal_json(seal: SealInfo) -> dict[str, object]:
    return {
        "id": seal.seal_id,
        "name": seal.name,
        "type": seal.kind,
        "vendor": seal.vendor,
        "created_at": _time(seal.created_at),
        "valid_from": _time(seal.valid_from),
        "valid_until": _time(seal.valid_until),
        "picture": _picture_json(seal.picture),
    }


def _picture_json(picture: Picture) -> dict[str, object]:
    return {"type": picture.kind, "width_mm": picture.width, "height_mm": picture.height}


def _signer_json(certificate: Certificate) -> dict[str, object]:
    return {
        "name": certificate.common_name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "key": certificate.key_algorithm,
        "identities": {
            name: mask(text) if name in PERSONAL else text for name, text in certificate.extensions.identities.items()
        },
    }


def mask(text: str) -> str:
    """Return a personal number as it may be shown: its first three and last four characters, if it is that long."""
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}" if len(text) > 7 else "*" * len(text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

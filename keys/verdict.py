"""Verdicts: the shape of every answer to "does it hold?".

A verification never answers with a bare boolean. It answers with named checks, each with its own result, and
with reasons out of a closed list, so that a clerk, a court and a program can all tell what was found.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Result(StrEnum):
    """The outcome of one named check."""

    OK = "ok"
    NOTICE = "notice"  # holds, but a person should read the detail
    FAIL = "fail"
    NOT_CHECKED = "not_checked"  # could not be told, e.g. the trust root is unknown


class Reason(StrEnum):
    """The closed list of reason codes; `docs/reasons.md` says what each means and what to do next."""

    UNREADABLE = "unreadable"
    FORMAT_UNKNOWN = "format_unknown"
    DICTIONARY_UNKNOWN = "dictionary_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    ISSUER_UNKNOWN = "issuer_unknown"
    KEY_REVOKED = "key_revoked"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"
    REPLAYED = "replayed"
    CODE_EXPIRED = "code_expired"
    WRONG_AUDIENCE = "wrong_audience"
    DEVICE_ENDED = "device_ended"
    STATUS_STALE = "status_stale"
    CLOCK_WRONG = "clock_wrong"
    HOLDER_MISMATCH = "holder_mismatch"
    HOLDER_UNPROVEN = "holder_unproven"
    NOT_SEALED = "not_sealed"
    DOCUMENT_ALTERED = "document_altered"
    SEAL_INVALID = "seal_invalid"
    SEAL_NOT_IN_FORCE = "seal_not_in_force"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    CERTIFICATE_EXPIRED_AT_SIGNING = "certificate_expired_at_signing"
    NOT_COVERED = "not_covered"


class Check(NamedTuple):
    """One named answer; `detail` is a short English sentence for people who debug (pages translate by name)."""

    name: str
    result: Result
    detail: str = ""
    reason: Reason | None = None

    def as_json(self) -> dict[str, str]:
        """Return the wire form: name, result, and detail where there is one."""
        body = {"name": self.name, "result": str(self.result)}
        return {**body, "detail": self.detail} if self.detail else body


def reasons(checks: list[Check] | tuple[Check, ...]) -> list[str]:
    """Return the distinct reason codes of `checks` in the order they were found."""
    return list(dict.fromkeys(str(check.reason) for check in checks if check.reason is not None))

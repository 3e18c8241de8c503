"""What an offline verification found: the members of an online report, and how old what it rests on is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keys.verdict import Check, Result, reasons


@dataclass(slots=True)
class OfflineReport:
    """The verdict on one text. `licence` is what it says itself; `ages` are seconds since each list was signed."""

    scanned: str  # credential | paper | device_code | unknown
    checks: list[Check] = field(default_factory=list)
    licence: dict[str, Any] | None = None
    state: str | None = None
    ages: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Return whether everything was checked and holds."""
        return bool(self.checks) and {c.result for c in self.checks} <= {Result.OK, Result.NOTICE} and not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Return the distinct reason codes in the order they were found."""
        return reasons(self.checks)

    @property
    def exit_status(self) -> int:
        """Return 0 for yes, 1 for no, 2 where it could not be told."""
        if self.ok:
            return 0
        return 1 if self.scanned != "unknown" and any(c.result is Result.FAIL for c in self.checks) else 2

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `POST /v1/verifications`, and `ages`."""
        return {
            "ok": self.ok,
            "state": self.state,
            "reasons": self.reasons,
            "checks": [check.as_json() for check in self.checks],
            "scanned": self.scanned,
            **({"licence": self.licence} if self.licence is not None else {}),
            "ages": self.ages,
        }

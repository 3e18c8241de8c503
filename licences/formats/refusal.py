"""What a form of a licence says when it refuses: a code of its own, which leads to one reason of the closed list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from keys.verdict import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


class FormatError(ValueError):
    """A form is refused, or cannot be made; `code` says why, and is stable. Each form has a kind of its own.

    `reasons` are those of its codes that are more than unreadable.
    """

    reasons: ClassVar[Mapping[str, Reason]] = {}

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> Reason:
        """Return the closed reason code."""
        return self.reasons.get(self.code, Reason.UNREADABLE)

"""What becomes of one try to deliver a notice. Pure."""

from __future__ import annotations

from enum import StrEnum


class Sent(StrEnum):
    """The answer to "was it taken?"."""

    DONE = "done"
    AGAIN = "again"  # not now
    NEVER = "never"  # it was refused, or nobody wants it any more

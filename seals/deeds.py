"""The deeds of this room, as they stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """`room:thing:deed`."""

    AUTHORITY_MADE = "seals:authority:make"
    ANCHOR_TRUSTED = "seals:anchor:trust"
    MADE = "seals:seal:make"
    CHANGED = "seals:seal:change"
    USE_INTENDED = "seals:use:intend"
    USED = "seals:use:create"

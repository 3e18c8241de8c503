"""What a mandate can be limited to (授权范围): licence types and matters, as the rooms that know them say.

This room knows neither. A room that does registers a function here, as it registers its problem codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idservice.call import Call

Names = Mapping[str, tuple[str, str]]  # by code: Chinese, English


class Limit(StrEnum):
    """What a mandate may be limited by."""

    LICENCE_TYPES = "licence_types"
    MATTERS = "matters"


_known: dict[Limit, Callable[[Call], Names]] = {}


def register(limit: Limit, names: Callable[[Call], Names]) -> None:
    """Say where the codes of a limit are known."""
    _known[limit] = names


def names(call: Call, limit: Limit) -> Names:
    """Return the codes that may stand in a limit with their names in both languages."""
    return _known[limit](call) if limit in _known else {}

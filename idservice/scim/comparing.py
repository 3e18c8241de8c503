"""How values compare: RFC 7644 sections 3.4.2.2 and 3.4.2.3. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from idservice.scim.attributes import MOMENT

if TYPE_CHECKING:
    from idservice.scim.attributes import Attribute

OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda held, asked: bool(held == asked),
    "ne": lambda held, asked: bool(held == asked),  # turned round in `compares`: no value may be equal
    "co": lambda held, asked: asked in held,
    "sw": lambda held, asked: bool(held.startswith(asked)),
    "ew": lambda held, asked: bool(held.endswith(asked)),
    "gt": lambda held, asked: bool(held > asked),
    "ge": lambda held, asked: bool(held >= asked),
    "lt": lambda held, asked: bool(held < asked),
    "le": lambda held, asked: bool(held <= asked),
}
_OF_TEXT: Final = frozenset({"co", "sw", "ew"})


def compares(attribute: Attribute, operator: str, values: list[Any], asked: Any) -> bool:
    """Return whether a comparison holds for some value; `ne` where it is equal to none. Null stands for "no value"."""
    if asked is None:
        return any(map(is_present, values)) is (operator == "ne")
    if attribute.kind == MOMENT and operator not in _OF_TEXT:
        wanted: Any = moment(asked)
        held = [moment(value) for value in values]
    else:
        wanted, held = folded(attribute, asked), [folded(attribute, value) for value in values]
    holds = any(OPERATORS[operator](value, wanted) for value in held if value is not None)
    return not holds if operator == "ne" else holds


def folded(attribute: Attribute, value: Any) -> Any:
    """Return a value as it is compared: in any case, unless the attribute says otherwise."""
    return value.casefold() if isinstance(value, str) and not attribute.case_exact else value


def moment(text: Any) -> datetime | None:
    """Return the instant that an RFC 3339 text names, or None; a time without its zone is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None


def is_present(value: Any) -> bool:
    """Return whether there is a value: not null and not empty."""
    return value is not None and value not in ("", [], {})

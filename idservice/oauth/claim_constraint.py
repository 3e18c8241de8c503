"""What may be said of one claim that is asked for (对单项信息的要求): OpenID Connect Core 1.0 section 5.5.1. Pure."""

from __future__ import annotations

from typing import Any, Final

MAX_VALUES: Final = 32


class ClaimsRefused(ValueError):
    """The claims parameter is malformed; the message says why."""


def check(stated: Any, where: str) -> None:
    """Check that a claim is asked for by null, or by an object with `essential`, and `value` or `values`.

    Raises:
        ClaimsRefused: it is asked for in another way.
    """
    if stated is None:
        return
    if not isinstance(stated, dict) or not isinstance(stated.get("essential", False), bool):
        raise ClaimsRefused(f"{where} is null, or an object with essential, value or values.")
    values = stated.get("values", [None])
    if not isinstance(values, list) or not 0 < len(values) <= MAX_VALUES or {"value", "values"} <= stated.keys():
        raise ClaimsRefused(f"{where}: one value, or an array of at most {MAX_VALUES} values.")
    if any(isinstance(value, dict | list) for value in (stated.get("value"), *values)):
        raise ClaimsRefused(f"{where}: a value is a text, a number, true or false.")


def same(wanted: Any, value: Any) -> bool:
    """Return whether two values are one and the same; true, 1 and 1.0 are three."""
    return type(wanted) is type(value) and bool(wanted == value)

"""One byte string for one value: the JSON Canonicalization Scheme, RFC 8785, without floating-point numbers.

Licences are sealed and audit rows hashed over these bytes. Fractions are refused rather than printed by the ECMAScript
rules of RFC 8785 section 3.2.2.3: amounts and the like are text in our records.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from keys.strict_json import MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_DEPTH = 64
# RFC 8785 section 3.2.2.2 asks for just the escapes this encoder writes: short forms, else \u00xx in lower case.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_encode_sorted = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True
).encode


class CanonicalError(ValueError):
    """The value has no canonical form here: a float, a foreign type, a huge integer, bad Unicode, too deep."""


def canonical_json(value: Any) -> bytes:
    """Return the canonical UTF-8 JSON of strings, integers, booleans, None, lists, tuples and dicts of these."""
    try:
        text = _encode_sorted(value) if _is_plain(value, 0) else _encode(_ordered(value, 0))
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError("text is not Unicode (lone surrogate)") from None


def _is_plain(value: Any, depth: int) -> bool:
    """Tell whether a value is of the types of JSON alone and its names are ASCII: then the encoder's order will do."""
    kind = type(value)
    if kind is dict and depth < _MAX_DEPTH:
        for name in value:
            if type(name) is not str or not name.isascii():
                return False
        return _are_plain(value.values(), depth + 1)
    if kind is list and depth < _MAX_DEPTH:
        return _are_plain(value, depth + 1)
    return value is None or kind is str or kind is bool or (kind is int and -MAX_INTEGER <= value <= MAX_INTEGER)


def _are_plain(values: Iterable[Any], depth: int) -> bool:
    for value in values:  # noqa: SIM110 - a loop, and texts first: a good part of what a record costs
        if type(value) is not str and not _is_plain(value, depth):
            return False
    return True


def _ordered(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise CanonicalError("integer beyond 2^53 - 1")
        return value
    if depth == _MAX_DEPTH:
        raise CanonicalError("nested too deeply")
    if isinstance(value, dict):
        return {name: _ordered(value[name], depth + 1) for name in _sorted_names(value)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, depth + 1) for item in value]
    raise CanonicalError(f"no canonical form for {type(value).__name__}")


def _sorted_names(members: dict[Any, Any]) -> list[str]:
    """Sort by UTF-16 code units (RFC 8785 section 3.2.3), which is not code point order beyond the BMP."""
    if not all(isinstance(name, str) for name in members):
        raise CanonicalError("a member name is not text")
    return sorted(members, key=lambda name: name.encode("utf-16-be"))

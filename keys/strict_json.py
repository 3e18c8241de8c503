"""JSON from outside: RFC 8259 narrowed to I-JSON (RFC 7493), with every size bounded before work is done.

Two programs that read one text differently are how a signature is made to cover what nobody saw. So what RFC 8259
leaves open is refused: duplicate names, numbers a double cannot hold, text that is not Unicode, endless nesting.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INTEGER = 2**53 - 1  # RFC 7493 section 2.2: the integers every reader holds exactly

# A whole string, or an unfinished one up to the end (so that the scan stays linear), or one bracket.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class StrictJSONError(ValueError):
    """The text is not acceptable JSON; `code` says why.

    Codes: `too_large not_utf8 malformed too_deep too_many_keys duplicate_key number_out_of_range bad_text`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def strict_json(data: bytes, *, max_bytes: int = 1_048_576, max_depth: int = 32, max_keys: int = 1000) -> Any:
    """Return the value of one JSON text, or raise StrictJSONError.

    `max_bytes` bounds the whole text, `max_depth` the nesting of arrays and objects, `max_keys` the members of
    one object.
    """
    if len(data) > max_bytes:
        raise StrictJSONError("too_large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJSONError("not_utf8") from None
    _refuse_deep(text, max_depth)
    decoder = _decoder(max_keys)
    try:
        value, end = decoder.raw_decode(text)
        if end != len(text):
            value = decoder.decode(text)
    except json.JSONDecodeError:
        value = _with_spaces(decoder, text)
    if "\\u" in text:  # only an escape can bring in a lone surrogate or a NUL
        _refuse_bad_text(value)
    return value


def _with_spaces(decoder: json.JSONDecoder, text: str) -> Any:
    """Read a text that begins with white space, which few do: the short way above does not know it."""
    try:
        return decoder.decode(text)
    except json.JSONDecodeError:
        raise StrictJSONError("malformed") from None


def _refuse_deep(text: str, max_depth: int) -> None:
    """Bound the nesting before parsing: the parser itself recurses."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise StrictJSONError("too_deep")
        elif first in "]}":
            depth -= 1


def _refuse_bad_text(value: object) -> None:
    """Refuse lone surrogates (RFC 7493 section 2.1) and U+0000, which PostgreSQL cannot store."""
    for text in _strings(value):
        if "\0" in text:
            raise StrictJSONError("bad_text")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise StrictJSONError("bad_text") from None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _strings(item)


@lru_cache(maxsize=16)
def _decoder(max_keys: int) -> json.JSONDecoder:
    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > max_keys:
            raise StrictJSONError("too_many_keys")
        members = dict(pairs)
        if len(members) != len(pairs):
            raise StrictJSONError("duplicate_key")
        return members

    return json.JSONDecoder(
        object_pairs_hook=to_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
    )


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= 17 else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        raise StrictJSONError("number_out_of_range")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJSONError("number_out_of_range")
    return number


def _constant(_name: str) -> object:
    raise StrictJSONError("malformed")  # NaN and Infinity are not JSON

"""JSON of our own making (RFC 8259), in as few bytes as it can be written and quickly."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

_strictly = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
# What the standard library refuses is refused here as well, instead of being shown in some form.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def compact_json(value: Any) -> bytes:
    """Return `value` as UTF-8 without spaces, members in their order; the same bytes that `json` makes.

    Raises:
        TypeError: it holds something that JSON has no form for.
        ValueError: it holds a number that is none, or text that is not Unicode.
    """
    try:
        written = orjson.dumps(value, option=_OPTIONS)
    except TypeError:  # an integer of more than 64 bits, a name that is no text, or nothing that JSON has
        return _strictly(value).encode()
    # A number that is none would have become null.
    return _strictly(value).encode() if b"null" in written else written

"""Deterministic CBOR: RFC 8949 with the core encoding of its section 4.2.1, for what is signed and scanned.

Integers of 64 bits, byte and text strings, arrays, maps, false, true and null. The reader takes exactly what the
writer writes: shortest heads, map keys in bytewise order and none twice, nothing left over. Floats and indefinite
lengths are refused, and tags that the caller has not named, so one value has one encoding and foreign bytes start no
decoder of something else. Devices of others order their maps as they like: that alone can be allowed.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias, Union

Value: TypeAlias = Union[int, bytes, str, bool, list["Value"], dict["Key", "Value"], "Tagged", None]
Key: TypeAlias = int | str

MAX_BYTES: Final = 16_384
MAX_DEPTH: Final = 8

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_SIMPLE: Final[dict[int, bool | None]] = {0xF4: False, 0xF5: True, 0xF6: None}


class CBORError(ValueError):
    """The bytes are not deterministic CBOR of these types, or the value has no such encoding."""


class _Rules(NamedTuple):
    """What a reader lets pass: these tags, and maps in any order."""

    tags: frozenset[int]
    any_order: bool


class Tagged(NamedTuple):
    """A value under a tag (RFC 8949 section 3.4)."""

    tag: int
    value: object


def encode(value: object) -> bytes:
    """Return the one encoding of `value`; raises `CBORError` for what has none, deep nesting included."""
    return _encode(value, 0)


def decode(
    data: bytes, *, max_bytes: int = MAX_BYTES, tags: frozenset[int] = frozenset(), any_order: bool = False
) -> Value:
    """Return the value that `data` is the one encoding of, `tags` alone let through; raises `CBORError`.

    `any_order` lets the members of maps stand in another order than ours: then the value has more than one encoding.
    """
    if len(data) > max_bytes:
        raise CBORError("too large")
    value, end = _decode(data, 0, 0, _Rules(tags, any_order))
    if end != len(data):
        raise CBORError("bytes are left over")
    return value


def _encode(value: object, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise CBORError("nested too deeply")
    if value is None or isinstance(value, bool):
        return b"\xf6" if value is None else b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, (bytes, str)):
        return _encode_string(value)
    if isinstance(value, Tagged):
        return _head(_TAG, value.tag) + _encode(value.value, depth + 1)
    if isinstance(value, list):
        return _head(_ARRAY, len(value)) + b"".join(_encode(item, depth + 1) for item in value)
    if isinstance(value, dict):
        members = sorted((_encode_key(key), _encode(item, depth + 1)) for key, item in value.items())
        return _head(_MAP, len(members)) + b"".join(key + item for key, item in members)
    raise CBORError(f"no encoding for {type(value).__name__}")


def _encode_key(key: object) -> bytes:
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        raise CBORError("a map key is an integer or text")
    return _encode(key, 0)


def _encode_string(value: bytes | str) -> bytes:
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    try:
        text = value.encode("utf-8")
    except UnicodeEncodeError:
        raise CBORError("text is not Unicode (lone surrogate)") from None
    return _head(_TEXT, len(text)) + text


def _head(major: int, argument: int) -> bytes:
    """Return the initial bytes of an item with its argument as short as can be (RFC 8949 section 3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for extra, size in enumerate((1, 2, 4, 8), start=24):
        if argument < 1 << 8 * size:
            return bytes([major << 5 | extra]) + argument.to_bytes(size, "big")
    raise CBORError("an integer has at most 64 bits")


def _decode(data: bytes, start: int, depth: int, rules: _Rules) -> tuple[Value, int]:
    """Return the item that begins at `start`, and where it ends."""
    if depth > MAX_DEPTH:
        raise CBORError("nested too deeply")
    if start >= len(data):
        raise CBORError("cut short")
    first = data[start]
    if first in _SIMPLE:
        return _SIMPLE[first], start + 1
    if first & 0x1F < 24 and first < 0xE0:  # the argument is in the first byte, as it is of nearly every item
        major, argument, start = first >> 5, first & 0x1F, start + 1
    else:
        major, argument, start = _read_head(data, start)
    if major < _BYTES:
        return argument if major == _UNSIGNED else -1 - argument, start
    if major < _ARRAY:
        return _decode_string(data, start, start + argument, major)
    if major == _TAG:
        if argument not in rules.tags:
            raise CBORError("a tag")
        inner, end = _decode(data, start, depth + 1, rules)
        return Tagged(argument, inner), end
    if argument > len(data) - start:  # every member of a container takes one byte at least
        raise CBORError("cut short")
    return (_decode_array if major == _ARRAY else _decode_map)(data, start, argument, depth + 1, rules)


def _decode_string(data: bytes, start: int, end: int, major: int) -> tuple[Value, int]:
    if end > len(data):
        raise CBORError("cut short")
    return (_decode_text(data[start:end]) if major == _TEXT else data[start:end]), end


def _decode_array(data: bytes, start: int, length: int, depth: int, rules: _Rules) -> tuple[Value, int]:
    found: list[Value] = []
    for _ in range(length):
        item, start = _decode(data, start, depth, rules)
        found.append(item)
    return found, start


def _decode_map(data: bytes, start: int, length: int, depth: int, rules: _Rules) -> tuple[Value, int]:
    found: dict[Key, Value] = {}
    before = b""
    for _ in range(length):
        key, end = _decode(data, start, depth, rules)
        if type(key) is not int and type(key) is not str:
            raise CBORError("a map key is an integer or text")
        encoded = data[start:end]
        if key in found if rules.any_order else encoded <= before:
            raise CBORError("map keys are out of order, or one comes twice")
        before = encoded
        found[key], start = _decode(data, end, depth, rules)
    return found, start


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CBORError("text is not UTF-8") from None


def _read_head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return major type, argument, and where the head ends."""
    if start >= len(data):
        raise CBORError("cut short")
    major, short = data[start] >> 5, data[start] & 0x1F
    start += 1
    if major > _TAG or short > 27:
        raise CBORError("a float, simple value or indefinite length")
    if short < 24:
        return major, short, start
    size = 1 << (short - 24)
    argument = int.from_bytes(data[start : start + size], "big")
    if start + size > len(data):
        raise CBORError("cut short")
    if argument < (24 if size == 1 else 1 << 4 * size):
        raise CBORError("not the shortest form")
    return major, argument, start + size

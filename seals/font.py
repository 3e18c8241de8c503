"""Which characters a font has, and its family name: OpenType 1.9 `cmap` (formats 4 and 12) and `name` tables.

A picture with a missing glyph would silently show a box or nothing, so the font is asked first. Only TrueType and
OpenType single fonts (.ttf, .otf) are read. The font is a file of the installation, not something sent from outside;
still, a damaged one raises FontError.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OUTLINES = (b"\x00\x01\x00\x00", b"OTTO")
_UNICODE_TABLES = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))  # (platform, encoding), the fullest first
_FAMILY_NAMES = (16, 1)  # typographic family, family


class FontError(ValueError):
    """A font that cannot be read, or that lacks a character."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font file: where it is, its family name, and the code points it can draw."""

    path: Path
    family: str
    characters: frozenset[int]

    def require(self, text: str) -> None:
        """Raise FontError naming the characters of `text` that this font cannot draw."""
        missing = [c for c in dict.fromkeys(text) if ord(c) not in self.characters]
        if missing:
            listed = " ".join(f"{c} (U+{ord(c):04X})" for c in missing)
            raise FontError(f"{self.path.name} cannot draw: {listed}")


@lru_cache(maxsize=8)
def open_font(path: Path) -> Font:
    """Read a font file. Raise FontError if it is missing or no TrueType or OpenType font."""
    try:
        data = path.read_bytes()
        tables = _tables(data)
        return Font(path, _family(data, tables), _characters(data, tables))
    except (OSError, struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
        raise FontError(f"{path.name} is not a readable font: {error}") from None


def _tables(data: bytes) -> dict[bytes, int]:
    if data[:4] not in _OUTLINES:
        raise FontError("not a TrueType or OpenType font")
    (count,) = struct.unpack_from(">H", data, 4)
    records = (struct.unpack_from(">4s4xII", data, 12 + 16 * index) for index in range(count))
    return {tag: offset for tag, offset, _length in records}


def _family(data: bytes, tables: dict[bytes, int]) -> str:
    base = tables[b"name"]
    count, strings = struct.unpack_from(">2xHH", data, base)
    found: dict[int, str] = {}
    for index in range(count):
        platform, _, language, name, size, offset = struct.unpack_from(">6H", data, base + 6 + 12 * index)
        if platform == 3 and language == 0x409:  # Windows, English: the name that renderers match
            start = base + strings + offset
            found[name] = data[start : start + size].decode("utf-16-be")
    family = next((found[name] for name in _FAMILY_NAMES if name in found), "")
    if not family:
        raise FontError("a font without a family name")
    return family


def _characters(data: bytes, tables: dict[bytes, int]) -> frozenset[int]:
    base = tables[b"cmap"]
    (count,) = struct.unpack_from(">2xH", data, base)
    records = [struct.unpack_from(">HHI", data, base + 4 + 8 * index) for index in range(count)]
    offsets = {(platform, encoding): base + offset for platform, encoding, offset in records}
    start = next((offsets[key] for key in _UNICODE_TABLES if key in offsets), None)
    if start is None:
        raise FontError("a font without a Unicode character map")
    (kind,) = struct.unpack_from(">H", data, start)
    if kind not in {4, 12}:
        raise FontError(f"a character map of format {kind}")
    return frozenset(_groups(data, start) if kind == 12 else _segments(data, start))


def _groups(data: bytes, start: int) -> list[int]:
    """Return the code points of a format 12 table: ranges mapped to consecutive glyphs, glyph 0 being the box."""
    (count,) = struct.unpack_from(">I", data, start + 12)
    found: list[int] = []
    for index in range(min(count, 0x10FFFF)):
        first, last, glyph = struct.unpack_from(">III", data, start + 16 + 12 * index)
        found.extend(range(first + (glyph == 0), min(last, 0x10FFFF) + 1))
    return found


def _segments(data: bytes, start: int) -> list[int]:
    """Return the code points of a format 4 table: ranges mapped by a delta or through an array of glyphs."""
    (doubled,) = struct.unpack_from(">H", data, start + 6)
    count, array = doubled // 2, f">{doubled // 2}H"
    ends = struct.unpack_from(array, data, start + 14)
    starts = struct.unpack_from(array, data, start + 16 + doubled)
    deltas = struct.unpack_from(array, data, start + 16 + 2 * doubled)
    offsets_at = start + 16 + 3 * doubled
    offsets = struct.unpack_from(array, data, offsets_at)
    found: list[int] = []
    for index in range(count):
        for code in range(starts[index], min(ends[index], 0xFFFE) + 1):
            glyph = code
            if offsets[index]:
                place = offsets_at + 2 * index + offsets[index] + 2 * (code - starts[index])
                (glyph,) = struct.unpack_from(">H", data, place)
                if glyph == 0:
                    continue
            if (glyph + deltas[index]) & 0xFFFF:
                found.append(code)
    return found

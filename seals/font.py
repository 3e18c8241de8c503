"""A font as a seal needs it: which characters it has, and the outline of each (OpenType 1.9, read by fontTools).

A picture with a missing glyph would silently show a box or nothing, so a missing character is an error that names it.
Outlines go into the picture itself: whoever draws a seal later needs no font. The font is a file of the installation,
not something sent from outside; still, a damaged one raises FontError.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fontTools.ttLib import TTFont

_FAMILY_NAMES = (16, 1)  # typographic family, family
_DAMAGED = (OSError, struct.error, AssertionError, LookupError, ValueError, EOFError, TypeError)


class FontError(ValueError):
    """A font that cannot be read, or that lacks a character."""


@dataclass(frozen=True, slots=True)
class Outline:
    """How a character is drawn, in units of the em, y upwards: SVG path data, advance and (x0, y0, x1, y1)."""

    path: str
    advance: float
    bounds: tuple[float, float, float, float]


class Font:
    """A font file: where it is, its family name, its code points, and the outlines of its characters."""

    def __init__(self, path: Path) -> None:
        from fontTools.ttLib import TTFont, TTLibError  # here and below: a worker that draws no seal does without it

        try:
            self._font = TTFont(io.BytesIO(path.read_bytes()), lazy=True)
            self._names: dict[int, str] = self._font.getBestCmap() or {}
            self._units = int(self._font["head"].unitsPerEm)
            self.capital = float(self._font["OS/2"].sCapHeight) / self._units
            self.family = _family(self._font)
            self._glyphs = self._font.getGlyphSet()
        except (*_DAMAGED, TTLibError) as error:
            raise FontError(f"{path.name} is not a readable font: {error}") from None
        if not self._names or not self.family:
            raise FontError(f"{path.name} has no character map or no name")
        self.path = path
        self.characters = frozenset(self._names)
        self._drawn: dict[str, Outline] = {}
        self._drawing = Lock()  # fontTools reads its tables at first use, which threads must not share

    def require(self, text: str) -> None:
        """Raise FontError naming the characters of `text` that this font cannot draw."""
        missing = [c for c in dict.fromkeys(text) if ord(c) not in self.characters]
        if missing:
            listed = " ".join(f"{c} (U+{ord(c):04X})" for c in missing)
            raise FontError(f"{self.path.name} cannot draw: {listed}")

    def outline(self, character: str) -> Outline:
        """Return how a character is drawn. Raise FontError for one that the font lacks or draws as nothing."""
        self.require(character)
        with self._drawing:
            if character not in self._drawn:
                self._drawn[character] = self._draw(character)
            return self._drawn[character]

    def _draw(self, character: str) -> Outline:
        from fontTools.pens.boundsPen import BoundsPen
        from fontTools.pens.svgPathPen import SVGPathPen
        from fontTools.ttLib import TTLibError

        try:
            glyph = self._glyphs[self._names[ord(character)]]
            path, bounds = SVGPathPen(self._glyphs), BoundsPen(self._glyphs)
            glyph.draw(path)
            glyph.draw(bounds)
        except (*_DAMAGED, TTLibError) as error:
            raise FontError(f"{self.path.name} is damaged at U+{ord(character):04X}: {error}") from None
        if bounds.bounds is None:
            raise FontError(f"{self.path.name} draws nothing for U+{ord(character):04X}")
        x0, y0, x1, y1 = (value / self._units for value in bounds.bounds)
        return Outline(path.getCommands(), glyph.width / self._units, (x0, y0, x1, y1))

    @property
    def units(self) -> int:
        """Return the units to the em in which the paths of outlines are written."""
        return self._units


@lru_cache(maxsize=8)
def open_font(path: Path) -> Font:
    """Read a font file. Raise FontError if it is missing or no TrueType or OpenType font."""
    return Font(path)


def _family(font: TTFont) -> str:
    names = font["name"]
    found = (names.getName(name, 3, 1, 0x409) for name in _FAMILY_NAMES)  # Windows, English
    return next((str(name) for name in found if name is not None), "")

"""The typeface of faces (照面字体): how wide each character is, which are missing, and what of it a document needs.

Both writers of faces, PDF and OFD, set the same characters at the same places, so widths are asked here and nowhere
else. A character that the font lacks is an error that names it: a licence is never printed with a box in a name.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import seals.font

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fontTools.ttLib.tables._g_l_y_f import Glyph

FOLDER: Final = Path(seals.font.__file__).parent / "fonts"
FAMILY: Final = "Noto Serif SC"
_FILES: Final = {False: "NotoSerifSC-Regular.ttf", True: "NotoSerifSC-Bold.ttf"}
_STYLES: Final = {False: "Regular", True: "Bold"}
_WEIGHTS: Final = {"Regular": 400, "Bold": 700}
_MADE: Final = 2_871_763_200  # 1 January 1995 in seconds since 1904: a part has no moment of its own
_MISSING: Final = ".notdef"  # the glyph that every font begins with


class Typeface:
    """One weight of the typeface."""

    def __init__(self, *, bold: bool) -> None:
        from fontTools.ttLib import TTFont  # here and below: a worker that draws no licence does without it

        path = FOLDER / _FILES[bold]
        self._font, self._style = seals.font.open_font(path), _STYLES[bold]
        self._read = TTFont(io.BytesIO(path.read_bytes()), lazy=True)
        self._names = self._read.getBestCmap()
        self._metrics, self._units = self._read["hmtx"].metrics, self._read["head"].unitsPerEm
        self._glyphs = self._read.getGlyphSet()
        self._reading = Lock()  # fontTools reads outlines at first use, which threads must not share

    def advances(self, text: str) -> list[float]:
        """Return the width of each character, in units of the size.

        Raises:
            seals.font.FontError: it names the characters that the font lacks.
        """
        self._font.require(text)
        return [self._metrics[self._names[ord(character)]][0] / self._units for character in text]

    def part(self, characters: Iterable[str]) -> bytes:
        """Return a font (TrueType) of these characters alone, for a document that carries its own.

        It is built from the outlines: a font of 65,000 glyphs takes too long to be cut down for every licence. The same
        characters give the same bytes.
        """
        from fontTools.fontBuilder import FontBuilder

        self._font.require("".join(characters))
        codes = {code: self._names[code] for code in sorted({ord(character) for character in characters})}
        names = [_MISSING, *dict.fromkeys(codes.values())]
        with self._reading:
            glyphs = {name: self._outline(name) for name in names}
        builder = FontBuilder(self._units, isTTF=True)
        builder.updateHead(created=_MADE, modified=_MADE)
        builder.font.recalcTimestamp = False
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap(codes)
        builder.setupGlyf(glyphs)
        builder.setupHorizontalMetrics({name: self._metrics[name] for name in names})
        lines = self._read["hhea"]
        builder.setupHorizontalHeader(ascent=lines.ascent, descent=lines.descent)
        builder.setupNameTable({"familyName": FAMILY, "styleName": self._style})
        builder.setupOS2(sTypoAscender=lines.ascent, sTypoDescender=lines.descent, usWeightClass=_WEIGHTS[self._style])
        builder.setupPost(keepGlyphNames=False)
        out = io.BytesIO()
        builder.save(out)
        return out.getvalue()

    def _outline(self, name: str) -> Glyph:
        """Return the outline of a glyph, its components drawn out."""
        from fontTools.pens.recordingPen import DecomposingRecordingPen
        from fontTools.pens.ttGlyphPen import TTGlyphPen

        drawn, pen = DecomposingRecordingPen(self._glyphs), TTGlyphPen(None)
        self._glyphs[name].draw(drawn)
        drawn.replay(pen)
        return pen.glyph()


def typeface(*, bold: bool = False) -> Typeface:
    """Return the regular or the bold weight; raises `seals.font.FontError` where it is not installed."""
    return _read(bold)


@lru_cache(maxsize=2)
def _read(bold: bool) -> Typeface:
    return Typeface(bold=bold)

"""Where a text stands on a page of an OFD: GB/T 33190-2016 clause 11 (text), 8.5 (graphic units), 7.7 (pages).

Makers put a line into one TextObject, or every character into its own; the characters of a page are read in the order
of the file. Text of templates and annotations is not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seals.ofd_parts import NAMESPACE
from seals.position import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

MAX_CHARACTERS = 200_000
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: the left end of its baseline and its size, in millimetres on the page."""

    character: str
    x: float
    y: float
    size: float


def find(page: _Element, text: str) -> Box | None:
    """Return the box around the first place of `text` on a page (the root element of Content.xml)."""
    glyphs: list[Glyph] = []
    for glyph in _glyphs(page):
        glyphs.append(glyph)
        if len(glyphs) == MAX_CHARACTERS:
            break
    start = "".join(glyph.character for glyph in glyphs).find(text)
    if start < 0 or not text:
        return None
    found = glyphs[start : start + len(text)]
    left, right = min(glyph.x for glyph in found), max(glyph.x + glyph.size for glyph in found)
    top, bottom = min(glyph.y - glyph.size for glyph in found), max(glyph.y for glyph in found)
    return Box(left, top, right - left, bottom - top)


def _glyphs(page: _Element) -> Iterator[Glyph]:
    for text in page.iter(f"{NAMESPACE}TextObject"):
        boundary = numbers(text.get("Boundary"))
        size = (numbers(text.get("Size")) or [0.0])[0]
        matrix = numbers(text.get("CTM")) or [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        if len(boundary) != 4 or len(matrix) != 6:
            continue
        a, b, c, d, e, f = matrix
        for code in text.iter(f"{NAMESPACE}TextCode"):
            written = code.text or ""
            xs, ys = (places(code, axis, len(written), step) for axis, step in (("X", size), ("Y", 0.0)))
            for character, x, y in zip(written, xs, ys, strict=True):
                yield Glyph(
                    character, boundary[0] + a * x + c * y + e, boundary[1] + b * x + d * y + f, size * abs(d or a)
                )


def places(code: _Element, axis: str, count: int, step: float) -> list[float]:
    """Return the place of each character along one axis: the first, then the distances of DeltaX or DeltaY."""
    start = (numbers(code.get(axis)) or [0.0])[0]
    distances = _runs((code.get(f"Delta{axis}") or "").split(), count)
    places = [start]
    for index in range(count - 1):
        places.append(places[-1] + (distances[index] if index < len(distances) else step))
    return places[:count]


def _runs(words: list[str], at_most: int) -> list[float]:
    """Return the distances that are written out, or as runs: `g N D` is N times D."""
    found: list[float] = []
    words = words[: 3 * at_most]
    while words and len(found) < at_most:
        if words[0] == "g" and len(words) >= 3 and words[1].isdecimal():
            found += numbers(words[2]) * min(int(words[1][:6]), at_most)
            words = words[3:]
        else:
            found += numbers(words[0])
            words = words[1:]
    return found


def numbers(text: str | None) -> list[float]:
    """Return the numbers of an ST_Array, none where one of its words is no number."""
    words = (text or "").split()
    return [float(word) for word in words] if all(_NUMBER.fullmatch(word) for word in words) else []

"""The personal name seal (个人名章): a square of 20 mm, read in columns from the right (右起竖排).

Names of two to six characters stand in two columns; two are filled up with 之印, three and five with 印. A name that is
written with interpuncts (间隔号, 民族姓名) stands in as many columns as leave its characters largest; each part of it
begins a column, and the dot closes the one before. In relief (朱文) the characters are ink within a frame; in intaglio
(白文) they are cut out of a square of ink.
"""

from __future__ import annotations

import math
from enum import StrEnum
from itertools import pairwise

from seals.geometry import Box, Edge, Layout
from seals.lettering import PictureError, check_text

SIZE = 20.0
DOT = "·"  # U+00B7, the interpunct of GB/T 15834
_FRAME, _RIM, _GAP = 1.0, 1.1, 0.5  # mm: line of the frame, its distance to the characters, between characters
_FILLED_UP = {2: "之印", 3: "印", 4: "", 5: "印", 6: ""}
_LONGEST, _LONGEST_PART, _MOST_PARTS = 24, 12, 4  # with the dots; what stays legible at 20 mm
_DOTS = str.maketrans(dict.fromkeys("•‧∙・･", DOT))  # other characters that are typed for the dot
_SHARE = 0.4  # of a character's height that a dot takes
_DOT_FACE = 2.2  # sides of that place which the typeface's square takes, of which the dot itself is a tenth


class Style(StrEnum):
    """How the characters are cut."""

    RELIEF = "relief"  # 朱文
    INTAGLIO = "intaglio"  # 白文


def square_layout(name: str, *, style: Style = Style.RELIEF, size: float = SIZE) -> Layout:
    """Return the layout of a person's seal.

    Args:
        name: 2 to 6 characters; or 2 to 4 parts of up to 12 with a dot between them, 24 in all.
        style: relief or intaglio.
        size: of a side in mm, 10 to 30.

    Raises:
        PictureError: a name that does not fit or cannot stand on a seal.
    """
    if not 10 <= size <= 30:
        raise PictureError("a name seal measures 10 to 30 mm")
    columns = _columns(name.translate(_DOTS))
    scale = size / SIZE
    free = size - 2 * scale * ((_FRAME if style is Style.RELIEF else 0.3) + _RIM)
    boxes = [box for place in range(len(columns)) for box in _column(columns, place, free, scale * _GAP)]
    return Layout(size, size, Edge("square", scale * _FRAME, cut=style is Style.INTAGLIO), tuple(boxes))


def _columns(name: str) -> list[str]:
    """Return what stands in each column, from the right."""
    parts = name.split(DOT)
    if len(parts) == 1:
        check_text(name, min(_FILLED_UP), max(_FILLED_UP))
        return _broken(name + _FILLED_UP[len(name)], 2)
    check_text(name, 3, _LONGEST)
    if len(parts) > _MOST_PARTS or not all(1 <= len(part) <= _LONGEST_PART for part in parts):
        raise PictureError(f"a name has up to {_MOST_PARTS} parts, each of 1 to {_LONGEST_PART} characters")
    ways = [_flowing(parts, rows) for rows in range(1, max(map(len, parts)) + 1)]
    return min(ways, key=lambda columns: (max(len(columns), *map(_height, columns)), len(columns)))


def _flowing(parts: list[str], rows: int) -> list[str]:
    """Return the columns where none holds more than `rows` characters; a dot follows every part but the last."""
    columns: list[str] = []
    for part in parts:
        columns += _broken(part, math.ceil(len(part) / rows))
        columns[-1] += DOT
    return [*columns[:-1], columns[-1].removesuffix(DOT)]


def _broken(text: str, count: int) -> list[str]:
    """Return `text` in `count` pieces of nearly one length, the longer ones first."""
    short, more = divmod(len(text), count)
    ends = [short * place + min(place, more) for place in range(count + 1)]
    return [text[begin:end] for begin, end in pairwise(ends)]


def _height(column: str) -> float:
    return sum(_SHARE if character == DOT else 1.0 for character in column)


def _column(columns: list[str], place: int, free: float, gap: float) -> list[Box]:
    """Return the boxes of one column, which fills the height; a dot's is square, so that it stays round."""
    wide = (free - gap * (len(columns) - 1)) / len(columns)
    x = free / 2 - wide / 2 - place * (wide + gap)
    column, y = columns[place], -free / 2
    high = (free - gap * (len(column) - 1)) / _height(column)
    boxes = []
    for character in column:
        step = high * (_SHARE if character == DOT else 1.0)
        box = (_DOT_FACE * step, _DOT_FACE * step) if character == DOT else (wide, step)
        boxes.append(Box(character, x, y + step / 2, 0.0, *box))
        y += step + gap
    return boxes

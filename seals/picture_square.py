"""The personal name seal (个人名章): a square of 20 mm, read in columns from the right (右起竖排).

Two characters are filled up with 之印, three with 印, four stand as they are. In relief (朱文) the characters are ink
within a frame; in intaglio (白文) they are cut out of a square of ink.
"""

from __future__ import annotations

from enum import StrEnum

from seals.geometry import Box, Edge, Layout
from seals.lettering import PictureError, check_text

SIZE = 20.0
_FRAME, _RIM, _GAP = 1.0, 1.1, 0.5  # mm: line of the frame, its distance to the characters, between characters
_FILLED_UP = {2: "之印", 3: "印", 4: ""}


class Style(StrEnum):
    """How the characters are cut."""

    RELIEF = "relief"  # 朱文
    INTAGLIO = "intaglio"  # 白文


def square_layout(name: str, *, style: Style = Style.RELIEF, size: float = SIZE) -> Layout:
    """Return the layout of a person's seal; the middle dot of a longer name is left out.

    Args:
        name: 2 to 4 characters.
        style: relief or intaglio.
        size: of a side in mm, 10 to 30.

    Raises:
        PictureError: a name that does not fit or cannot stand on a seal.
    """
    if not 10 <= size <= 30:
        raise PictureError("a name seal measures 10 to 30 mm")
    check_text(name, min(_FILLED_UP), max(_FILLED_UP))
    text = name + _FILLED_UP[len(name)]
    scale = size / SIZE
    free = size / 2 - scale * ((_FRAME if style is Style.RELIEF else 0.3) + _RIM)
    side = free - scale * _GAP / 2
    middle = free - side / 2
    places = ((middle, -middle), (middle, middle), (-middle, -middle), (-middle, middle))
    boxes = tuple(Box(c, x, y, 0.0, side, side) for c, (x, y) in zip(text, places, strict=True))
    return Layout(size, size, Edge("square", scale * _FRAME, cut=style is Style.INTAGLIO), boxes)

"""The invoice seal (发票专用章): State Taxation Administration notice 2011 no. 7.

An ellipse of 40 by 30 mm with an edge of 1 mm; the taxpayer's number in the middle (digits 3.7 mm high and 1.3 mm wide,
26 mm in all); above it the name, 4.2 mm high, on an arc 0.5 mm inside the edge; below 发票专用章, 4.6 mm high and 3 mm
wide, its heads 4.2 mm under the middle; and a number, 2.2 by 1.7 mm, 10 mm under the middle, where there are several.
The notice names fangsong and Arial; we draw with the song typeface of the installation.
"""

from __future__ import annotations

from seals.geometry import Box, Edge, Layout, line, parallel_to_ellipse, spread
from seals.lettering import check_code, check_name, numbered

WIDTH, HEIGHT, EDGE = 40.0, 30.0, 1.0
SPECIAL = "发票专用章"
CODE_LENGTHS = (15, 18, 20)  # taxpayer numbers in use
_NAME_HEIGHT, _NAME_GAP, _WIDEST = 4.2, 0.5, 3.2
_CODE_WIDTH, _CODE_HEIGHT, _CODE_LINE = 1.3, 3.7, 26.0
_FOOT = 0.7  # where the ellipse turns sharpest, feet come this much closer together than middles


def oval_layout(name: str, *, code: str, number: int | None = None) -> Layout:
    """Return the layout of an invoice seal.

    Args:
        name: the taxpayer's, 4 to 40 characters.
        code: taxpayer number (纳税人识别号).
        number: of several such seals, 1 to 99.

    Raises:
        PictureError: a text that does not fit or cannot stand on a seal.
    """
    boxes = _name(check_name(name))
    check_code(code, CODE_LENGTHS)
    step = (_CODE_LINE - _CODE_WIDTH) / (len(code) - 1)
    boxes += line(code, y=0, step=step, width=_CODE_WIDTH, height=_CODE_HEIGHT)
    boxes += line(SPECIAL, y=4.2 + 4.6 / 2, step=3.7, width=3.0, height=4.6)
    if number is not None:
        boxes += line(numbered(number), y=10 + 2.2 / 2, step=1.9, width=1.7, height=2.2)
    return Layout(WIDTH, HEIGHT, Edge("ellipse", EDGE), tuple(boxes))


def _name(name: str) -> list[Box]:
    inner = (WIDTH / 2 - EDGE, HEIGHT / 2 - EDGE)
    curve = parallel_to_ellipse(*inner, inwards=_NAME_GAP + _NAME_HEIGHT / 2)
    span = min(244.0, 34.0 * (len(name) - 1), 128.0 + 10.0 * (len(name) - 4))
    places, step = spread(curve, span, len(name))
    width = min(_WIDEST, step * _FOOT)
    return [
        Box(character, *point, turn, width, _NAME_HEIGHT)
        for character, (point, turn) in zip(name, map(curve, places), strict=True)
    ]

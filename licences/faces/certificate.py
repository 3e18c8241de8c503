"""A certificate (证书): A4 landscape, with a border; the generic layout of what is hung on a wall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from licences.faces import parts
from licences.faces.content import Row
from licences.faces.drawing import Page, centred

if TYPE_CHECKING:
    from licences.faces.content import Content
    from licences.faces.drawing import Item

WIDTH, HEIGHT = 297.0, 210.0
_CENTRE = (222.0, 159.0)
_MOST_IN_A_COLUMN = 9


def draw(content: Content) -> Page:
    """Return the face; raises `FaceError` or `seals.font.FontError`."""
    colour, middle = content.colour, WIDTH / 2
    items: list[Item] = [
        *parts.ground(17, 17, WIDTH - 34, HEIGHT - 34, colour),
        *parts.frame(10, 10, WIDTH - 20, HEIGHT - 20, colour),
        *parts.medallion(middle, 105, 44, colour, share=0.12),
        *parts.overprint(content, middle, 112, 46),
        *parts.medallion(middle, 30, 9, colour, share=0.8),
        parts.heading(content.title, middle, 56, 240, size=13, spacing=4, colour=colour),
        centred(f"编号：{content.number}", middle, 66, 3.8, colour=parts.GREY),
        *_fields(content),
        *parts.issued(content, _CENTRE[0], 158, size=4.6),
        *parts.code(content, 34, 148, 32),
        *parts.sample(content, middle, 180, 4.2),
        *parts.foot(content, 90, 191, WIDTH - 180),
    ]
    return Page(WIDTH, HEIGHT, content.title, tuple(items), _CENTRE)


def _fields(content: Content) -> list[Item]:
    """Return the fields in one column, many of them in two."""
    fields = (*content.rows, Row("validity", "有效期限", content.term))
    if len(fields) <= _MOST_IN_A_COLUMN:
        return parts.rows(fields, 62, 76, 185, 68, size=5.6, label=8.5, colour=content.colour)
    half = (len(fields) + 1) // 2
    return [
        item
        for x, column in ((32, fields[:half]), (153, fields[half:]))
        for item in parts.rows(column, x, 76, 114, 66, size=4.8, label=8.0, colour=content.colour)
    ]

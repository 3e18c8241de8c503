"""A permit (许可证): A4 portrait, its fields between lines; the generic layout of what has many or long fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from licences.faces import parts
from licences.faces.content import Row
from licences.faces.drawing import Page, centred

if TYPE_CHECKING:
    from licences.faces.content import Content
    from licences.faces.drawing import Item

WIDTH, HEIGHT = 210.0, 297.0
_CENTRE = (142.0, 243.0)


def draw(content: Content) -> Page:
    """Return the face; raises `FaceError` or `seals.font.FontError`."""
    colour, middle = content.colour, WIDTH / 2
    fields = (*content.rows, Row("validity", "有效期限", content.term))
    items: list[Item] = [
        *parts.ground(17, 17, WIDTH - 34, HEIGHT - 34, colour),
        *parts.frame(10, 10, WIDTH - 20, HEIGHT - 20, colour),
        *parts.medallion(middle, 140, 46, colour, share=0.12),
        *parts.overprint(content, middle, 140, 46),
        *parts.medallion(middle, 31, 9, colour, share=0.8),
        parts.heading(content.title, middle, 58, 160, size=12, spacing=3, colour=colour),
        centred(f"编号：{content.number}", middle, 68, 3.8, colour=parts.GREY),
        *parts.table(fields, 25, 75, 160, 140, size=4.6, label=46, colour=colour),
        *parts.issued(content, _CENTRE[0], 242, size=4.6),
        *parts.code(content, 27, 225, 34),
        *parts.sample(content, middle, 273, 4.2),
        *parts.foot(content, 30, 279, WIDTH - 60),
    ]
    return Page(WIDTH, HEIGHT, content.title, tuple(items), _CENTRE)

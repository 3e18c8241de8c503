"""A card (卡证): both sides of an ID-1 card (ISO/IEC 7810, 85.6 by 54 mm) in their size, with the seal on a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from licences.faces import parts
from licences.faces.drawing import Page, Stroke, Text, centred, fitted, rectangle

if TYPE_CHECKING:
    from licences.faces.content import Content
    from licences.faces.drawing import Item

WIDTH, HEIGHT = 148.0, 210.0
CARD = (85.6, 54.0)
LEFT = (WIDTH - CARD[0]) / 2
FRONT, BACK = 30.0, 90.0  # the tops of the two sides
_RADIUS = 3.18
_CENTRE = (103.0, 172.0)


def draw(content: Content) -> Page:
    """Return the face of any card; raises `FaceError` or `seals.font.FontError`."""
    return sheet(content, [*_front(content), *_back(content)])


def sheet(content: Content, sides: list[Item], *, title: str = "发证机关") -> Page:
    """Return the sheet on which the two sides stand."""
    colour = content.colour
    items: list[Item] = [
        parts.heading(content.title, WIDTH / 2, 20, WIDTH - 30, size=7, spacing=1.6, colour=colour),
        *sides,
        *parts.issued(content, _CENTRE[0], 170, size=3.4, title=title, width=82),
        *parts.code(content, 22, 153, 34),
        *parts.sample(content, WIDTH / 2, 199, 3.4),
        *parts.foot(content, 12, 205, WIDTH - 24, size=1.9),
    ]
    return Page(WIDTH, HEIGHT, content.title, tuple(items), _CENTRE)


def side(top: float, colour: str, *, fill: str = "#ffffff") -> list[Item]:
    """Return the ground of one side."""
    return [
        Stroke(rectangle(LEFT, top, *CARD, _RADIUS), parts.tint(colour, 0.6), 0.2, fill),
        *parts.ground(LEFT + 2, top + 2, CARD[0] - 4, CARD[1] - 4, colour, step=2.0),
    ]


def _band(content: Content, top: float) -> list[Item]:
    """Return the coloured head of a side, rounded above alone."""
    return [
        Stroke(rectangle(LEFT, top, CARD[0], 11, _RADIUS), fill=content.colour),
        Stroke(rectangle(LEFT, top + 5, CARD[0], 6), fill=content.colour),
        parts.heading(content.title, WIDTH / 2, top + 7.4, CARD[0] - 10, size=4.4, spacing=0.8, colour="#ffffff"),
    ]


def _front(content: Content) -> list[Item]:
    rows = [row for row in content.rows if row.name != "holder_number"]
    return [
        *side(FRONT, content.colour),
        *parts.overprint(content, WIDTH / 2, FRONT + 30, 20),
        *_band(content, FRONT),
        *parts.rows(rows, LEFT + 5, FRONT + 14, 52, 30, size=2.7, label=6, colour=content.colour),
        *parts.silhouette(LEFT + 60.5, FRONT + 14, 20, 26, content.colour),
        Text(LEFT + 5, FRONT + 50, 2.9, content.value("holder_number"), bold=True, spacing=0.5, name="holder_number"),
    ]


def _back(content: Content) -> list[Item]:
    middle = WIDTH / 2
    number = f"证件编号  {content.number}"
    return [
        *side(BACK, content.colour),
        *parts.medallion(middle, BACK + 27, 22, content.colour, share=0.25),
        *_band(content, BACK),
        centred(number, middle, BACK + 30, fitted(number, 76, 3.2, least=1.5)),
        centred(f"有效期限  {content.dotted_term}", middle, BACK + 39, 3.2),
        centred(
            f"签发机关  {content.issuer}", middle, BACK + 48, fitted(f"签发机关  {content.issuer}", 76, 3.2, least=1.5)
        ),
    ]

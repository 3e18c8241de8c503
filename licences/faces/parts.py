"""The parts that faces share: borders, guilloche grounds, rows of fields, the block of issuer, seal and QR code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from licences.faces.content import chinese_day
from licences.faces.drawing import (
    Code,
    FaceError,
    Stroke,
    Text,
    centred,
    fitted,
    length,
    rectangle,
    rosette,
    rule,
    spread,
    waves,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from licences.faces.content import Content, Row
    from licences.faces.drawing import Command, Item

GREY: Final = "#5b5b5b"
RED: Final = "#b3202c"
LEADING: Final = 1.45  # lines of a text, in sizes
_LEAST: Final = 1.5  # mm: smaller print is no print
_SHRINK: Final = 0.94
_PALE: Final = 0.4


def tint(colour: str, share: float) -> str:
    """Return `colour` mixed with white: `share` of it is left."""
    channels = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - channel) * share):02x}" for channel in channels)


def ground(x: float, y: float, width: float, height: float, colour: str, *, step: float = 4.0) -> list[Item]:
    """Return a ground of fine waves (底纹), two sets that cross."""
    lines = max(round(height / step), 1)
    gap = height / lines
    commands: list[Command] = []
    for number in range(lines):
        for up in (True, False):
            level = y + (number + 0.5) * gap
            commands += waves(x, level, width, height=gap * 0.66, count=max(round(width / gap / 4), 2), up=up)
    return [Stroke(tuple(commands), tint(colour, 0.2), 0.09)]


def medallion(x: float, y: float, radius: float, colour: str, *, share: float = 0.55) -> list[Item]:
    """Return a guilloche roundel (团花), which stands where the real thing has an emblem; a pale one is behind text."""
    rings = ((1.0, 24, 0.05), (0.9, 24, -0.05), (0.74, 16, 0.12), (0.74, 16, -0.12), (0.5, 12, 0.2), (0.5, 12, -0.2))
    commands: list[Command] = []
    for reach, petals, depth in rings:
        commands += rosette(x, y, radius * reach, petals, depth)
    drawn = Stroke(tuple(commands), tint(colour, share), max(radius / 110, 0.06))
    if share < _PALE:
        return [drawn]
    star: list[Command] = []
    for number in range(10):
        angle, reach = math.pi * (number / 5 - 0.5), radius * (0.3 if number % 2 == 0 else 0.115)
        star.append(("L" if number else "M", (x + reach * math.cos(angle), y + reach * math.sin(angle))))
    return [drawn, Stroke((*star, ("C", ())), fill=tint(colour, min(share + 0.35, 1.0)))]


def frame(x: float, y: float, width: float, height: float, colour: str) -> list[Item]:
    """Return the border of a certificate: a band of interlaced waves between two lines, roundels in its corners."""
    band = 6.0
    inner = (x + band, y + band, width - 2 * band, height - 2 * band)
    lines: list[Item] = [
        Stroke(rectangle(x, y, width, height), colour, 0.9),
        Stroke(rectangle(x + 1.2, y + 1.2, width - 2.4, height - 2.4), colour, 0.2),
        Stroke(rectangle(*inner), colour, 0.5),
    ]
    commands: list[Command] = []
    middle = band / 2 + 0.6
    for up in (True, False):
        across, down = (2 * round((side - 2 * band) / 6.0) for side in (width, height))
        for level in (y + middle, y + height - middle):
            commands += waves(x + band, level, width - 2 * band, height=2.4, count=across, up=up)
        for level in (x + middle, x + width - middle):
            turned = waves(y + band, level, height - 2 * band, height=2.4, count=down, up=up)
            commands += [(name, _swapped(values)) for name, values in turned]
    corners = [
        item
        for cx in (x + middle, x + width - middle)
        for cy in (y + middle, y + height - middle)
        for item in medallion(cx, cy, 2.6, colour, share=0.9)
    ]
    return [*lines, Stroke(tuple(commands), tint(colour, 0.6), 0.16), *corners]


def rows(
    fields: Sequence[Row], x: float, y: float, width: float, height: float, *, size: float, label: float, colour: str
) -> list[Item]:
    """Return rows of title and value in a box: as large as fits, `size` at most, spread over its height.

    `label` is the width of the titles, in sizes, at most. Raises `FaceError` where even small print does not fit.
    """
    label = min(label, max(4, *(len(row.title) for row in fields)))
    while True:
        wide = width - (label + 1.0) * size
        lines = [wrapped(row.value, wide, size) for row in fields]
        needed = sum(len(one) * LEADING + 0.45 for one in lines) * size
        if needed <= height:
            break
        size *= _SHRINK
        if size < _LEAST:
            raise FaceError("the fields of this face do not fit on it")
    free = min((height - needed) / max(len(fields), 1), size * 1.1)
    found: list[Item] = []
    top = y
    for row, one in zip(fields, lines, strict=True):
        found.append(_label(row.title, x, top + size, label * size, size, colour))
        for number, line in enumerate(one):
            at = top + size + number * LEADING * size
            found.append(Text(x + (label + 1.0) * size, at, round(size, 3), line, name=row.name))
        top += (len(one) * LEADING + 0.45) * size + free
    return found


def table(
    fields: Sequence[Row], x: float, y: float, width: float, height: float, *, size: float, label: float, colour: str
) -> list[Item]:
    """Return rows of title and value between lines, as high as the box together; raises `FaceError`."""
    pale = tint(colour, 0.7)
    while True:
        wide = width - label - 2 * size
        lines = [wrapped(row.value, wide, size) for row in fields]
        heights = [max(len(one) * LEADING + 1.0, 2.4) * size for one in lines]
        if sum(heights) <= height:
            break
        size *= _SHRINK
        if size < _LEAST:
            raise FaceError("the fields of this face do not fit on it")
    free = (height - sum(heights)) / max(len(fields), 1)
    found: list[Item] = [
        Stroke(rectangle(x, y, width, height), pale, 0.35),
        rule(x + label, y, x + label, y + height, pale),
    ]
    top = y
    for row, one, own in zip(fields, lines, heights, strict=True):
        tall = own + free
        if top > y:
            found.append(rule(x, top, x + width, top, pale))
        first = top + tall / 2 - (len(one) - 1) * LEADING * size / 2 + size * 0.36
        found.append(_label(row.title, x + size, top + tall / 2 + size * 0.36, label - 2 * size, size, colour))
        for number, line in enumerate(one):
            found.append(Text(x + label + size, first + number * LEADING * size, round(size, 3), line, name=row.name))
        top += tall
    return found


def prose(text: str, x: float, y: float, width: float, height: float, *, size: float, name: str) -> list[Item]:
    """Return one field as running text in a box; raises `FaceError`."""
    while len(lines := wrapped(text, width, size)) * LEADING * size > height:
        size *= _SHRINK
        if size < _LEAST:
            raise FaceError("the fields of this face do not fit on it")
    return [
        Text(x, y + size + number * LEADING * size, round(size, 3), line, name=name)
        for number, line in enumerate(lines)
    ]


def heading(title: str, middle: float, y: float, width: float, *, size: float, spacing: float, colour: str) -> Text:
    """Return the name of the licence, as large as fits into `width`, `size` at most."""
    whole = length(title, size, bold=True, spacing=spacing)
    share = min(1.0, width / whole)
    return centred(
        title, middle, y, round(size * share, 3), bold=True, colour=colour, spacing=round(spacing * share, 3)
    )


def issued(
    content: Content, middle: float, y: float, *, size: float, title: str = "发证机关", width: float = 100.0
) -> list[Item]:
    """Return the issuer and the day of issue, over which the seal is put."""
    name = f"{title}：{content.issuer}"
    return [
        centred(name, middle, y, fitted(name, width, size, least=_LEAST)),
        centred(chinese_day(content.issued_on), middle, y + size * 2.1, size, spacing=size * 0.12),
    ]


def code(content: Content, x: float, y: float, side: float, *, size: float = 2.3) -> list[Item]:
    """Return the QR code on a white field, with what it is for under it."""
    return [
        Stroke(rectangle(x - 0.6, y - 0.6, side + 1.2, side + 1.2), tint(content.colour, 0.5), 0.15, "#ffffff"),
        Code(x, y, side, content.code),
        centred("扫码核验证照状态", x + side / 2, y + side + size * 1.4, size, colour=GREY),
    ]


def foot(content: Content, x: float, y: float, width: float, *, size: float = 2.2) -> list[Item]:
    """Return the identifier (电子证照标识), small, at the foot of a page."""
    text = f"电子证照标识 {content.identifier}"
    return [centred(text, x + width / 2, y, fitted(text, width, size, least=1.0), colour=GREY)]


def sample(content: Content, x: float, y: float, size: float) -> list[Item]:
    """Return the words that tell a demonstration from the real thing (演示标记), none on a real licence."""
    if not content.demonstration:
        return []
    text = "演示样本 · 不具有法律效力"
    return [centred(text, x, y, size, bold=True, colour=RED, spacing=size * 0.1)]


def overprint(content: Content, x: float, y: float, size: float) -> list[Item]:
    """Return a large pale 演示 behind the text of a demonstration."""
    if not content.demonstration:
        return []
    return [
        centred("演示", x, y + size * 0.36, size, bold=True, colour=tint(content.colour, 0.08), spacing=size * 0.25)
    ]


def _label(title: str, x: float, y: float, width: float, size: float, colour: str) -> Text:
    return spread(title, x, y, width, fitted(title, width, round(size, 3), least=_LEAST * 0.6), colour=colour)


def _swapped(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return points with their axes exchanged: what ran along the page runs down it."""
    return tuple(value for place in range(0, len(values), 2) for value in (values[place + 1], values[place]))


def silhouette(x: float, y: float, width: float, height: float, colour: str) -> list[Item]:
    """Return the field of the photograph: the record holds none, so a figure stands for it."""
    middle, head = x + width / 2, min(width * 0.2, height * 0.17)
    shoulders = (
        ("M", (x + width * 0.12, y + height)),
        ("B", (x + width * 0.14, y + height * 0.66, middle - head, y + height * 0.64, middle, y + height * 0.64)),
        ("B", (middle + head, y + height * 0.64, x + width * 0.86, y + height * 0.66, x + width * 0.88, y + height)),
        ("C", ()),
    )
    shade = tint(colour, 0.28)
    return [
        Stroke(rectangle(x, y, width, height), tint(colour, 0.5), 0.15, tint(colour, 0.07)),
        Stroke(shoulders, fill=shade),
        Stroke(rosette(middle, y + height * 0.4, head, 2, 0.0), fill=shade),
    ]

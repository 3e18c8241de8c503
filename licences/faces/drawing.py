"""A face as it is drawn (照面版式): a page of texts, strokes and one QR code, in millimetres from the upper left.

Layouts make it and know no file format; writers of PDF and OFD draw it and know no licence. What is written stands at
its baseline; `name` tells which field of the face a text is, for the index that GB/T 36905 asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from licences.faces.typeface import typeface

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INK: Final = "#1a1a1a"
#: A command of an outline as OFD writes it: M, L, B (cubic), C (close).
Command: TypeAlias = tuple[str, tuple[float, ...]]
#: What no line begins with.
_CLOSING: Final = frozenset("，。；：、！？）》〉」』】”’,.;:!?)]}%·")
_ROUND: Final = 0.5522847498  # how far the handles of a quarter of a circle reach


class FaceError(ValueError):
    """A face that cannot be drawn: what it has to hold does not fit."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `spacing` is added after each character."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    colour: str = INK
    spacing: float = 0.0
    name: str | None = None

    def steps(self) -> list[float]:
        """Return the width of each character, with the spacing."""
        return [
            round(advance * self.size + self.spacing, 4) for advance in typeface(bold=self.bold).advances(self.text)
        ]


@dataclass(frozen=True, slots=True)
class Stroke:
    """An outline: filled, drawn with a line, or both."""

    commands: tuple[Command, ...]
    line: str | None = None
    width: float = 0.0
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """The QR code for paper, its quiet zone included in `side`."""

    x: float
    y: float
    side: float
    text: str


Item: TypeAlias = Text | Stroke | Code


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a watermark (水印), turned by `turn` degrees to the left around where it begins."""

    x: float
    y: float
    size: float
    text: str
    turn: float
    colour: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Page:
    """A drawn face; `centre` is where the middle of the department's seal is put, `marks` lie over all the rest."""

    width: float
    height: float
    title: str
    items: tuple[Item, ...]
    centre: tuple[float, float]
    marks: tuple[Mark, ...] = ()

    def texts(self) -> Iterator[Text]:
        """Yield the texts in their order."""
        return (item for item in self.items if isinstance(item, Text))


def length(text: str, size: float, *, bold: bool = False, spacing: float = 0.0) -> float:
    """Return how wide a text is; raises `seals.font.FontError`."""
    return sum(typeface(bold=bold).advances(text)) * size + spacing * max(len(text) - 1, 0)


def centred(
    text: str, middle: float, y: float, size: float, *, bold: bool = False, colour: str = INK, spacing: float = 0.0
) -> Text:
    """Return a text around a middle."""
    return Text(middle - length(text, size, bold=bold, spacing=spacing) / 2, y, size, text, bold, colour, spacing)


def ending(text: str, right: float, y: float, size: float, *, bold: bool = False, colour: str = INK) -> Text:
    """Return a text that ends at `right`."""
    return Text(right - length(text, size, bold=bold), y, size, text, bold, colour)


def spread(text: str, x: float, y: float, width: float, size: float, **more: object) -> Text:
    """Return a text spaced out to `width` (分散对齐); one that is as wide already is left as it is."""
    free = width - length(text, size)
    spacing = free / (len(text) - 1) if len(text) > 1 and free > 0 else 0.0
    return Text(x, y, size, text, spacing=round(spacing, 3), **more)  # type: ignore[arg-type]


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return the lines of a text that is to be no wider than `width`; raises `seals.font.FontError`."""
    lines, line, taken = [], "", 0.0
    for character, advance in zip(text, typeface().advances(text), strict=True):
        if taken + advance * size > width + 0.01 and line and character not in _CLOSING:
            lines.append(line)
            line, taken = "", 0.0
        line += character
        taken += advance * size
    return [*lines, line]


def fitted(text: str, width: float, size: float, *, least: float) -> float:
    """Return the largest size, `size` at most, at which a text is no wider than `width`; raises `FaceError`."""
    wide = length(text, size)
    found = size if wide <= width else size * width / wide
    if found < least:
        raise FaceError(f"{text[:20]} is too long for its place")
    return round(found, 3)


def rectangle(x: float, y: float, width: float, height: float, radius: float = 0.0) -> tuple[Command, ...]:
    """Return the outline of a rectangle, its corners rounded by `radius`."""
    right, bottom, reach = x + width, y + height, radius * (1 - _ROUND)
    if not radius:
        return (("M", (x, y)), ("L", (right, y)), ("L", (right, bottom)), ("L", (x, bottom)), ("C", ()))
    return (
        ("M", (x + radius, y)),
        ("L", (right - radius, y)),
        ("B", (right - reach, y, right, y + reach, right, y + radius)),
        ("L", (right, bottom - radius)),
        ("B", (right, bottom - reach, right - reach, bottom, right - radius, bottom)),
        ("L", (x + radius, bottom)),
        ("B", (x + reach, bottom, x, bottom - reach, x, bottom - radius)),
        ("L", (x, y + radius)),
        ("B", (x, y + reach, x + reach, y, x + radius, y)),
        ("C", ()),
    )


def rule(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 0.2) -> Stroke:
    """Return a straight line."""
    return Stroke((("M", (x1, y1)), ("L", (x2, y2))), colour, width)


def waves(x: float, y: float, width: float, *, height: float, count: int, up: bool) -> tuple[Command, ...]:
    """Return a wave of `count` swings from left to right, as cubic curves through its turns."""
    step = width / count
    commands: list[Command] = [("M", (x, y))]
    for number in range(count):
        place = x + number * step
        level = y + (-height if up is (number % 2 == 0) else height)
        commands.append(("B", (place + step * 0.36, level, place + step * 0.64, level, place + step, y)))
    return tuple(commands)


def rosette(x: float, y: float, radius: float, petals: int, depth: float) -> tuple[Command, ...]:
    """Return a closed guilloche (扭索纹) around a middle: a circle whose radius swings by `depth`."""
    count = petals * 4
    points = []
    for number in range(count):
        angle = 2 * math.pi * number / count
        reach = radius * (1 + depth * math.cos(petals * angle))
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return _closed(points)


def _closed(points: Sequence[tuple[float, float]]) -> tuple[Command, ...]:
    """Return a smooth closed curve through points (Catmull-Rom as cubic curves)."""
    count = len(points)
    commands: list[Command] = [("M", points[0])]
    for number in range(count):
        before, here, there, after = (points[(number + shift) % count] for shift in (-1, 0, 1, 2))
        first = tuple(here[axis] + (there[axis] - before[axis]) / 6 for axis in (0, 1))
        second = tuple(there[axis] - (after[axis] - here[axis]) / 6 for axis in (0, 1))
        commands.append(("B", (*first, *second, *there)))
    return (*commands, ("C", ()))

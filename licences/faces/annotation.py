"""What makes a face an annotated copy (加注件): a watermark over it, and a strip below it that says what it is for.

GB/T 36903-2018 names who made it, why, when and until when. The watermark is a shortened form that no cut of the page
escapes; the strip has all of it, in words, and says that this is a copy and not the licence itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from licences.faces.drawing import INK, Mark, Stroke, Text, ending, length, rectangle, rule, wrapped
from licences.faces.parts import GREY, LEADING, RED, tint
from licences.lifecycle import CHINA_STANDARD_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from licences.faces.drawing import Item, Page

HEADING: Final = "电子证照加注件 · 非证照原件"
_COLOUR: Final = "#24406b"
_OPACITY: Final = 0.2
_TURN: Final = 28.0  # degrees
_SHORT: Final = 30  # characters of a watermark's line
_MARGIN: Final = 0.06  # of the width


@dataclass(frozen=True, slots=True)
class Note:
    """What is annotated: the copy's number, what it is for, who asked for it, when it was made and until when it holds.

    `asked_by` and `purpose` are lines of text; both times are aware.
    """

    number: str
    purpose: str
    asked_by: str
    made_at: datetime
    expires_at: datetime

    def entries(self) -> dict[str, str]:
        """Return the members that GB/T 36903-2018 has for annotated copies, and the copy's own number."""
        return {
            "certificateCopyCreationTime": moment(self.made_at),
            "certificateCopyCreator": self.asked_by,
            "certificateCopyCause": self.purpose,
            "certificateCopyExpiringTime": moment(self.expires_at),
            "certificateCopyNumber": self.number,
        }


def annotate(page: Page, note: Note) -> Page:
    """Return a face with its watermark and the strip below it; raises `seals.font.FontError`."""
    strip, height = _strip(page, note)
    marks = tuple(_marks(page.width, page.height, note))
    return replace(page, height=page.height + height, items=(*page.items, *strip), marks=marks)


def moment(at: datetime) -> str:
    """Return a time as these copies state it: 2026-01-05 09:30:00, in China Standard Time."""
    return f"{at.astimezone(CHINA_STANDARD_TIME):%Y-%m-%d %H:%M:%S}"


def _strip(page: Page, note: Note) -> tuple[list[Item], float]:
    """Return the strip, and how high it is."""
    size, left = max(page.width / 62, 2.4), page.width * _MARGIN
    wide, right = page.width - 2 * left, page.width - left
    told = f"仅供 {note.asked_by} 用于：{note.purpose}"
    lines = wrapped(told, wide, size)
    times = f"加注时间 {moment(note.made_at)}　有效期至 {moment(note.expires_at)}（北京时间），逾期作废"
    lines += wrapped(times, wide, size)
    top, step = page.height, size * LEADING
    height = size * 3.4 + len(lines) * step + size * 1.2
    first = top + size * 3.9
    items: list[Item] = [
        Stroke(rectangle(0, top, page.width, height), fill=tint(_COLOUR, 0.06)),
        rule(0, top, page.width, top, _COLOUR, 0.35),
        Text(left, top + size * 2.0, round(size * 1.15, 3), HEADING, bold=True, colour=RED),
        ending(f"编号 {note.number}", right, top + size * 2.0, round(size * 0.8, 3), colour=GREY),
        *(Text(left, first + place * step, round(size, 3), line, colour=INK) for place, line in enumerate(lines)),
    ]
    return items, height


def _marks(width: float, height: float, note: Note) -> Iterator[Mark]:
    """Yield the lines of the watermark, in rows from the upper left to the lower right, each row shifted."""
    size = max(math.hypot(width, height) / 72, 2.6)
    term = f"{moment(note.made_at)[:10]} 至 {moment(note.expires_at)[:10]}"
    lines = (f"仅供{_cut(note.asked_by)}使用", _cut(note.purpose), term)
    long = max(length(text, size) for text in lines)
    along, across = math.cos(math.radians(_TURN)), math.sin(math.radians(_TURN))
    step_x, step_y = long * along + size * 5, max(long * across * 0.75, size * 10)
    for row in range(math.ceil((height + long * across) / step_y) + 1):
        for column in range(-1, math.ceil(width / step_x) + 1):
            x = (column + (row % 2) / 2) * step_x + size
            y = row * step_y + size * 2
            if x + long * along < 0 or x > width:
                continue
            for line, text in enumerate(lines):
                down = line * size * LEADING
                yield Mark(x + across * down, y + along * down, round(size, 3), text, _TURN, _COLOUR, _OPACITY)


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"

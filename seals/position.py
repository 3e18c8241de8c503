"""Where a seal is wanted on a document, whatever the document's format (盖章位置): millimetres from the upper left."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 25.0  # mm to the right and below a seal for which no place was asked


class PositionError(ValueError):
    """A place that the document does not have: `field` is page, x, y or keyword."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Position:
    """Where a seal is wanted: the page, from 1, and the upper left corner of its picture (x and y, or neither).

    With a `keyword` the middle of the picture lies on the middle of the first place where the text stands, on `page`
    or else on any page. `across` puts slices of it on the right edges of all pages (骑缝章).
    """

    page: int | None = None
    x: float | None = None
    y: float | None = None
    keyword: str | None = None
    across: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page: its upper left corner, width and height in millimetres."""

    x: float
    y: float
    width: float
    height: float


def corner(wanted: Position, page: tuple[float, float], seal: tuple[float, float]) -> tuple[float, float]:
    """Return the upper left corner of a seal on a page of that size, lower right where no place is asked.

    Raise PositionError where the seal does not fit on the page there.
    """
    found = []
    for field, start, whole, part in (
        ("x", wanted.x, page[0], seal[0]),
        ("y", wanted.y, page[1], seal[1]),
    ):
        begin = max(whole - part - MARGIN, 0.0) if start is None else start
        if not 0 <= begin <= whole - part:
            raise PositionError(field, f"The page measures {whole:g} mm, the seal {part:g} mm.")
        found.append(begin)
    return found[0], found[1]


def around(text: Box, page: tuple[float, float], seal: tuple[float, float]) -> tuple[float, float]:
    """Return the corner of a seal whose middle lies on that of `text`, moved as far as it must be to fit on the page.

    Raise PositionError where the page is smaller than the seal.
    """
    if seal[0] > page[0] or seal[1] > page[1]:
        raise PositionError("keyword", f"The page measures {page[0]:g} by {page[1]:g} mm, the seal {seal[0]:g} mm.")
    x = text.x + (text.width - seal[0]) / 2
    y = text.y + (text.height - seal[1]) / 2
    return min(max(x, 0.0), page[0] - seal[0]), min(max(y, 0.0), page[1] - seal[1])

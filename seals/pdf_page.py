"""Where on a page of a PDF a seal is put: ISO 32000-2 clauses 7.7.3 (pages), 8.3.2 (user space), 12.5.5 (appearances).

People measure a page as they see it: in millimetres from its upper left corner, turned as `Rotate` says and cut to
its CropBox. A PDF measures from the lower left in units of 1/72 inch (or more, `UserUnit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seals.pdf import Found, PdfError
from seals.pdf_read import guarded
from seals.position import Box, Position, PositionError, around, corner

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.rw_common import PdfHandler

UNITS_PER_MM = 72 / 25.4
LARGEST_PAGE = 14_400.0  # units, ISO 32000-2 annex C
MAX_DEPTH = 64  # of the page tree


@dataclass(frozen=True, slots=True)
class Page:
    """What matters of a page: its visible box in user space, how many degrees it is turned clockwise, mm to units."""

    left: float
    bottom: float
    right: float
    top: float
    turned: int
    per_mm: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in millimetres, as a reader sees them."""
        across, up = (self.right - self.left) / self.per_mm, (self.top - self.bottom) / self.per_mm
        return (up, across) if self.turned in {90, 270} else (across, up)

    def rectangle(self, box: Box) -> tuple[float, float, float, float]:
        """Return a box that is seen there as `Rect` has it: left, bottom, right, top in user space."""
        x, y, w, h = (value * self.per_mm for value in (box.x, box.y, box.width, box.height))
        left, bottom = {
            0: (self.left + x, self.top - y - h),
            90: (self.left + y, self.bottom + x),
            180: (self.right - x - w, self.bottom + y),
            270: (self.right - y - h, self.top - x - w),
        }[self.turned]
        if self.turned in {90, 270}:
            w, h = h, w
        return left, bottom, left + w, bottom + h

    def seen(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Return where a rectangle of user space is seen: the inverse of `rectangle`."""
        x, y = {
            0: (left - self.left, self.top - top),
            90: (bottom - self.bottom, left - self.left),
            180: (self.right - right, bottom - self.bottom),
            270: (self.top - top, self.right - right),
        }[self.turned]
        w, h = right - left, top - bottom
        if self.turned in {90, 270}:
            w, h = h, w
        return Box(x / self.per_mm, y / self.per_mm, w / self.per_mm, h / self.per_mm)


@dataclass(frozen=True, slots=True)
class PdfPlace:
    """Where a seal stands: the page from 0, `Rect` in user space, and how the page is turned."""

    page: int
    rectangle: tuple[float, float, float, float]
    turned: int


def place(
    document: PdfHandler,
    position: Position,
    size: tuple[float, float],
    *,
    search: Callable[[str, int | None], Found | None],
) -> PdfPlace:
    """Return the place of a seal of `size` (mm). `search(text, page)` finds a keyword, on the page or on any.

    Raise PositionError where the page is not there or the seal does not fit on it, PdfError for a page that cannot be
    read.
    """
    if position.keyword is not None:
        found = search(position.keyword, None if position.page is None else position.page - 1)
        if found is None:
            raise PositionError("keyword", "The text does not stand in the document.")
        page = read_page(document, found.page)
        x, y = around(page.seen(*found.rectangle), page.size, size)
        return PdfPlace(found.page, page.rectangle(Box(x, y, *size)), page.turned)
    number = 1 if position.page is None else position.page
    page = read_page(document, number - 1)
    x, y = corner(position, page.size, size)
    return PdfPlace(number - 1, page.rectangle(Box(x, y, *size)), page.turned)


def read_page(document: PdfHandler, index: int) -> Page:
    """Return the geometry of a page, counted from 0. Raise PositionError where it is not there, PdfError."""
    with guarded():
        count = int(document.root["/Pages"]["/Count"])
    if not 0 <= index < count:
        raise PositionError("page", f"The document has {count} pages.")
    with guarded():
        page = document.find_page_for_modification(index)[0].get_object()
        media = _box(page, "/MediaBox")
        if media is None:
            raise PdfError("a page without MediaBox")
        crop = _box(page, "/CropBox") or media
        left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
        right, top = min(media[2], crop[2]), min(media[3], crop[3])
        turned = int(_inherited(page, "/Rotate") or 0) % 360
        unit = float(page["/UserUnit"]) if "/UserUnit" in page else 1.0
        if not (0 < right - left <= LARGEST_PAGE and 0 < top - bottom <= LARGEST_PAGE and 0 < unit <= 1000):
            raise PdfError("a page of no sensible size")
        if turned % 90:
            raise PdfError("a page turned by no right angle")
        return Page(left, bottom, right, top, turned, UNITS_PER_MM / unit)


def _box(page: DictionaryObject, name: str) -> tuple[float, float, float, float] | None:
    found = _inherited(page, name)
    if found is None:
        return None
    one, two, three, four = (float(value) for value in found)
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _inherited(page: DictionaryObject, name: str) -> Any:
    """Return an inheritable attribute (clause 7.7.3.4). Bounded: a page tree may bite its own tail."""
    node = page
    for _step in range(MAX_DEPTH):
        if name in node:
            return node[name]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    raise PdfError("a page tree that is too deep")

"""Where on a page of an OFD a seal is put: GB/T 33190-2016 clauses 7.5 (document), 7.7 (pages) and 18.2.4 (StampAnnot).

Millimetres; the origin is the upper left corner of the page, y grows downwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seals.container import MAX_XML, Archive
from seals.ofd_parts import NAMESPACE, OfdError, child, locate, optional_child, optional_text, read_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

MARGIN = 25.0  # to the right and below a seal for which no place was asked
LARGEST_PAGE = 10_000.0
_NUMBER = r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_BOX = re.compile(r"\s+".join([_NUMBER] * 4))


class PositionError(ValueError):
    """A place that the document does not have: `field` is page, x or y."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Position:
    """Where a seal is wanted: the page, from 1, and the upper left corner of its picture (x and y, or neither)."""

    page: int = 1
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a seal stands: the ID of the page, and the Boundary of the picture as ST_Box has it, "x y w h"."""

    page_id: str
    boundary: str


def place(archive: Archive, document: str, position: Position, size: tuple[int, int]) -> Place:
    """Return the place of a seal of `size` (width and height) in the document whose Document.xml is `document`.

    Without x and y it is in the lower right of the page. Raise PositionError where the page is not there or the seal
    does not fit on it, OfdError where the document cannot be read.
    """
    page_id, page_size = _page(archive, document, position.page)
    corner = []
    for field, wanted, whole, part in (
        ("x", position.x, page_size[0], size[0]),
        ("y", position.y, page_size[1], size[1]),
    ):
        start = max(whole - part - MARGIN, 0.0) if wanted is None else wanted
        if not 0 <= start <= whole - part:
            raise PositionError(field, f"The page measures {whole:g} mm, the seal {part:g} mm.")
        corner.append(start)
    return Place(page_id, " ".join(format(round(value, 3), ".10g") for value in (*corner, *size)))


def _page(archive: Archive, document: str, number: int) -> tuple[str, tuple[float, float]]:
    """Return ID and size of a page."""
    root = read_xml(archive, document, "Document", limit=MAX_XML)
    pages = child(root, "Pages").findall(f"{NAMESPACE}Page")
    if not 1 <= number <= len(pages):
        raise PositionError("page", f"The document has {len(pages)} pages.")
    entry = pages[number - 1]
    page_id, location = entry.get("ID"), entry.get("BaseLoc")
    if not page_id or not location or any(other is not entry and other.get("ID") == page_id for other in pages):
        raise OfdError("a page without a file, or without an ID of its own")
    content = read_xml(archive, locate(archive, location, document), "Page", limit=MAX_XML)
    area = optional_child(content, "Area")
    if area is None:
        area = optional_child(child(root, "CommonData"), "PageArea")
    return page_id, _size(area)


def _size(area: _Element | None) -> tuple[float, float]:
    """Return width and height of a CT_PageArea; its corner is the origin, wherever the box puts it."""
    found = None if area is None else _BOX.fullmatch(optional_text(area, "PhysicalBox") or "")
    if found is None:
        raise OfdError("a page of unknown size")
    width, height = float(found[3]), float(found[4])
    if not (0 < width <= LARGEST_PAGE and 0 < height <= LARGEST_PAGE):
        raise OfdError("a page of no sensible size")
    return width, height

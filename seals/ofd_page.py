"""Where on a page of an OFD a seal is put: GB/T 33190-2016 clauses 7.5 (document), 7.7 (pages) and 18.2.4 (StampAnnot).

Millimetres; the origin is the upper left corner of the page, y grows downwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seals import ofd_text
from seals.container import MAX_XML, Archive
from seals.ofd_parts import NAMESPACE, OfdError, child, locate, optional_child, optional_text, read_xml
from seals.position import PositionError, around, corner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from seals.position import Position

LARGEST_PAGE = 10_000.0
THINNEST = 2.0  # mm of a slice across page edges; thinner ones show nothing
MAX_SEARCHED = 500  # pages
_NUMBER = r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_BOX = re.compile(r"\s+".join([_NUMBER] * 4))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a seal stands: the ID of the page, and the Boundary of the picture as ST_Box has it, "x y w h".

    `clip` is the part of the picture that is shown, in the same form, where it is not the whole.
    """

    page_id: str
    boundary: str
    clip: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page: the name of its Content.xml, its ID, width and height, and the root element."""

    name: str
    page_id: str
    size: tuple[float, float]
    content: _Element


def places(archive: Archive, document: str, position: Position, size: tuple[int, int]) -> tuple[Place, ...]:
    """Return the places of a seal of `size` (width and height) in the document whose Document.xml is `document`.

    There is one, or with `across` one slice on each page. Without a wish it is in the lower right of the first page.
    Raise PositionError where the page is not there or the seal does not fit on it, OfdError where the document cannot
    be read.
    """
    if position.across:
        return tuple(_slices(archive, document, size))
    if position.keyword is not None:
        return (_beside(archive, document, position, position.keyword, size),)
    page = _page(archive, document, 1 if position.page is None else position.page)
    return (Place(page.page_id, _box(*corner(position, page.size, size), *size)),)


def first(archive: Archive, document: str) -> Page:
    """Return the first page. Raise OfdError where it cannot be read, PositionError where there is none."""
    return _page(archive, document, 1)


def _slices(archive: Archive, document: str, size: tuple[int, int]) -> Iterator[Place]:
    """Yield one slice for each page (骑缝章): put edge to edge, the pages show the whole seal on their right edges."""
    count = len(_listed(archive, document)[1])
    if not 2 <= count <= size[0] / THINNEST:
        raise PositionError("across", f"The document has {count} pages; 2 to {int(size[0] / THINNEST)} can be joined.")
    width, height = size[0] / count, size[1]
    for index in range(count):
        page = _page(archive, document, index + 1)
        if size[0] > page.size[0] or height > page.size[1]:
            raise PositionError("across", f"Page {index + 1} is smaller than the seal.")
        left, top = page.size[0] - (index + 1) * width, (page.size[1] - height) / 2
        yield Place(page.page_id, _box(left, top, *size), _box(index * width, 0, width, height))


def _beside(archive: Archive, document: str, position: Position, keyword: str, size: tuple[int, int]) -> Place:
    count = len(_listed(archive, document)[1])
    numbers = range(1, min(count, MAX_SEARCHED) + 1) if position.page is None else [position.page]
    for number in numbers:
        page = _page(archive, document, number)
        found = ofd_text.find(page.content, keyword)
        if found is not None:
            return Place(page.page_id, _box(*around(found, page.size, size), *size))
    raise PositionError("keyword", "The text does not stand in the document.")


def _box(*values: float) -> str:
    return " ".join(format(round(value, 3), ".10g") for value in values)


def _listed(archive: Archive, document: str) -> tuple[_Element, list[_Element]]:
    root = read_xml(archive, document, "Document", limit=MAX_XML)
    return root, child(root, "Pages").findall(f"{NAMESPACE}Page")


def _page(archive: Archive, document: str, number: int) -> Page:
    """Return a page, counted from 1."""
    root, pages = _listed(archive, document)
    if not 1 <= number <= len(pages):
        raise PositionError("page", f"The document has {len(pages)} pages.")
    entry = pages[number - 1]
    page_id, location = entry.get("ID"), entry.get("BaseLoc")
    if not page_id or not location or any(other is not entry and other.get("ID") == page_id for other in pages):
        raise OfdError("a page without a file, or without an ID of its own")
    name = locate(archive, location, document)
    content = read_xml(archive, name, "Page", limit=MAX_XML)
    area = optional_child(content, "Area")
    if area is None:
        area = optional_child(child(root, "CommonData"), "PageArea")
    return Page(name, page_id, _size(area), content)


def _size(area: _Element | None) -> tuple[float, float]:
    """Return width and height of a CT_PageArea; its corner is the origin, wherever the box puts it."""
    found = None if area is None else _BOX.fullmatch(optional_text(area, "PhysicalBox") or "")
    if found is None:
        raise OfdError("a page of unknown size")
    width, height = float(found[3]), float(found[4])
    if not (0 < width <= LARGEST_PAGE and 0 < height <= LARGEST_PAGE):
        raise OfdError("a page of no sensible size")
    return width, height

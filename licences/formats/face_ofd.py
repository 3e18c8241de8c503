"""A face as OFD (照面 OFD): GB/T 33190-2016, with the metadata and the index of fields that GB/T 36905-2018 asks for.

The metadata stand in `OFD.xml` (DocInfo/CustomDatas), the fields of the face in `Tags/CustomTags.xml`: each names the
objects on the page that show it. The fonts are in the file, as far as its characters need them. The same drawing and
moment give the same bytes; the seal is put on by `seals.stamp_document`.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import zipfile
from typing import TYPE_CHECKING, Final

from lxml import etree

from licences.faces.drawing import Code, Stroke, Text
from licences.faces.typeface import FAMILY, typeface
from licences.qr import QUIET_ZONE
from licences.qr_symbol import symbol
from seals.ofd_parts import NAMESPACE, URI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lxml.etree import _Element

    from licences.faces.drawing import Command, Item, Mark, Page

MEDIA_TYPE: Final = "application/ofd"
TAGS: Final = "urn:ona:licence:face:1"
CREATOR: Final = "One Number Access"
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can name
_REGULAR, _BOLD, _PAGE, _LAYER, _FIRST = 1, 2, 3, 4, 10
_FONTS: Final = {False: (_REGULAR, "face-regular.ttf"), True: (_BOLD, "face-bold.ttf")}
_DARK: Final = re.compile("1+")


def write(page: Page, metadata: Mapping[str, str], *, made_at: datetime) -> bytes:
    """Return the unsealed OFD; raises `seals.font.FontError` for a character that the typeface lacks."""
    layer, named = _layer(page)
    used = {bold: {c for text in page.texts() if text.bold is bold for c in text.text} for bold in _FONTS}
    used[False].update(*(mark.text for mark in page.marks))
    weights = [bold for bold in _FONTS if used[bold]]
    files: dict[str, bytes] = {
        "OFD.xml": _root(page, metadata, made_at),
        "Doc_0/Document.xml": _document(page, _FIRST + len(page.items) + len(page.marks) + 1),
        "Doc_0/PublicRes.xml": _resources(weights),
        "Doc_0/Pages/Page_0/Content.xml": layer,
        "Doc_0/Tags/CustomTags.xml": _tag_list(),
        "Doc_0/Tags/Tag_Face.xml": _tags(named),
        **{f"Doc_0/Res/{_FONTS[bold][1]}": typeface(bold=bold).part(used[bold]) for bold in weights},
    }
    if page.marks:
        files |= {"Doc_0/Annots/Annotations.xml": _annotations(), "Doc_0/Annots/Page_0.xml": _marks(page, made_at)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _root(page: Page, metadata: Mapping[str, str], made_at: datetime) -> bytes:
    root = _element("OFD", Version="1.0", DocType="OFD")
    body = _add(root, "DocBody")
    info = _add(body, "DocInfo")
    named = "".join(metadata.values()).encode()
    _add(info, "DocID", hashlib.sha256(named + page.title.encode()).hexdigest()[:32])
    _add(info, "Title", page.title)
    _add(info, "CreationDate", made_at.date().isoformat())
    _add(info, "Creator", CREATOR)
    listed = _add(info, "CustomDatas")
    for name, value in metadata.items():
        _add(listed, "CustomData", value, Name=name)
    _add(body, "DocRoot", "Doc_0/Document.xml")
    return _bytes(root)


def _document(page: Page, largest: int) -> bytes:
    root = _element("Document")
    common = _add(root, "CommonData")
    _add(common, "MaxUnitID", str(largest))
    _add(_add(common, "PageArea"), "PhysicalBox", f"0 0 {page.width:g} {page.height:g}")
    _add(common, "PublicRes", "PublicRes.xml")
    _add(_add(root, "Pages"), "Page", ID=str(_PAGE), BaseLoc="Pages/Page_0/Content.xml")
    if page.marks:
        _add(root, "Annotations", "Annots/Annotations.xml")
    _add(root, "CustomTags", "Tags/CustomTags.xml")
    return _bytes(root)


def _resources(weights: Iterable[bool]) -> bytes:
    root = _element("Res", BaseLoc="Res")
    fonts = _add(root, "Fonts")
    for bold in weights:
        identifier, file = _FONTS[bold]
        weight = {"Bold": "true"} if bold else {}
        font = _add(fonts, "Font", ID=str(identifier), FontName=FAMILY, FamilyName=FAMILY, **weight)
        _add(font, "FontFile", file)
    return _bytes(root)


def _layer(page: Page) -> tuple[bytes, list[tuple[str, int]]]:
    """Return Content.xml, and by field the objects that show it."""
    root = _element("Page")
    layer = _add(_add(root, "Content"), "Layer", ID=str(_LAYER))
    named = []
    for identifier, item in enumerate(page.items, start=_FIRST):
        _draw(layer, identifier, item, page)
        if isinstance(item, Text) and item.name is not None:
            named.append((item.name, identifier))
    return _bytes(root), named


def _draw(layer: _Element, identifier: int, item: Item, page: Page) -> None:
    if isinstance(item, Text):
        _write(layer, identifier, item)
    elif isinstance(item, Code):
        box = f"{item.x:g} {item.y:g} {item.side:g} {item.side:g}"
        _path(layer, identifier, box, _modules(item), fill="#000000")
    else:
        box = f"0 0 {page.width:g} {page.height:g}"
        _path(layer, identifier, box, _outline(item.commands), fill=item.fill, line=item)


def _write(layer: _Element, identifier: int, item: Text) -> None:
    steps = item.steps()
    box = f"{_n(item.x)} {_n(item.y - item.size)} {_n(sum(steps))} {_n(item.size * 1.3)}"
    bold = {"Weight": "700"} if item.bold else {}
    font = str(_FONTS[item.bold][0])
    text = _add(layer, "TextObject", ID=str(identifier), Boundary=box, Font=font, Size=_n(item.size), **bold)
    _add(text, "FillColor", Value=_channels(item.colour))
    delta = {"DeltaX": " ".join(map(_n, steps[:-1]))} if len(steps) > 1 else {}
    _add(text, "TextCode", item.text, X="0", Y=_n(item.size), **delta)


def _path(
    layer: _Element, identifier: int, box: str, outline: str, *, fill: str | None, line: Stroke | None = None
) -> None:
    stroked = line is not None and line.line is not None
    facts = {"Stroke": str(stroked).lower(), "Fill": str(fill is not None).lower()}
    if line is not None and stroked:
        facts["LineWidth"] = _n(line.width)
    path = _add(layer, "PathObject", ID=str(identifier), Boundary=box, **facts)
    if fill is not None:
        _add(path, "FillColor", Value=_channels(fill))
    if line is not None and line.line is not None:
        _add(path, "StrokeColor", Value=_channels(line.line))
    _add(path, "AbbreviatedData", outline)


def _modules(item: Code) -> str:
    """Return the dark modules of a QR code as rectangles, a run of them in a row as one."""
    rows = symbol(item.text).rows
    unit = item.side / (len(rows) + 2 * QUIET_ZONE)
    runs = []
    for number, row in enumerate(rows, start=QUIET_ZONE):
        for run in _DARK.finditer(row):
            left, right = (_n((place + QUIET_ZONE) * unit) for place in run.span())
            top, bottom = _n(number * unit), _n((number + 1) * unit)
            runs.append(f"M {left} {top} L {right} {top} L {right} {bottom} L {left} {bottom} C")
    return " ".join(runs)


def _outline(commands: Iterable[Command]) -> str:
    return " ".join(" ".join([name, *map(_n, values)]) for name, values in commands)


def _annotations() -> bytes:
    root = _element("Annotations")
    _add(_add(root, "Page", PageID=str(_PAGE)), "FileLoc", "Page_0.xml")
    return _bytes(root)


def _marks(page: Page, made_at: datetime) -> bytes:
    """Return the watermark as an annotation of that type (GB/T 33190-2016 clause 15): it is printed, and not edited."""
    root = _element("PageAnnot")
    identifier, box = _FIRST + len(page.items), f"0 0 {page.width:g} {page.height:g}"
    facts = {"Creator": CREATOR, "LastModDate": made_at.date().isoformat(), "Print": "true", "ReadOnly": "true"}
    note = _add(root, "Annot", ID=str(identifier), Type="Watermark", **facts)
    appearance = _add(note, "Appearance", Boundary=box)
    for number, mark in enumerate(page.marks, start=identifier + 1):
        _mark(appearance, number, mark, box)
    return _bytes(root)


def _mark(appearance: _Element, identifier: int, mark: Mark, box: str) -> None:
    along, across = math.cos(math.radians(mark.turn)), math.sin(math.radians(mark.turn))
    matrix = " ".join(map(_n, (along, -across, across, along, mark.x, mark.y)))
    facts = {"Font": str(_REGULAR), "Size": _n(mark.size), "Alpha": str(round(mark.opacity * 255))}
    text = _add(appearance, "TextObject", ID=str(identifier), Boundary=box, CTM=matrix, **facts)
    _add(text, "FillColor", Value=_channels(mark.colour))
    steps = [advance * mark.size for advance in typeface().advances(mark.text)]
    _add(text, "TextCode", mark.text, X="0", Y="0", DeltaX=" ".join(map(_n, steps[:-1])))


def _tag_list() -> bytes:
    root = _element("CustomTags")
    tag = _add(root, "CustomTag", NameSpace=TAGS)
    _add(tag, "FileLoc", "Tag_Face.xml")
    return _bytes(root)


def _tags(named: Iterable[tuple[str, int]]) -> bytes:
    """Return which objects show which field: elements of our own namespace around `ofd:ObjectRef`."""
    space = f"{{{TAGS}}}"
    root = etree.Element(f"{space}Face", nsmap={"face": TAGS, "ofd": URI})
    fields: dict[str, _Element] = {}
    for name, identifier in named:
        if name not in fields:
            fields[name] = etree.SubElement(root, f"{space}Field")
            fields[name].set("Name", name)
        _add(fields[name], "ObjectRef", str(identifier), PageRef=str(_PAGE))
    return _bytes(root)


def _channels(colour: str) -> str:
    return " ".join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))


def _n(value: float) -> str:
    return format(round(value, 3), ".10g")


def _element(tag: str, **attributes: str) -> _Element:
    found = etree.Element(f"{NAMESPACE}{tag}", nsmap={"ofd": URI})
    for name, value in attributes.items():
        found.set(name, value)
    return found


def _add(parent: _Element, tag: str, text: str | None = None, **attributes: str) -> _Element:
    added = etree.SubElement(parent, f"{NAMESPACE}{tag}")
    added.text = text
    for name, value in attributes.items():
        added.set(name, value)
    return added


def _bytes(root: _Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

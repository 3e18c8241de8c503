"""What the first page of an OFD looks like (OFD 首页预览): its templates, its content, and the seals that stand on it.

The page becomes SVG here, with limits on everything that is counted and on the time it takes; `seals.resvg_worker`
makes a picture of that in a process of its own. Nothing outside the file is looked at.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from seals import ofd
from seals.container import MAX_XML, Archive, ContainerError
from seals.deadline import TooLong, deadline
from seals.decoding import read_signature
from seals.ofd_page import first
from seals.ofd_parts import NAMESPACE, ROOT, OfdError, child, locate, optional_text, read_xml, text
from seals.ofd_resources import Resources, data_uri
from seals.ofd_svg import Canvas, TooMuchError, draw
from seals.ofd_text import numbers
from seals.position import PositionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from seals.ofd_page import Page

WIDTH = 600  # pixels
TALLEST = 4  # heights of a page to its width
SECONDS, MAX_PICTURE = 1.5, 4 << 20
DEEPEST = 1  # a seal's picture may be an OFD itself, and so on
MAX_STAMP = 1000.0  # mm
_PATIENCE = 10
_UNIT = re.compile(r'<svg xmlns="[^"]*" width="[^"]*" height="[^"]*"')
_AS_UNIT = '<svg preserveAspectRatio="none" width="1" height="1"'
_WORKER = Path(__file__).with_name("resvg_worker.py")
_FONTS = [Path(__file__).with_name("fonts") / f"NotoSerifSC-{weight}.ttf" for weight in ("Regular", "Bold")]


def picture(document: bytes, *, width: int = WIDTH) -> bytes:
    """Return the first page as a PNG, so many pixels wide. Raise OfdError where it cannot be drawn."""
    try:
        with deadline(SECONDS):
            svg = to_svg(document)
    except TooLong:
        raise OfdError("the page takes too long to draw") from None
    except (ContainerError, PositionError, TooMuchError) as error:
        raise OfdError(str(error)) from None
    command = [sys.executable, "-I", str(_WORKER), str(width), *map(str, _FONTS)]
    try:
        done = subprocess.run(  # noqa: S603 (our own program)
            command, input=svg.encode(), capture_output=True, timeout=_PATIENCE, check=True, env={}
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise OfdError(f"the page cannot be drawn: {type(error).__name__}") from None
    if not done.stdout.startswith(b"\x89PNG") or len(done.stdout) > MAX_PICTURE:
        raise OfdError("the page cannot be drawn")
    return done.stdout


def to_svg(document: bytes, *, depth: int = 0) -> str:
    """Return the first page as SVG, in millimetres.

    Raise ContainerError, OfdError or TooMuchError.
    """
    archive = Archive(document)
    root = archive.find(ROOT)
    if root is None:
        raise OfdError("no OFD.xml")
    body = child(read_xml(archive, root, "OFD"), "DocBody")
    name = locate(archive, text(body, "DocRoot"), root)
    page = first(archive, name)
    width, height = page.size
    if height > TALLEST * width:
        raise OfdError("a page of no sensible shape")
    common = child(read_xml(archive, name, "Document", limit=MAX_XML), "CommonData")
    resources = Resources(archive)
    resources.add(common, name)
    canvas = Canvas(resources, "d" * (depth + 1))
    for behind in (True, False):
        for template, order in _templates(archive, common, page, name):
            if (order != "Foreground") is behind:
                draw(canvas, template)
        if behind:
            resources.add(page.content, page.name)
            draw(canvas, page.content)
    _annotations(archive, canvas, page.page_id, name)
    _stamps(archive, canvas, page.page_id, depth)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
    box = f'viewBox="0 0 {width:g} {height:g}" font-family="Noto Serif SC"'
    return f'{head} {box}><rect width="100%" height="100%" fill="#fff"/>{"".join(canvas.parts)}</svg>'


def _templates(archive: Archive, common: _Element, page: Page, base: str) -> list[tuple[_Element, str]]:
    """Return the content of the templates that a page rests on, and whether each lies in front of it or behind."""
    known = {one.get("ID"): one for one in common.findall(f"{NAMESPACE}TemplatePage")}
    found = []
    for used in page.content.findall(f"{NAMESPACE}Template"):
        template = known.get(used.get("TemplateID"))
        if template is None or not template.get("BaseLoc"):
            continue
        content = read_xml(archive, locate(archive, template.get("BaseLoc") or "", base), "Page", limit=MAX_XML)
        found.append((content, used.get("ZOrder") or template.get("ZOrder") or "Background"))
    return found


def _annotations(archive: Archive, canvas: Canvas, page_id: str, base: str) -> None:
    """Draw what was noted on the page (clause 15), such as a stamp of an older maker; none where they are broken."""
    try:
        found = list(_appearances(archive, page_id, base))
    except OfdError:
        return
    for appearance in found:
        box = numbers(appearance.get("Boundary"))
        canvas.put(f'<g transform="translate({box[0]:g} {box[1]:g})">' if len(box) == 4 else "<g>")
        draw(canvas, appearance)
        canvas.put("</g>")


def _appearances(archive: Archive, page_id: str, base: str) -> Iterator[_Element]:
    listed = optional_text(read_xml(archive, base, "Document", limit=MAX_XML), "Annotations")
    if listed is None:
        return
    index = locate(archive, listed, base)
    for page in read_xml(archive, index, "Annotations", limit=MAX_XML).findall(f"{NAMESPACE}Page"):
        if page.get("PageID") == page_id:
            noted = read_xml(archive, locate(archive, text(page, "FileLoc"), index), "PageAnnot", limit=MAX_XML)
            for annotation in noted.findall(f"{NAMESPACE}Annot"):
                appearance = annotation.find(f"{NAMESPACE}Appearance")
                if annotation.get("Visible") != "false" and appearance is not None:
                    yield appearance


def _stamps(archive: Archive, canvas: Canvas, page_id: str, depth: int) -> None:
    """Draw the seals that stand on the page; one that cannot be read is left out, as readers leave it out."""
    for entry in ofd.read_index(archive).signatures:
        try:
            signature = ofd.read_signature(archive, entry)
            info = child(read_xml(archive, entry.name, "Signature"), "SignedInfo")
            seen = _seen(signature, depth)
        except (OfdError, ValueError):
            continue
        if seen is None:
            continue
        for stamp in info.findall(f"{NAMESPACE}StampAnnot"):
            if stamp.get("PageRef") == page_id:
                _stamp(canvas, stamp, seen)


def _seen(signature: ofd.OfdSignature, depth: int) -> str | None:
    """Return what is seen of a seal, as SVG one unit wide and high."""
    drawn = read_signature(signature.value).seal.info.picture
    if drawn.kind.upper() == "OFD":
        inner = to_svg(drawn.data, depth=depth + 1) if depth < DEEPEST else None
        return None if inner is None else _UNIT.sub(_AS_UNIT, inner, count=1)
    uri = data_uri(drawn.data)
    return None if uri is None else f'<image width="1" height="1" preserveAspectRatio="none" href={quoteattr(uri)}/>'


def _stamp(canvas: Canvas, stamp: _Element, seen: str) -> None:
    """Put a seal into its Boundary; of a seal across page edges (骑缝章) the Clip is seen."""
    box, clip = numbers(stamp.get("Boundary")), numbers(stamp.get("Clip"))
    if len(box) != 4 or not (0 < box[2] <= MAX_STAMP and 0 < box[3] <= MAX_STAMP):
        return
    x, y, width, height = box
    if len(clip) == 4:
        left, top, wide, high = clip
        place = f'x="{x + left:g}" y="{y + top:g}" width="{wide:g}" height="{high:g}" viewBox="{left / width:g} '
        place += f'{top / height:g} {wide / width:g} {high / height:g}"'
    else:
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" viewBox="0 0 1 1"'
    canvas.put(f'<svg preserveAspectRatio="none" overflow="hidden" {place}>{seen}</svg>')

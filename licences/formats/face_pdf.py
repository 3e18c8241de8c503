"""A face as PDF (照面 PDF): PDF/A-2a (ISO 19005-2), tagged, written by typst from a fixed template.

The template gets the drawing as data; nothing of a licence is ever part of a program. The same drawing and moment give
the same bytes. It reads nothing outside its folder and uses the fonts that are installed with this house alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

import typst

from licences import faces, qr
from licences.faces.drawing import Code, FaceError, Text
from licences.faces.typeface import FOLDER, typeface

if TYPE_CHECKING:
    from datetime import datetime

    from licences.faces.drawing import Item, Page


class _Surroundings(TypedDict):
    """What a template may reach."""

    root: Path
    font_paths: list[Path]
    ignore_system_fonts: bool


MEDIA_TYPE: Final = "application/pdf"
PIXELS_PER_INCH: Final = 144
_TEMPLATE: Final = Path(faces.__file__).parent / "face.typ"
_SURROUNDINGS: Final[_Surroundings] = {
    "root": _TEMPLATE.parent,
    "font_paths": [FOLDER],
    "ignore_system_fonts": True,
}
_CODE: Final = "二维码：扫码核验本证照 QR code to verify this licence"


def write(page: Page, *, author: str, keywords: tuple[str, ...], made_at: datetime) -> bytes:
    """Return the unsealed PDF; raises `FaceError`, or `seals.font.FontError` for a character the font lacks."""
    data = _as_data(page, author=author, keywords=keywords, made_at=made_at)
    try:
        return typst.compile(_TEMPLATE, **_SURROUNDINGS, format="pdf", sys_inputs=data, pdf_standards="a-2a")
    except typst.TypstError as error:
        raise FaceError(f"typst: {error}") from None


def picture(page: Page, *, made_at: datetime) -> bytes:
    """Return the page as PNG, without its seal; raises what `write` raises."""
    data = _as_data(page, author="", keywords=(), made_at=made_at)
    try:
        return typst.compile(_TEMPLATE, **_SURROUNDINGS, format="png", sys_inputs=data, ppi=PIXELS_PER_INCH)
    except typst.TypstError as error:
        raise FaceError(f"typst: {error}") from None


def _as_data(page: Page, *, author: str, keywords: tuple[str, ...], made_at: datetime) -> dict[str, str]:
    for text in page.texts():
        text.steps()  # names the characters that are missing; typst would draw boxes
    for mark in page.marks:
        typeface().advances(mark.text)
    moment = made_at.astimezone(UTC)
    data = {
        "title": page.title,
        "author": author,
        "keywords": keywords,
        "made": (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second),
        "width": page.width,
        "height": page.height,
        "code-alt": _CODE,
        "items": [_item(item) for item in page.items],
        "marks": [asdict(mark) for mark in page.marks],
    }
    return {"page": json.dumps(data, ensure_ascii=False)}


def _item(item: Item) -> dict[str, Any]:
    if isinstance(item, Code):
        return {"kind": "code", "x": item.x, "y": item.y, "side": item.side, "svg": qr.svg(item.text)}
    return {"kind": "text" if isinstance(item, Text) else "stroke", **asdict(item)}

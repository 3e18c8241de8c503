"""A page of text to be sealed (待盖章文书): the reply of a department, as OFD (GB/T 33190-2016). Pure."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from licences.counter.assist_life import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

WIDTH: Final = 210.0  # mm, A4
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE: Final = 'xmlns:ofd="http://www.ofdspec.org/2016"'
_DATE: Final = (2026, 1, 1, 0, 0, 0)
_TITLE, _TEXT, _STEP, _TALL = 7.0, 4.5, 9.0, 225.0  # mm
_LEFT: Final = 28.0
_LINE: Final = 33  # wide characters in a line
_SAID: Final = {Answer.YES: "属实", Answer.NO: "不属实", Answer.CANNOT_TELL: "无法核实"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a department answers; the holder is named masked, for the asking unit knows him."""

    check_id: str
    asking_unit: str
    case_number: str
    matter: str
    proof: str
    holder: str
    answer: Answer
    text: str
    unit: str
    on: date


def reply_page(reply: Reply) -> bytes:
    """Return a reply as a page to be sealed."""
    lines = [
        f"{reply.asking_unit}：",
        "",
        f"    协查编号：{reply.check_id}",
        f"    办件编号：{reply.case_number}",
        f"    办理事项：{reply.matter}",
        f"    协查内容：{reply.proof}",
        f"    当 事 人：{reply.holder}",
        f"    核查结论：{_SAID[reply.answer]}",
        f"    说    明：{' '.join(reply.text.split())}",
        "",
        reply.unit,
        f"{reply.on.year}年{reply.on.month}月{reply.on.day}日",
    ]
    return as_ofd("部门协查答复", [part for line in lines for part in _wrapped(line)])


def as_ofd(title: str, lines: Sequence[str]) -> bytes:
    """Return one A4 page with a title in the middle and lines of text under it, closer together where they are many."""
    step = min(_STEP, _TALL / max(len(lines), 1))
    rows = [(title, (WIDTH - len(title) * _TITLE) / 2, 30.0, _TITLE)]
    rows += [(line, _LEFT, 50.0 + number * step, _TEXT) for number, line in enumerate(lines)]
    objects = "".join(_text(10 + number, *row) for number, row in enumerate(rows) if row[0])
    rule = (
        '<ofd:PathObject ID="9" Boundary="28 42 154 1" LineWidth="0.5"><ofd:StrokeColor Value="216 0 15"/>'
        "<ofd:AbbreviatedData>M 0 0 L 154 0</ofd:AbbreviatedData></ofd:PathObject>"
    )
    files = {
        "OFD.xml": f'<ofd:OFD {_SPACE} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>{"0" * 32}'
        f"</ofd:DocID><ofd:Title>{escape(title)}</ofd:Title></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>"
        "</ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_SPACE}><ofd:CommonData><ofd:MaxUnitID>200</ofd:MaxUnitID><ofd:PageArea>"
        "<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes>"
        '</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>',
        "Doc_0/PublicRes.xml": f'<ofd:Res {_SPACE} BaseLoc="Res"><ofd:Fonts><ofd:Font ID="2" FontName="宋体" '
        'FamilyName="宋体"/></ofd:Fonts></ofd:Res>',
        "Doc_0/Pages/Page_0/Content.xml": f'<ofd:Page {_SPACE}><ofd:Content><ofd:Layer ID="3">{rule}{objects}'
        "</ofd:Layer></ofd:Content></ofd:Page>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), _HEAD + content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _wrapped(line: str) -> Iterator[str]:
    """Yield a line in pieces that fit on the page; a letter of the Latin alphabet is half as wide."""
    piece, width = "", 0.0
    for character in line:
        if width >= _LINE:
            yield piece
            piece, width = "", 0.0
        piece += character
        width += 0.5 if character.isascii() else 1.0
    yield piece


def _text(number: int, text: str, x: float, y: float, size: float) -> str:
    widths = [size / 2 if character.isascii() else size for character in text]
    steps = " ".join(f"{width:g}" for width in widths[:-1])
    delta = f' DeltaX="{steps}"' if steps else ""
    return (
        f'<ofd:TextObject ID="{number}" Boundary="{x:g} {y:g} {sum(widths):g} {size * 1.3:g}" Font="2" Size="{size:g}">'
        f'<ofd:TextCode X="0" Y="{size:g}"{delta}>{escape(text)}</ofd:TextCode></ofd:TextObject>'
    )

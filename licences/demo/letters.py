"""Letters to be sealed in the demonstration (演示文件): a page of text as OFD (GB/T 33190-2016), or as a PDF. Pure."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from PIL import Image
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NumberObject, StreamObject, pdf_name
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from seals import ofd_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE: Final = 'xmlns:ofd="http://www.ofdspec.org/2016"'
_DATE: Final = (2026, 1, 1, 0, 0, 0)
_WIDTH: Final = 210.0
_TITLE, _TEXT, _STEP = 7.0, 4.5, 9.0  # mm
_DPI: Final = 150
_A4: Final = (595, 842)  # points


def as_ofd(title: str, lines: Sequence[str]) -> bytes:
    """Return one A4 page with a title in the middle and lines of text under it."""
    rows = [(title, (_WIDTH - len(title) * _TITLE) / 2, 30.0, _TITLE)]
    rows += [(line, 28.0, 50.0 + number * _STEP, _TEXT) for number, line in enumerate(lines)]
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


def as_pdf(title: str, lines: Sequence[str]) -> bytes:
    """Return the same page as a PDF, as a scanner makes one: a picture, the same in every reader."""
    drawn = ofd_picture.picture(as_ofd(title, lines), width=round(_WIDTH / 25.4 * _DPI))
    with Image.open(io.BytesIO(drawn)) as page:
        grey = page.convert("L")
    writer = PdfFileWriter()
    facts = {"Type": "/XObject", "Subtype": "/Image", "ColorSpace": "/DeviceGray"}
    picture = StreamObject(_dictionary(**facts), stream_data=grey.tobytes())
    for name, value in (("/Width", grey.width), ("/Height", grey.height), ("/BitsPerComponent", 8)):
        picture[name] = NumberObject(value)
    picture.compress()
    pictures = _dictionary(XObject=DictionaryObject({pdf_name("/Page"): writer.add_object(picture)}))
    content = writer.add_object(StreamObject(stream_data=f"{_A4[0]} 0 0 {_A4[1]} 0 0 cm /Page Do".encode()))
    box = ArrayObject(NumberObject(side) for side in (0, 0, *_A4))
    writer.insert_page(PageObject(contents=content, media_box=box, resources=pictures))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _dictionary(**members: Any) -> DictionaryObject:
    """Return a dictionary; a text is a name."""
    named = {name: pdf_name(value) if isinstance(value, str) else value for name, value in members.items()}
    return DictionaryObject({pdf_name(f"/{name}"): value for name, value in named.items()})


def _text(number: int, text: str, x: float, y: float, size: float) -> str:
    widths = [size / 2 if character.isascii() else size for character in text]
    steps = " ".join(f"{width:g}" for width in widths[:-1])
    delta = f' DeltaX="{steps}"' if steps else ""
    return (
        f'<ofd:TextObject ID="{number}" Boundary="{x:g} {y:g} {sum(widths):g} {size * 1.3:g}" Font="2" Size="{size:g}">'
        f'<ofd:TextCode X="0" Y="{size:g}"{delta}>{escape(text)}</ofd:TextCode></ofd:TextObject>'
    )

"""A page of text as a PDF, to be sealed in the demonstration (演示文件). Pure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from PIL import Image
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NumberObject, StreamObject, pdf_name
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from licences.counter.assist_letter import WIDTH, as_ofd
from seals import ofd_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

_DPI: Final = 150
_A4: Final = (595, 842)  # points


def as_pdf(title: str, lines: Sequence[str]) -> bytes:
    """Return the page of `assist_letter.as_ofd` as a PDF, as a scanner makes one: the same picture in every reader."""
    drawn = ofd_picture.picture(as_ofd(title, lines), width=round(WIDTH / 25.4 * _DPI))
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

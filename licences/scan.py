"""Read what was scanned or uploaded (扫描件): text as it is, the QR code of a picture, a sealed file as bytes.

A picture is foreign input for two decoders, so it is measured before it is opened: at most `MAX_PIXELS`, of the two
formats that cameras and screens produce, and reduced before a code is searched in it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import zxingcpp

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS: Final = 20_000_000
_LONGEST_SIDE: Final = 2_400
_FORMATS: Final = ("PNG", "JPEG")
_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_LONGEST_TEXT_FILE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read: text, or the bytes of a document; neither where a picture shows no code."""

    text: str | None = None
    document: bytes | None = None


def read(data: bytes) -> Scan:
    """Return what an uploaded file holds; never raises for what `data` is."""
    if data.startswith(_PICTURES):
        return Scan(text=_code_in_picture(data))
    if len(data) <= _LONGEST_TEXT_FILE and data.isascii() and b"\0" not in data and not data.startswith(b"%PDF-"):
        return Scan(text=data.decode("ascii"))
    return Scan(document=data)


def _code_in_picture(data: bytes) -> str | None:
    """Return the text of the QR code in a picture, the largest if there are several; None where none is read."""
    picture = _opened(data)
    if picture is None:
        return None
    found = zxingcpp.read_barcodes(picture, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    texts = [code.text for code in sorted(found, key=_side, reverse=True) if code.valid and code.text]
    return texts[0] if texts else None


def _opened(data: bytes) -> Image | None:
    """Return the picture in grey, no longer than `_LONGEST_SIDE`; None if it is none or too large."""
    import PIL.Image  # here: a worker that is sent no picture does without it

    try:
        with PIL.Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            picture.draft("L", (_LONGEST_SIDE, _LONGEST_SIDE))
            grey = picture.convert("L")
    except Exception:  # noqa: BLE001 - a decoder of foreign bytes raises whatever it likes; all of it means "no picture"
        return None
    grey.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return grey


def _side(code: zxingcpp.Barcode) -> int:
    corner, opposite = code.position.top_left, code.position.bottom_right
    return abs(int(corner.x) - int(opposite.x)) + abs(int(corner.y) - int(opposite.y))

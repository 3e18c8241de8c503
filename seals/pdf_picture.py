"""The picture that a seal shows on a PDF, taken out of its appearance (ISO 32000-2 clauses 8.9.5 and 12.5.5).

Read only where it is plain: one image of eight bits in grey or RGB, packed by Flate or not at all, with or without
opacity. Anything else has no picture here. It is what is seen, and proves nothing.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from PIL import Image

from seals.pdf import PdfError
from seals.pdf_page import UNITS_PER_MM
from seals.pdf_read import guarded
from seals.structure import Picture

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject

MAX_PIXELS = 1_000_000
_MODES = {"/DeviceRGB": ("RGB", 3), "/DeviceGray": ("L", 1)}
_DEPTH = 3  # of forms within forms


def read(field: DictionaryObject) -> Picture | None:
    """Return the picture of a signature field as a PNG with its size in millimetres, None where there is none."""
    with suppress(PdfError), guarded():
        left, bottom, right, top = (float(number) for number in field["/Rect"])
        width, height = abs(right - left) / UNITS_PER_MM, abs(top - bottom) / UNITS_PER_MM
        image = _image(field["/AP"]["/N"], _DEPTH)
        if image is not None and 0 < width <= 1000 and 0 < height <= 1000:
            return Picture("PNG", _png(image), round(width), round(height))
    return None


def _image(form: DictionaryObject, depth: int) -> StreamObject | None:
    """Return the one image that an appearance draws."""
    if depth == 0 or "/XObject" not in form["/Resources"]:
        return None
    drawn = form["/Resources"]["/XObject"]
    if len(drawn) != 1:
        return None
    found = drawn[next(iter(drawn))]
    return found if found["/Subtype"] == "/Image" else _image(found, depth - 1)


def _png(image: StreamObject) -> bytes:
    drawn = _pixels(image)
    if "/SMask" in image:
        opacity = _pixels(image["/SMask"])
        drawn.putalpha(opacity if opacity.size == drawn.size else opacity.resize(drawn.size))
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _pixels(image: StreamObject) -> Image.Image:
    mode, channels = _MODES[image["/ColorSpace"]]
    width, height = int(image["/Width"]), int(image["/Height"])
    if image["/BitsPerComponent"] != 8 or not 0 < width * height <= MAX_PIXELS or width < 1:
        raise PdfError("an image of another kind")
    data = image.data
    if len(data) != width * height * channels:
        raise PdfError("an image of another size")
    return Image.frombytes(mode, (width, height), data)

"""What is seen of a seal on a PDF: its picture as a form XObject, ISO 32000-2 clauses 8.10 and 12.5.5 (appearances).

The picture fills the annotation's rectangle, so that the seal has its exact size in millimetres; on a turned page it
stands upright all the same. A picture is unpacked and packed once for all the documents it is put on.
"""

from __future__ import annotations

import io
import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject, StreamObject

from seals.pdf import PdfError

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import IndirectObject
    from pyhanko.pdf_utils.writer import BasePdfFileWriter

    from seals.pdf_page import PdfPlace

MAX_PIXELS = 4_000_000


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture as a PDF holds it: colours and opacity, each packed by Flate."""

    width: int
    height: int
    colours: bytes
    opacity: bytes


@lru_cache(maxsize=64)
def unpack(picture: bytes) -> Pixels:
    """Return the pixels of a PNG. Raise PdfError for what is none, or too large."""
    try:
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise PdfError("the picture of the seal has too many pixels")
            image = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PdfError(f"the picture of the seal cannot be drawn: {error}") from None
    colours = zlib.compress(image.convert("RGB").tobytes(), 9)
    return Pixels(image.width, image.height, colours, zlib.compress(image.getchannel("A").tobytes(), 9))


def dress(writer: BasePdfFileWriter, annotation: DictionaryObject, picture: bytes, place: PdfPlace) -> None:
    """Give the annotation of a seal its appearance (AP). Raise PdfError for a picture that cannot be drawn."""
    left, bottom, right, top = place.rectangle
    width, height = right - left, top - bottom
    if place.turned in {90, 270}:
        width, height = height, width
    angle = math.radians(place.turned)
    cosine, sine = round(math.cos(angle)), round(math.sin(angle))
    form = StreamObject(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): _numbers(0, 0, width, height),
            NameObject("/Matrix"): _numbers(cosine, sine, -sine, cosine, 0, 0),
            NameObject("/Resources"): DictionaryObject(
                {NameObject("/XObject"): DictionaryObject({NameObject("/Seal"): _image(writer, unpack(picture))})}
            ),
        },
        stream_data=f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Seal Do Q".encode(),
    )
    annotation["/AP"] = DictionaryObject({NameObject("/N"): writer.add_object(form)})


def _image(writer: BasePdfFileWriter, pixels: Pixels) -> IndirectObject:
    mask = writer.add_object(_bitmap(pixels, "/DeviceGray", pixels.opacity))
    image = _bitmap(pixels, "/DeviceRGB", pixels.colours)
    image["/SMask"] = mask
    return writer.add_object(image)


def _bitmap(pixels: Pixels, colour_space: str, packed: bytes) -> StreamObject:
    return StreamObject(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(pixels.width),
            NameObject("/Height"): NumberObject(pixels.height),
            NameObject("/ColorSpace"): NameObject(colour_space),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/Filter"): NameObject("/FlateDecode"),
        },
        encoded_data=packed,
    )


def _numbers(*values: float) -> ArrayObject:
    return ArrayObject([FloatObject(round(value, 4)) for value in values])

import io

import pytest
from PIL import Image

from seals.pdf import PdfError
from seals.pdf_appearance import unpack
from tests.unit.seals.pdfs import document, drafted, picture


def test_a_picture_is_unpacked_once() -> None:
    assert unpack(picture()) is unpack(picture())
    assert (unpack(picture()).width, unpack(picture()).height) == (64, 64)


def png(mode: str, size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_kind_of_png(mode: str) -> None:
    assert unpack(png(mode, (8, 4))).width == 8


@pytest.mark.parametrize("data", [b"-", b"\x89PNG\r\n\x1a\n", b"GIF89a", png("L", (5000, 5000)), picture()[:-40]])
def test_what_is_no_picture_or_a_giant_is_refused(data: bytes) -> None:
    with pytest.raises(PdfError):
        drafted(document(), image=data)

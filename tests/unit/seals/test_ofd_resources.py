"""Which images of a document are taken into a picture of it."""

import io

import pytest
from PIL import Image

from seals.ofd_resources import MAX_PIXELS, MAX_REPACKED, data_uri


def image(kind: str, size: tuple[int, int] = (4, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "media"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("BMP", "png")])
def test_what_is_drawn(kind: str, media: str) -> None:
    assert str(data_uri(image(kind))).startswith(f"data:image/{media};base64,")


@pytest.mark.parametrize("data", [b"", b"<svg/>", image("TIFF"), image("PNG")[:20], image("BMP")[:60]])
def test_what_is_not(data: bytes) -> None:
    assert data_uri(data) is None


def test_an_image_of_too_many_points_is_not_unpacked() -> None:
    assert data_uri(image("PNG", (MAX_PIXELS // 4000 + 1, 4000))) is None
    assert data_uri(image("PNG", (15_000, 15_000))) is None
    assert data_uri(image("BMP", (MAX_REPACKED // 4000 + 1, 4000))) is None

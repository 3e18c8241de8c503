"""Our PNG, read by another implementation."""

import io

import pytest
from PIL import Image

from seals.png import one_colour


@pytest.mark.parametrize("width", [1, 2, 7, 16])
def test_another_reader_sees_the_same_cover(width: int) -> None:
    cover = bytes(range(0, 256, 3))[: width * 5]
    image = Image.open(io.BytesIO(one_colour(cover, width, (1, 2, 3), 600)))
    image.load()
    assert image.size == (width, 5)
    assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)
    seen = image.convert("RGBA")
    assert {pixel[1][:3] for pixel in seen.getcolors()} == {(1, 2, 3)}
    read = seen.getchannel("A").tobytes()
    assert len(read) == len(cover)
    assert max(abs(a - b) for a, b in zip(read, cover, strict=True)) <= 26

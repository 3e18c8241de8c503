"""Files from outside: a code is read from a picture, and nothing in a file makes the reader fail."""

import io
import random
import struct
import warnings
import zlib

import pytest
from PIL import Image

from licences import qr, scan
from licences.scan import Scan

TEXT = "0123456789ABCDEFGHJKMNPQRS"


def picture(kind: str, mode: str = "L", *, side: int | None = None, turn: int = 0) -> bytes:
    with Image.open(io.BytesIO(qr.png(TEXT))) as opened:
        image = opened.convert(mode).rotate(turn, expand=True, fillcolor=None if mode == "P" else "white")
    if side:
        image = image.resize((side, side))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    data = bytearray(picture("PNG"))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(picture("PNG"), id="png"),
        pytest.param(picture("PNG", "P"), id="palette"),
        pytest.param(picture("PNG", "1"), id="one bit"),
        pytest.param(picture("JPEG", "RGB"), id="jpeg"),
        pytest.param(picture("JPEG", "CMYK"), id="cmyk"),
        pytest.param(picture("PNG", turn=90), id="lying"),
        pytest.param(picture("PNG", side=4000), id="sixteen megapixels"),
    ],
)
def test_a_code_is_read_from_a_picture(data: bytes) -> None:
    assert scan.read(data) == Scan(text=TEXT)


def test_the_largest_of_several_codes_is_read() -> None:
    small, large = (Image.open(io.BytesIO(qr.png(text))) for text in ("SMALL", "LARGE"))
    paper = Image.new("L", (1200, 700), 255)
    paper.paste(small.resize((200, 200)), (10, 10))
    paper.paste(large.resize((600, 600)), (500, 50))
    buffer = io.BytesIO()
    paper.save(buffer, "PNG")
    assert scan.read(buffer.getvalue()) == Scan(text="LARGE")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png_that_says(30_000, 30_000), id="bomb"),
        pytest.param(png_that_says(5_000, 5_000), id="above the limit"),
        pytest.param(png_that_says(0, 0), id="empty"),
        pytest.param(picture("PNG")[:60], id="cut"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="nothing but a signature"),
        pytest.param(b"\xff\xd8\xff", id="nothing but a marker"),
    ],
)
def test_a_picture_that_cannot_be_read_shows_nothing(data: bytes) -> None:
    assert scan.read(data) == Scan()


def test_a_picture_without_a_code_shows_nothing() -> None:
    buffer = io.BytesIO()
    Image.new("L", (300, 300), 200).save(buffer, "PNG")
    assert scan.read(buffer.getvalue()) == Scan()


def test_other_formats_are_documents_and_short_ascii_is_text() -> None:
    gif = io.BytesIO()
    Image.new("L", (30, 30)).save(gif, "GIF")
    assert scan.read(gif.getvalue()) == Scan(document=gif.getvalue())
    assert scan.read(b"1.2.156.3005.2") == Scan(text="1.2.156.3005.2")
    assert scan.read(b"%PDF-1.7") == Scan(document=b"%PDF-1.7")
    assert scan.read(b"a\0b") == Scan(document=b"a\0b")
    assert scan.read(b"a" * 70_000) == Scan(document=b"a" * 70_000)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_mutants_of_a_picture_never_raise(kind: str) -> None:
    rng = random.Random(36901)
    original = picture(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a decoder may complain of a mutant; it must not fail
        for _ in range(300):
            data = bytearray(original)
            for _ in range(rng.randrange(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            found = scan.read(bytes(data[: rng.randrange(1, len(data) + 1)]))
            assert isinstance(found, Scan)

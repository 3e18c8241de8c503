import io
import random
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFilter

from licences import qr
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.formats import lc1_text
from tests.unit.licences.formats.papers import ISSUER, message_of

#: The types whose codes on paper hold most; that every code fits is tested beside its format.
FULLEST = sorted(shipped_types(), key=lambda kind: len(message_of(kind)))[-12:]
TEXT = "http://127.0.0.1:8000/verify?licence=1.2.156.3005.2.X"


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("L")


def texts_in(picture: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(picture) if code.format == zxingcpp.BarcodeFormat.QRCode]


def test_the_png_reads_back() -> None:
    assert texts_in(opened(qr.png(TEXT))) == [TEXT]


def test_the_png_is_black_and_white_with_its_quiet_zone() -> None:
    picture = opened(qr.png(TEXT))
    assert {value for value, count in enumerate(picture.histogram()) if count} == {0, 255}
    edge = 10 * qr.QUIET_ZONE
    assert picture.getpixel((edge, edge)) == 0
    assert picture.crop((0, 0, picture.width, edge)).getextrema() == (255, 255)
    assert picture.crop((0, 0, edge, picture.height)).getextrema() == (255, 255)


def test_the_svg_is_one_element_without_style_or_script() -> None:
    text = qr.svg(TEXT)
    assert text.startswith("<svg")
    names = [element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()]  # noqa: S314 - our own
    assert names == ["svg", "path", "path"]
    assert "style" not in text


def drawn(svg: str) -> Image.Image:
    """Draw our SVG: bars of one module's height on white."""
    background, bars = (element.attrib for element in ET.fromstring(svg).iter() if element.tag.endswith("path"))  # noqa: S314
    side = int(background["d"].split("h")[1].split("v")[0])
    picture = Image.new("L", (side, side), 255)
    for bar in bars["d"].strip("z").split("z"):
        place, shape = bar.removeprefix("M").split("h", 1)
        x, y = (int(number) for number in place.split(","))
        picture.paste(0, (x, y, x + int(shape.split("v")[0]), y + 1))
    return picture.resize((side * 10, side * 10), Image.Resampling.NEAREST)


def test_the_svg_and_the_png_are_the_same_picture() -> None:
    assert drawn(qr.svg(TEXT)).tobytes() == opened(qr.png(TEXT)).tobytes()


@pytest.mark.parametrize("kind", FULLEST, ids=lambda kind: kind.slug)
def test_a_reader_takes_every_paper_code_from_its_picture(kind: LicenceType) -> None:
    content = message_of(kind)
    for text in (lc1_text.to_base45(content), lc1_text.to_address(content, ISSUER)):
        assert texts_in(opened(qr.png(text))) == [text]
        small = opened(qr.png(text)).resize((260, 260), Image.Resampling.BICUBIC)
        assert texts_in(small) == [text], "260 pixels wide"


def photographed(picture: Image.Image, width: int, rng: random.Random) -> Image.Image:
    """Return the picture as a phone sees it: askew, blurred, pale, noisy, compressed."""
    margin = width // 5
    side = width + 2 * margin
    desk = Image.new("L", (side, side), 235)
    desk.paste(picture.resize((width, width), Image.Resampling.LANCZOS), (margin, margin))
    corners = [place + rng.uniform(-0.03, 0.03) * side for place in (0, 0, 0, side, side, side, side, 0)]
    shot = desk.transform((side, side), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=235)
    pale = shot.filter(ImageFilter.GaussianBlur(0.9)).point(lambda value: 60 + value * 0.6)
    noise = Image.frombytes("L", shot.size, rng.randbytes(side * side)).point(lambda value: 116 + value // 10)
    jpeg = io.BytesIO()
    ImageChops.add(pale, noise, offset=-128).save(jpeg, "JPEG", quality=70)
    return opened(jpeg.getvalue())


@pytest.mark.parametrize(
    ("form", "width", "least"), [("base45", 220, 25), ("address", 220, 21), ("address", 260, 25)], ids=str
)
def test_a_phone_reads_a_paper_code(form: str, width: int, least: int) -> None:
    content = message_of(next(kind for kind in shipped_types() if kind.slug == "business_licence"))
    text = lc1_text.to_base45(content) if form == "base45" else lc1_text.to_address(content, ISSUER)
    picture, rng = opened(qr.png(text)), random.Random(42)
    assert sum(texts_in(photographed(picture, width, rng)) == [text] for _ in range(25)) >= least

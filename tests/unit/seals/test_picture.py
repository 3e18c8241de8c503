"""The picture of a round seal, and the font it is drawn with."""

import io
import itertools
import math
import re
import struct
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

import seals
from seals.font import Font, FontError, open_font
from seals.picture import PictureError, round_seal, to_png

FONT_FILE = Path(seals.__file__).parent / "fonts" / "NotoSerifSC-Bold.ttf"
SVG = "{http://www.w3.org/2000/svg}"
NAME = "演示市行政审批服务局"


@pytest.fixture(scope="module")
def font() -> Font:
    return open_font(FONT_FILE)


def pixels(svg: str, font: Font, dpi: int = 300) -> Image.Image:
    return Image.open(io.BytesIO(to_png(svg, font=font, dpi=dpi)))


def test_every_character_of_the_name_stands_by_itself_and_turned(font: Font) -> None:
    texts = etree.fromstring(round_seal(NAME, font=font)).findall(f".//{SVG}text")
    assert "".join(text.text or "" for text in texts) == NAME
    angles = [float(text.attrib["transform"].split("(")[1].split(")")[0]) for text in texts]
    assert angles == sorted(angles)
    assert angles[0] == -angles[-1]  # the middle of the name is at the top


@pytest.mark.parametrize("length", range(4, 41))
@pytest.mark.parametrize("special", [None, "专用章"])
def test_characters_have_room_beside_each_other_and_inside_the_ring(
    font: Font, length: int, special: str | None
) -> None:
    root = etree.fromstring(round_seal("口" * length, font=font, special=special))
    placed = [
        (*map(float, re.findall(r"-?[\d.]+", text.attrib["transform"])), float(text.attrib["font-size"]))
        for text in root.iter(f"{SVG}text")
        if "transform" in text.attrib
    ]
    ring = root.find(f"{SVG}circle")
    assert ring is not None
    inside = float(ring.attrib["r"]) - float(ring.attrib["stroke-width"]) / 2
    for (angle, _, baseline, width, _, height), (after, *_) in itertools.pairwise(placed):
        foot = -baseline - 0.12 * height  # the em square of a Chinese character hangs 12 % below its baseline
        assert math.radians(after - angle) * foot >= width * height
        assert math.hypot(foot + height, width * height / 2) < inside
        assert foot > 21 * 0.335  # clear of the star


def test_the_picture_measures_42_mm_and_is_red_on_nothing(font: Font) -> None:
    image = pixels(round_seal(NAME, font=font), font)
    assert image.size == (496, 496)  # 42 mm at 300 dpi
    assert image.mode == "RGBA"
    assert image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert image.getpixel((248, 248)) == (0xD8, 0x00, 0x0F, 255)  # the star


def test_a_special_line_adds_ink_under_the_star(font: Font) -> None:
    plain, special = (pixels(round_seal("演示市公安局", font=font, special=s), font) for s in (None, "专用章"))
    box = (150, 370, 350, 430)
    assert plain.crop(box).getchannel("A").getextrema() == (0, 0)
    assert special.crop(box).getchannel("A").getextrema()[1] == 255


@pytest.mark.parametrize(
    ("name", "special"),
    [
        ("三个字", None),
        ("字" * 41, None),
        ("演示 市局", None),
        ("演示\n市局", None),
        ("演示市局\u200b", None),
        ("演示市e\u0301局", None),
        (NAME, "章"),
        (NAME, "章" * 13),
    ],
)
def test_names_that_cannot_stand_on_a_seal_are_refused(font: Font, name: str, special: str | None) -> None:
    with pytest.raises(PictureError):
        round_seal(name, font=font, special=special)


def test_a_missing_character_is_named_instead_of_drawn_as_a_box(font: Font) -> None:
    with pytest.raises(FontError, match=r"U\+20BB7"):
        round_seal("演示市𠮷局", font=font)


def test_markup_in_a_name_stays_text(font: Font) -> None:
    texts = etree.fromstring(round_seal("甲&乙<丙>", font=font, special='"&<>')).findall(f".//{SVG}text")
    assert "".join(text.text or "" for text in texts) == '甲&乙<丙>"&<>'


def test_the_font_knows_rare_characters_and_its_name(font: Font) -> None:
    font.require("㛃䶮喆堃𫖯𫍯𣲘𬱖龘禤仝亓逄㵘𠅤（）ABC123")
    assert font.family == "Noto Serif SC"


@pytest.mark.parametrize("size", [0, 3, 12, 100, 1000])
def test_a_damaged_font_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / f"{size}.ttf"
    path.write_bytes(FONT_FILE.read_bytes()[:size])
    with pytest.raises(FontError):
        open_font(path)


def test_a_missing_font_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FontError):
        open_font(tmp_path / "none.ttf")


def test_a_format_4_character_map_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small.ttf"
    path.write_bytes(small_font())
    font = open_font(path)
    assert font.characters == {0x41, 0x42, 0x61, 0x63}  # 0x62 maps to glyph 0, the box
    assert font.family == "Small"


def small_font() -> bytes:
    """A font of two tables: `name`, and a `cmap` with one range by delta and one through the glyph array."""
    text = "Small".encode("utf-16-be")
    name = struct.pack(">3H6H", 0, 1, 18, 3, 1, 0x409, 1, len(text), 0) + text
    ends, starts, deltas, offsets = (0x42, 0x63, 0xFFFF), (0x41, 0x61, 0xFFFF), (0x10000 - 0x40, 0, 1), (0, 4, 0)
    body = struct.pack(">4H", 6, 0, 0, 0) + struct.pack(">3HH", *ends, 0)
    body += b"".join(struct.pack(">3H", *row) for row in (starts, deltas, offsets)) + struct.pack(">3H", 5, 0, 6)
    cmap = struct.pack(">2H2HI", 0, 1, 3, 1, 12) + struct.pack(">3H", 4, 6 + len(body), 0) + body
    first = 12 + 2 * 16
    records = struct.pack(">4s3I", b"cmap", 0, first, len(cmap))
    records += struct.pack(">4s3I", b"name", 0, first + len(cmap), len(name))
    return b"\x00\x01\x00\x00" + struct.pack(">4H", 2, 0, 0, 0) + records + cmap + name

"""The picture of a seal as drawn: exact size, ink where the geometry says, small, and never a missing glyph."""

import io
import math

import pytest
from lxml import etree
from PIL import Image

from seals.font import Font, FontError, open_font
from seals.geometry import Box, Layout
from seals.lettering import PictureError
from seals.making import FONT
from seals.picture import render, round_seal, to_png
from seals.picture_oval import oval_layout
from seals.picture_round import round_layout
from seals.picture_square import Style, square_layout

SVG = "{http://www.w3.org/2000/svg}"
NAME = "演示市行政审批服务局"
COMPANY = "滨海演示餐饮管理有限公司"
CODE = "91990100MA0000001X"
GALLERY = {
    "official": round_layout(NAME),
    "four characters": round_layout("示范公司", diameter=40),
    "forty characters": round_layout(
        "演示省示范市示范区人民政府行政许可事项集中办理服务中心综合业务管理办公室一二三四"
    ),
    "special, numbered, coded": round_layout(COMPANY, diameter=40, special="合同专用章", number=2, code=CODE),
    "emblem": round_layout("演示省人民政府", diameter=50, emblem=True),
    "invoice": oval_layout(COMPANY, code=CODE, number=1),
    "personal": square_layout("王小明"),
}


@pytest.fixture(scope="module")
def font() -> Font:
    return open_font(FONT)


def cover(layout: Layout, font: Font, dpi: int = 300) -> Image.Image:
    """How much ink each pixel has."""
    return Image.open(io.BytesIO(to_png(render(layout, font=font), dpi=dpi))).convert("RGBA").getchannel("A")


def pixels(image: Image.Image) -> list[tuple[int, int]]:
    """Where there is ink."""
    data = image.tobytes()
    return [(place % image.width, place // image.width) for place, level in enumerate(data) if level > 127]


@pytest.mark.parametrize("name", GALLERY)
def test_the_picture_has_the_exact_size(name: str, font: Font) -> None:
    layout = GALLERY[name]
    image = cover(layout, font)
    assert image.size == (round(layout.width / 25.4 * 300), round(layout.height / 25.4 * 300))
    root = etree.fromstring(render(layout, font=font))
    assert (root.get("width"), root.get("height")) == (f"{layout.width:g}mm", f"{layout.height:g}mm")
    assert image.getbbox() == (0, 0, *image.size)  # the edge reaches the edge


@pytest.mark.parametrize("name", GALLERY)
def test_ink_lies_where_the_geometry_says(name: str, font: Font) -> None:
    """Every character has ink in its box; between edge and boxes and star there is none."""
    layout = GALLERY[name]
    scale = 300 / 25.4
    inked = pixels(cover(layout, font))
    slack = 0.12  # mm: strokes of a few characters reach a little over the square of their typeface
    held = dict.fromkeys(range(len(layout.boxes)), 0)
    for px, py in inked:
        x, y = (px + 0.5) / scale - layout.width / 2, (py + 0.5) / scale - layout.height / 2
        if in_edge(layout, x, y) or (layout.star and math.hypot(x, y) <= math.hypot(*layout.star[0]) + 0.1):
            continue
        found = [index for index, box in enumerate(layout.boxes) if within(box, x, y, slack)]
        assert found, (x, y)
        held[found[0]] += 1
    assert min(held.values()) > 5


def in_edge(layout: Layout, x: float, y: float) -> bool:
    a, b = layout.width / 2 - layout.edge.width - 0.1, layout.height / 2 - layout.edge.width - 0.1
    return (x / a) ** 2 + (y / b) ** 2 > 1 if layout.edge.shape == "ellipse" else abs(x) > a or abs(y) > b


def within(box: Box, x: float, y: float, slack: float) -> bool:
    turn = math.radians(box.turn)
    u, v = x - box.x, y - box.y
    along, down = u * math.cos(turn) + v * math.sin(turn), -u * math.sin(turn) + v * math.cos(turn)
    tall = box.height * (0.75 if box.character in "()" else 0.5)  # brackets are taller than capitals
    return abs(along) <= box.width / 2 + slack and abs(down) <= tall + slack


def test_the_ring_is_as_wide_as_it_says(font: Font) -> None:
    row = cover(GALLERY["official"], font, dpi=600).crop((0, 495, 100, 496)).tobytes()
    assert sum(row) / 255 == pytest.approx(1.2 / 25.4 * 600, abs=0.6)


def test_the_star_is_solid_and_points_up(font: Font) -> None:
    image = cover(GALLERY["official"], font)
    assert image.getpixel((248, 248)) == 255
    column = [y for y in range(100, 260) if image.getpixel((248, y)) > 127]
    assert column[0] == pytest.approx(248 - 7 / 25.4 * 300, abs=4)  # seven millimetres up to the point


def test_a_place_for_the_emblem_is_left_free(font: Font) -> None:
    image = cover(GALLERY["emblem"], font)
    middle, radius = image.width // 2, int(8 / 25.4 * 300)
    assert image.crop((middle - radius, middle - radius, middle + radius, middle + radius)).getbbox() is None


def test_intaglio_is_the_ground_and_relief_the_characters(font: Font) -> None:
    relief, intaglio = (cover(square_layout("王小明", style=style), font) for style in (Style.RELIEF, Style.INTAGLIO))
    assert len(pixels(intaglio)) > 1.5 * len(pixels(relief))
    corner = (20, 20)
    assert (relief.getpixel(corner), intaglio.getpixel(corner)) == (0, 255)


def test_the_ink_is_red_on_nothing_and_has_six_degrees(font: Font) -> None:
    image = Image.open(io.BytesIO(to_png(round_seal(NAME, font=font))))
    assert image.mode == "P"
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    colours = {colour for _count, colour in image.convert("RGBA").getcolors()}
    assert {colour[:3] for colour in colours} == {(0xD8, 0x00, 0x0F)}
    assert {colour[3] for colour in colours} == {0, 51, 102, 153, 204, 255}


def test_a_seal_of_40_mm_takes_at_most_twelve_thousand_bytes(font: Font) -> None:
    assert len(to_png(render(round_layout(COMPANY, diameter=40), font=font))) <= 12_000


def test_the_drawing_needs_no_font(font: Font) -> None:
    svg = render(GALLERY["invoice"], font=font)
    assert "<text" not in svg
    assert "font" not in svg


@pytest.mark.parametrize(("name", "special"), [("三个字", None), ("字" * 41, None), (NAME, "章"), (NAME, "章" * 13)])
def test_names_that_do_not_fit_are_refused(font: Font, name: str, special: str | None) -> None:
    with pytest.raises(PictureError):
        round_seal(name, font=font, special=special)


def test_a_missing_character_is_named_instead_of_drawn_as_a_box(font: Font) -> None:
    with pytest.raises(FontError, match=r"U\+20BB7"):
        round_seal("演示市𠮷局", font=font)


def test_rare_characters_are_drawn(font: Font) -> None:
    svg = round_seal("㛃䶮喆堃𫖯𫍯𣲘𬱖", font=font)
    assert svg.count("<path transform") == 8


def test_markup_in_a_name_stays_text(font: Font) -> None:
    root = etree.fromstring(round_seal("甲&乙<丙>", font=font, special='"&<>'))
    assert root.findtext(f"{SVG}title") == '甲&乙<丙>"&<>'

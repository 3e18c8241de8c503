"""The font that seals are drawn with, and fonts that cannot be read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from seals.font import Font, FontError, open_font
from seals.making import FONT


def test_it_knows_rare_characters_and_its_name() -> None:
    font = open_font(FONT)
    font.require("㛃䶮喆堃𫖯𫍯𣲘𬱖龘禤仝亓逄㵘𠅤（）ABC123")
    assert font.family == "Noto Serif SC"


def test_a_chinese_character_fills_its_square() -> None:
    outline = open_font(FONT).outline("国")
    assert outline.advance == 1.0
    x0, y0, x1, y1 = outline.bounds
    assert (x0 + x1) / 2 == pytest.approx(0.5, abs=0.03)
    assert (y0 + y1) / 2 == pytest.approx(0.38, abs=0.03)


def test_threads_may_draw_at_once() -> None:
    font, text = Font(FONT), "演示市行政审批服务局人力资源和社会保障" * 20
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(font.outline, text))
    again = open_font(FONT)
    assert drawn == [again.outline(character) for character in text]


@pytest.mark.parametrize("size", [0, 3, 12, 100, 1000])
def test_a_damaged_font_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / f"{size}.ttf"
    path.write_bytes(FONT.read_bytes()[:size])
    with pytest.raises(FontError):
        open_font(path)


def test_a_font_cut_off_among_its_outlines_is_refused_when_it_draws(tmp_path: Path) -> None:
    path = tmp_path / "cut.ttf"
    path.write_bytes(FONT.read_bytes()[:9_000_000])
    with pytest.raises(FontError):
        Font(path).outline("龘")


def test_a_missing_font_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FontError):
        open_font(tmp_path / "none.ttf")


def test_a_character_that_draws_nothing_is_refused(tmp_path: Path) -> None:
    font = Font(small_font(tmp_path / "small.ttf"))
    assert font.outline("A").bounds == (0.1, 0.0, 0.5, 0.7)
    with pytest.raises(FontError, match=r"draws nothing for U\+0042"):
        font.outline("B")
    with pytest.raises(FontError, match=r"cannot draw: C"):
        font.outline("C")


def small_font(path: Path) -> Path:
    """A font with a square for A and an empty glyph for B."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (500, 700), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    empty = TTGlyphPen(None).glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A", "B"])
    builder.setupCharacterMap({0x41: "A", 0x42: "B"})
    builder.setupGlyf({".notdef": empty, "A": pen.glyph(), "B": empty})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "A": (600, 100), "B": (600, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Small", "styleName": "Regular"})
    builder.setupOS2(sCapHeight=700)
    builder.setupPost()
    builder.save(path)
    return path

"""Personal name seals: filled up to four characters, read in columns from the right."""

import pytest

from seals.lettering import PictureError
from seals.picture_square import Style, square_layout


@pytest.mark.parametrize(
    ("name", "text"), [("张三", "张三之印"), ("王小明", "王小明印"), ("欧阳示范", "欧阳示范"), ("㛃䶮", "㛃䶮之印")]
)
def test_names_are_filled_up_and_read_from_the_right(name: str, text: str) -> None:
    layout = square_layout(name)
    columns = sorted(layout.boxes, key=lambda box: (-box.x, box.y))
    assert "".join(box.character for box in columns) == text


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("size", [10, 18, 20, 30])
def test_the_four_squares_are_alike_and_inside_the_frame(style: Style, size: float) -> None:
    layout = square_layout("王小明", style=style, size=size)
    assert len({(box.width, box.height, abs(box.x), abs(box.y)) for box in layout.boxes}) == 1
    box = layout.boxes[0]
    assert box.width == box.height
    assert box.x + box.width / 2 < size / 2 - (layout.edge.width if style is Style.RELIEF else 0)
    assert box.x - box.width / 2 > 0
    assert layout.edge.cut is (style is Style.INTAGLIO)


@pytest.mark.parametrize(
    ("name", "size"), [("王", 20), ("五个字的名", 20), ("王 明", 20), ("王小明", 9), ("王小明", 31)]
)
def test_what_does_not_fit_is_refused(name: str, size: float) -> None:
    with pytest.raises(PictureError):
        square_layout(name, size=size)

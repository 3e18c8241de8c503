"""Personal name seals: names of the lengths that people have, read in columns from the right."""

import pytest

from seals.lettering import PictureError
from seals.picture_square import DOT, Style, square_layout

NAMES = {
    "张三": "张三|之印",
    "㛃䶮": "㛃䶮|之印",
    "王小明": "王小|明印",
    "欧阳示范": "欧阳|示范",
    "欧阳示范一": "欧阳示|范一印",
    "南宫示范测试": "南宫示|范测试",
    "示范·演示": "示范·|演示",
    "示·范演示": "示·|范演示",
    "示范演·示范演示": "示范演·|示范|演示",
    "示范・演示": "示范·|演示",  # the katakana dot, as some type it
    "示范演示示范·演示示范演示": "示范演|示示范·|演示示|范演示",
    "示范·示范演·示范演示·演示": "示范·|示范演·|示范演示·|演示",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_in_columns_from_the_right(name: str) -> None:
    columns: dict[float, str] = {}
    for box in sorted(square_layout(name).boxes, key=lambda box: (-box.x, box.y)):
        columns[box.x] = columns.get(box.x, "") + box.character
    assert "|".join(columns.values()) == NAMES[name]


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("size", [10, 18, 20, 30])
def test_the_four_squares_are_alike_and_inside_the_frame(style: Style, size: float) -> None:
    layout = square_layout("王小明", style=style, size=size)
    assert (
        len({(round(b.width, 6), round(b.height, 6), round(abs(b.x), 6), round(abs(b.y), 6)) for b in layout.boxes})
        == 1
    )
    box = layout.boxes[0]
    assert box.width == pytest.approx(box.height)
    assert box.x + box.width / 2 < size / 2 - (layout.edge.width if style is Style.RELIEF else 0)
    assert box.x - box.width / 2 > 0
    assert layout.edge.cut is (style is Style.INTAGLIO)


def test_columns_fill_the_square_and_characters_stay_legible() -> None:
    for name in NAMES:
        characters = [box for box in square_layout(name).boxes if box.character != DOT]
        assert min(min(box.width, box.height) for box in characters) > 3, name  # mm
        for one in characters:
            assert max(abs(one.x) + one.width / 2, abs(one.y) + one.height / 2) < 20 / 2 - 2, name
            for other in characters:
                apart = abs(one.x - other.x), abs(one.y - other.y)
                assert one is other or apart[0] >= one.width or apart[1] >= (one.height + other.height) / 2, name


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("王", 20), ("七个字的姓名呀", 20), ("王 明", 20), ("王小明", 9), ("王小明", 31), ("·", 20), ("·示范", 20),
        ("示范·", 20), ("示··范", 20), ("一·二·三·四·五", 20), ("示·" + "范" * 13, 20),
        ("范" * 12 + "·" + "范" * 12, 20),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(name: str, size: float) -> None:
    with pytest.raises(PictureError):
        square_layout(name, size=size)

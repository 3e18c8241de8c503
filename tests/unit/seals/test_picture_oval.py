"""The invoice seal, measured against the notice of 2011 no. 7."""

import itertools
import math

import pytest

from seals.lettering import PictureError
from seals.picture_oval import oval_layout
from tests.unit.seals.test_picture_round import apart

CODE = "91990100MA0000001X"


def test_the_measures_of_the_notice() -> None:
    layout = oval_layout("滨海演示餐饮管理有限公司", code=CODE, number=1)
    assert (layout.width, layout.height, layout.edge.width) == (40, 30, 1)
    name, code, special, number = layout.boxes[:12], layout.boxes[12:30], layout.boxes[30:35], layout.boxes[35:]
    assert {box.height for box in name} == {4.2}
    assert {(box.width, box.height, box.y) for box in code} == {(1.3, 3.7, 0)}
    assert code[-1].x - code[0].x + 1.3 == pytest.approx(26)
    assert {(box.width, box.height) for box in special} == {(3, 4.6)}
    assert special[0].y - special[0].height / 2 == pytest.approx(4.2)
    assert number[0].y - number[0].height / 2 == pytest.approx(10)
    assert layout.text.endswith("发票专用章(1)")


@pytest.mark.parametrize("length", range(4, 41))
def test_every_character_has_its_room(length: int) -> None:
    layout = oval_layout("口" * length, code=CODE, number=12)
    for box in layout.boxes:
        assert all((x / 19) ** 2 + (y / 14) ** 2 < 1 for x, y in box.corners())
    for one, other in itertools.combinations(layout.boxes, 2):
        assert apart(one, other), (one, other)
    head = layout.boxes[length // 2]
    assert math.hypot(head.x, head.y) < 20


@pytest.mark.parametrize(("name", "code"), [("三个字", CODE), ("演示公司", "1"), ("演示公司", CODE.lower())])
def test_what_does_not_fit_is_refused(name: str, code: str) -> None:
    with pytest.raises(PictureError):
        oval_layout(name, code=code)

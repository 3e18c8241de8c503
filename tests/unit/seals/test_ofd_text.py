import pytest
from lxml import etree

from seals.ofd_text import find
from seals.position import Box
from tests.unit.seals.made import OFD


def page(*objects: str) -> etree._Element:
    body = "".join(objects)
    return etree.fromstring(f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content>{body}</ofd:Content></ofd:Page>')


def line(
    text: str, *, boundary: str = "10 20 100 6", size: str = "4", code: str = 'X="0" Y="5"', more: str = ""
) -> str:
    return (
        f'<ofd:TextObject Boundary="{boundary}" Size="{size}" {more}>'
        f"<ofd:TextCode {code}>{text}</ofd:TextCode></ofd:TextObject>"
    )


@pytest.mark.parametrize(
    ("code", "box"),
    [
        ('X="0" Y="5"', Box(14, 21, 8, 4)),  # without distances a character takes its size
        ('X="1" Y="5" DeltaX="6 6 6"', Box(17, 21, 10, 4)),
        ('X="0" Y="5" DeltaX="g 3 5"', Box(15, 21, 9, 4)),
        ('X="0" Y="5" DeltaX="5 g 2 7"', Box(15, 21, 11, 4)),
        ('X="0" Y="5" DeltaX="g 999999999 5"', Box(15, 21, 9, 4)),
        ('X="0" Y="5" DeltaX="a b c"', Box(14, 21, 8, 4)),
    ],
)
def test_the_box_around_a_text(code: str, box: Box) -> None:
    assert find(page(line("甲盖章乙", code=code)), "盖章") == box


def test_a_matrix_moves_and_scales() -> None:
    assert find(page(line("盖章", more='CTM="2 0 0 2 1 1"')), "章") == Box(10 + 2 * 4 + 1, 20 + 2 * 5 + 1 - 8, 8, 8)


def test_characters_that_stand_alone_are_joined_in_the_order_of_the_file() -> None:
    alone = [line(c, boundary=f"{10 + 5 * n} 20 5 6") for n, c in enumerate("单位盖章")]
    assert find(page(*alone), "盖章") == Box(20, 21, 9, 4)


@pytest.mark.parametrize("text", ["", "章盖", "盖章盖章"])
def test_what_does_not_stand_there(text: str) -> None:
    assert find(page(line("盖章")), text) is None


@pytest.mark.parametrize("broken", [{"boundary": "1 2"}, {"boundary": "a b c d"}, {"more": 'CTM="1 2"'}])
def test_objects_without_sense_are_passed_over(broken: dict[str, str]) -> None:
    assert find(page(line("盖章", **broken), line("盖章")), "盖章") == Box(10, 21, 8, 4)

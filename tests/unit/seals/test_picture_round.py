"""The layout of round seals: sizes by rank, room beside and around every character, nothing over anything else."""

import itertools
import math

import pytest

from seals.geometry import Box, Layout
from seals.lettering import PictureError
from seals.picture_round import RULES, Rank, ring_width, round_layout

CODES = [None, "9913790012345", "91990100MA0000001X"]


def test_the_notice_sets_size_and_centre_by_rank() -> None:
    assert [RULES[rank] for rank in (Rank.STATE_COUNCIL, Rank.PROVINCE, Rank.CITY)] == [
        (60, True),
        (50, True),
        (45, True),
    ]
    assert RULES[Rank.TOWNSHIP] == (42, False)
    assert all(RULES[rank][0] <= 45 and not RULES[rank][1] for rank in (Rank.DEPARTMENT, Rank.COMPANY))


@pytest.mark.parametrize("special", [None, "专用章", "行政许可业务专用章的字样"])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("diameter", [40, 42, 60])
def test_every_part_has_its_room(special: str | None, code: str | None, diameter: int) -> None:
    for length in range(4, 41):
        number = None if special is None else 2
        check_room(round_layout("口" * length, special=special, code=code, diameter=diameter, number=number), diameter)


def check_room(layout: Layout, diameter: int) -> None:
    inside = diameter / 2 - ring_width(diameter)
    for box in layout.boxes:
        assert max(math.hypot(*corner) for corner in box.corners()) < inside - 0.2
        assert min(math.hypot(*corner) for corner in box.corners()) > diameter / 2 / 3 + 0.2  # clear of the star
    for one, other in itertools.combinations(layout.boxes, 2):
        assert apart(one, other), (one, other)


def apart(one: Box, other: Box) -> bool:
    """Tell whether two turned boxes do not meet: along some side of one they lie apart (separating axes)."""
    if math.dist((one.x, one.y), (other.x, other.y)) > math.hypot(12, 12):
        return True
    for box in (one, other):
        for turn in (math.radians(box.turn), math.radians(box.turn + 90)):
            ax, ay = math.cos(turn), math.sin(turn)
            first = [x * ax + y * ay for x, y in one.corners()]
            second = [x * ax + y * ay for x, y in other.corners()]
            if max(first) <= min(second) or max(second) <= min(first):
                return True
    return False


@pytest.mark.parametrize(("length", "span"), [(4, 120), (6, 162), (10, 210), (15, 270), (20, 276), (40, 276)])
def test_longer_names_fill_more_of_the_ring(length: int, span: float) -> None:
    turns = [box.turn for box in round_layout("口" * length).boxes]
    assert turns[-1] - turns[0] == pytest.approx(span)
    assert turns[0] == pytest.approx(-turns[-1])


def test_characters_get_narrower_before_they_get_lower() -> None:
    heights = [round_layout("口" * length).boxes[0].height for length in range(4, 41)]
    ratios = [box.width / box.height for length in range(4, 41) for box in round_layout("口" * length).boxes[:1]]
    assert heights == sorted(heights, reverse=True)
    assert max(heights) == pytest.approx(6.51)
    assert min(heights) >= 0.2 * 21
    assert max(ratios) == pytest.approx(0.86)
    assert min(ratios) > 0.35
    assert ratios[heights.index(heights[-1])] <= 0.53


def test_a_text_reads_in_order_and_an_emblem_takes_the_place_of_the_star() -> None:
    layout: Layout = round_layout("演示市公安局", special="证照专用章", number=3, code="9913790012345")
    assert layout.text == "演示市公安局证照专用章(3)9913790012345"
    assert len(layout.star) == 10
    assert layout.emblem is None
    bare = round_layout("演示省人民政府", diameter=50, emblem=True)
    assert (bare.star, bare.emblem) == ((), 25 * 0.42)


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "三个字"},
        {"name": "演示 市局"},
        {"diameter": 29},
        {"diameter": 61},
        {"special": "章"},
        {"number": 0},
        {"number": 100},
        {"code": "123"},
        {"code": "99137900123４5"},
        {"code": "9913790012 45"},
    ],
)
def test_what_does_not_fit_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(PictureError):
        round_layout(**({"name": "演示市公安局"} | facts))  # type: ignore[arg-type]

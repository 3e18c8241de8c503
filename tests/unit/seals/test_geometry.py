"""Geometry in millimetres: circles, stars, lines and curves beside an ellipse."""

import itertools
import math

import pytest

from seals.geometry import Box, line, lower_arc, parallel_to_ellipse, spread, star, upper_arc


def test_a_star_has_five_points_and_straight_edges() -> None:
    corners = star(7)
    assert [math.hypot(*corner) for corner in corners[::2]] == pytest.approx([7] * 5)
    assert [math.degrees(math.atan2(x, -y)) % 360 for x, y in corners[::2]] == pytest.approx([0, 72, 144, 216, 288])
    assert [math.hypot(*corner) for corner in corners[1::2]] == pytest.approx([7 * 0.381966] * 5, rel=1e-5)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners[0], corners[1], corners[3], corners[4]
    for px, py in ((bx, by), (cx, cy)):  # from point to point but one, both inner corners lie on the line
        assert (dx - ax) * (py - ay) - (dy - ay) * (px - ax) == pytest.approx(0, abs=1e-9)


def test_an_upper_arc_reads_from_left_to_right_with_its_middle_on_top() -> None:
    boxes = upper_arc("甲乙丙丁戊", middle=16, step=30, width=4, height=5)
    assert [box.turn for box in boxes] == [-60, -30, 0, 30, 60]
    assert [box.x for box in boxes] == sorted(box.x for box in boxes)
    for box in boxes:
        assert math.hypot(box.x, box.y) == pytest.approx(16)
        head, *_, foot = box.corners()
        assert math.hypot(*head) > math.hypot(*foot)  # heads outwards
    assert (boxes[2].x, boxes[2].y) == pytest.approx((0, -16))


def test_a_lower_arc_reads_from_left_to_right_with_heads_inwards() -> None:
    boxes = lower_arc("123", middle=18, step=4, width=1, height=1.6)
    assert [box.x for box in boxes] == sorted(box.x for box in boxes)
    assert boxes[1].y == pytest.approx(18)
    for box in boxes:
        head, *_, foot = box.corners()
        assert math.hypot(*head) < math.hypot(*foot)


def test_a_line_is_centred() -> None:
    boxes = line("专用章", y=12, step=4, width=3, height=4)
    assert [(box.x, box.y, box.turn) for box in boxes] == [(-4, 12, 0), (0, 12, 0), (4, 12, 0)]


def test_corners_of_a_turned_box() -> None:
    corners = Box("口", 10, 0, 90, 2, 4).corners()
    assert [pytest.approx(corner) for corner in corners] == [(12, -1), (12, 1), (8, 1), (8, -1)]


def test_a_curve_beside_an_ellipse_keeps_its_distance() -> None:
    curve = parallel_to_ellipse(19, 14, inwards=2.6)
    assert curve(0)[0] == pytest.approx((0, -11.4))
    assert curve(90)[0] == pytest.approx((16.4, 0))
    assert curve(0)[1] == pytest.approx(0)
    assert curve(90)[1] == pytest.approx(90)
    for degrees in (17, 45, 70, 110):
        x, y = curve(degrees)[0]
        nearest = min(math.dist((x, y), (19 * math.sin(t / 1e4), -14 * math.cos(t / 1e4))) for t in range(31416))
        assert nearest == pytest.approx(2.6, abs=1e-4)


@pytest.mark.parametrize("count", [4, 11, 40])
def test_characters_are_spread_evenly_along_a_curve(count: int) -> None:
    curve = parallel_to_ellipse(19, 14, inwards=2.6)
    places, step = spread(curve, 200, count)
    assert places == pytest.approx([-place for place in reversed(places)], abs=1e-6)
    assert (places[0], places[-1]) == pytest.approx((-100, 100))
    for before, after in itertools.pairwise(places):
        ways = [curve(before + (after - before) * part / 100)[0] for part in range(101)]
        assert sum(itertools.starmap(math.dist, itertools.pairwise(ways))) == pytest.approx(step, rel=1e-3)

"""The round seal (圆形公章): State Council notice 国发〔1999〕25号, articles 2 to 13, and GB/T 33481-2016.

A ring, a five-pointed star or the place of the national emblem (国徽), the unit's name on an arc from left to right;
for seals of a special purpose (专用章) a line under the star, with a number where there are several; and a code of 13
or 18 characters on the lower arc, where the place asks for it.
"""

from __future__ import annotations

import math
from enum import StrEnum

from seals.geometry import Box, Edge, Layout, line, lower_arc, star, upper_arc
from seals.lettering import CODE_LENGTHS, PictureError, check_code, check_name, check_special, numbered

_STAR = 1 / 3  # of the radius: from the centre to a point of the star
_EMBLEM = 0.42  # of the radius: left free for the emblem
_GAP, _CODE_GAP = 0.9, 0.45  # mm between the ring and the heads of the name, and the feet of the code
_NARROWEST, _TALLEST, _LOWEST = 0.52, 0.31, 0.2  # width to height of a character; its height as a share of the radius
_FILL = 0.93  # of its step a character fills at its foot
_CODE_HEIGHT, _CODE_WIDTH, _CODE_STEP = 1.6, 0.95, 1.25  # mm
_LINE_MIDDLE, _LINE_HEIGHT, _LINE_WIDTH = 0.575, 0.21, 1.1  # the line under the star, shares of the radius
_LINE_RAISED = 0.545  # where a number stands under the line
_NUMBER_MIDDLE, _NUMBER_HEIGHT = 0.745, 0.085


class Rank(StrEnum):
    """Whose seal it is, which sets diameter and centre (国发〔1999〕25号)."""

    STATE_COUNCIL = "state_council"  # 国务院, art. 2
    PROVINCE = "province"  # 省、自治区、直辖市人民政府，国务院部委, art. 3
    CITY = "city"  # 自治州、市、县、市辖区人民政府, art. 9
    TOWNSHIP = "township"  # 乡（镇）人民政府, art. 11
    DEPARTMENT = "department"  # 国家行政机关内设机构或直属单位, at most 45 mm, art. 13
    COMPANY = "company"  # 企业事业单位、社会团体, at most 45 mm; 40 mm is the usual size of a company's


#: Diameter in mm, and whether the emblem stands in the centre.
RULES: dict[Rank, tuple[int, bool]] = {
    Rank.STATE_COUNCIL: (60, True),
    Rank.PROVINCE: (50, True),
    Rank.CITY: (45, True),
    Rank.TOWNSHIP: (42, False),
    Rank.DEPARTMENT: (42, False),
    Rank.COMPANY: (40, False),
}


def ring_width(diameter: float) -> float:
    """Return the width of the ring: 1.2 mm, 1 mm for the smaller seals (圆边宽)."""
    return 1.2 if diameter >= 42 else 1.0


def round_layout(
    name: str,
    *,
    diameter: float = RULES[Rank.DEPARTMENT][0],
    emblem: bool = False,
    special: str | None = None,
    number: int | None = None,
    code: str | None = None,
) -> Layout:
    """Return the layout of a round seal.

    Args:
        name: 4 to 40 characters.
        diameter: in mm, 30 to 60.
        emblem: leave the centre free for the national emblem, whose drawing the law reserves.
        special: the line under the star, 2 to 12 characters.
        number: of several seals of one purpose, 1 to 99.
        code: 13 or 18 characters for the lower arc.

    Raises:
        PictureError: a text that does not fit or cannot stand on a seal.
    """
    check_name(name)
    if not 30 <= diameter <= 60:
        raise PictureError("a round seal measures 30 to 60 mm")
    radius, ring = diameter / 2, ring_width(diameter)
    boxes = _name(name, radius, ring, _span(len(name), special=special is not None, code=code))
    if special is not None:
        middle = radius * (_LINE_MIDDLE if number is None else _LINE_RAISED)
        boxes += _special_line(check_special(special), middle, radius)
    if number is not None:
        height = radius * _NUMBER_HEIGHT
        step = height * 0.75
        boxes += line(numbered(number), y=radius * _NUMBER_MIDDLE, step=step, width=step, height=height)
    if code is not None:
        boxes += _code(check_code(code, CODE_LENGTHS), radius, ring)
    edge = Edge("ellipse", ring)
    if emblem:
        return Layout(diameter, diameter, edge, tuple(boxes), emblem=radius * _EMBLEM)
    return Layout(diameter, diameter, edge, tuple(boxes), star=star(radius * _STAR))


def _span(length: int, *, special: bool, code: str | None) -> float:
    """Return the degrees from the first to the last character: wider for longer names, clear of what stands below."""
    widest = 222.0 if special else 276.0
    if code is not None:
        widest = min(widest, 250.0 if len(code) <= CODE_LENGTHS[0] else 238.0)
    return min(widest, 40.0 * (length - 1), 138.0 + 12.0 * (length - 4))


def _name(name: str, radius: float, ring: float, span: float) -> list[Box]:
    step = span / (len(name) - 1)
    outer, way = radius - ring - _GAP, math.radians(step)
    height = radius * _TALLEST
    width = min(height * 0.86, _FILL * way * (outer - height))
    if width < _NARROWEST * height:
        # The foot lies on the circle of radius outer - height: solve fill * way * (outer - h) = narrowest * h.
        height = max(radius * _LOWEST, _FILL * way * outer / (_NARROWEST + _FILL * way))
        width = min(_NARROWEST * height, _FILL * way * (outer - height))
    return upper_arc(name, middle=outer - height / 2, step=step, width=width, height=height)


def _special_line(special: str, middle: float, radius: float) -> list[Box]:
    step = min(radius * _LINE_HEIGHT * 0.98, radius * _LINE_WIDTH / len(special))
    height = min(radius * _LINE_HEIGHT, step * 1.7)
    width = min(0.92 * step, 0.8 * height)
    return line(special, y=middle, step=step, width=width, height=height)


def _code(code: str, radius: float, ring: float) -> list[Box]:
    middle = radius - ring - _CODE_GAP - _CODE_HEIGHT / 2
    step = math.degrees(_CODE_STEP / middle)
    return lower_arc(code, middle=middle, step=step, width=_CODE_WIDTH, height=_CODE_HEIGHT)

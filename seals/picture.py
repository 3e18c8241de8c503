"""Draw the picture of a round official seal (公章印模) by rule: State Council notice 国发〔1999〕25号, GB/T 33481-2016.

A red circle, a five-pointed star, the unit's name on an arc from left to right, and under the star a line for seals of
a special purpose (专用章). Each character is turned by itself, as an engraver does it; text set along a path crowds
against the ring. The SVG is the master, sizes are millimetres; the PNG is what a seal carries, because a reader
elsewhere may lack the font.
"""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from seals.font import Font

DIAMETER = 42  # mm, usual for a department of a city or county
RED = "#d8000f"
SHORTEST_NAME, LONGEST_NAME = 4, 40
LONGEST_SPECIAL = 12
DPI = 300

# Everything below is a share of the radius, so that a seal of another size looks alike.
_RING = 0.057  # width of the circle's line
_EDGE = 0.005  # left free outside the circle, so that its edge is drawn smoothly
_GAP = 0.075  # between the circle and the characters
_STAR = 0.335  # from the centre to a point of the star
_TALLEST, _LOWEST = 0.30, 0.17  # height of a character of the name
_WIDEST_STEP = math.radians(30)  # between two characters of a short name
_SPAN, _SPAN_WITH_LINE = math.radians(285), math.radians(222)  # the arc a long name may fill
_FILL = 0.96  # of its step a character fills at its foot
_NARROWEST = 0.55  # width to height; a longer name gets lower characters instead
_LINE_MIDDLE, _LINE_HEIGHT, _LINE_WIDTH = 0.6, 0.2, 1.12  # the line under the star
_EM_MIDDLE = 0.38  # of the em: from the baseline up to the middle of a Chinese character


class PictureError(ValueError):
    """A name that cannot be set on a seal."""


def round_seal(name: str, *, font: Font, special: str | None = None, diameter: int = DIAMETER) -> str:
    """Return the SVG of a round seal for a unit's `name` of 4 to 40 characters; `diameter` in mm.

    `special` is the line under the star, 2 to 12 characters. Raise PictureError for text that does not fit or cannot
    stand on a seal, FontError for a character that `font` lacks.
    """
    _check(name, SHORTEST_NAME, LONGEST_NAME, font)
    if special is not None:
        _check(special, 2, LONGEST_SPECIAL, font)
    if not 10 <= diameter <= 60:
        raise PictureError("a seal measures 10 to 60 mm")
    radius = diameter / 2
    size = f'width="{diameter}mm" height="{diameter}mm" viewBox="{-radius:g} {-radius:g} {diameter} {diameter}"'
    ring = f'r="{radius * (1 - _RING / 2 - _EDGE):.3f}" stroke-width="{radius * _RING:.3f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{escape(name)}</title>",
        f'<circle {ring} fill="none" stroke="{RED}"/>',
        f'<path d="{_star(radius * _STAR)}" fill="{RED}"/>',
        f'<g fill="{RED}" font-family={quoteattr(font.family)} text-anchor="middle">',
        *_arc(name, radius, _SPAN if special is None else _SPAN_WITH_LINE),
        *([] if special is None else [_line(special, radius)]),
        "</g></svg>",
    ]
    return "\n".join(parts)


def to_png(svg: str, *, font: Font, dpi: int = DPI) -> bytes:
    """Return a seal's SVG as a transparent PNG, `dpi` pixels to the inch, drawn with `font` and no other."""
    import resvg_py

    drawn = resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True, font_files=[str(font.path)], font_family=font.family, dpi=dpi
    )
    return bytes(drawn)


def _check(text: str, shortest: int, longest: int, font: Font) -> None:
    if not shortest <= len(text) <= longest:
        raise PictureError(f"{shortest} to {longest} characters fit, not {len(text)}")
    # Marks would be turned apart from their letter; spaces and controls leave holes.
    if any(unicodedata.category(character)[0] in "MZC" for character in text):
        raise PictureError("spaces, combining marks and control characters cannot stand on a seal")
    font.require(text)


def _star(radius: float) -> str:
    """Return the outline of a five-pointed star; the inner corners lie where its edges cross."""
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(126))
    corners = []
    for index in range(10):
        angle, length = math.radians(36 * index), inner if index % 2 else radius
        corners.append(f"{length * math.sin(angle):.3f} {-length * math.cos(angle):.3f}")
    return "M" + "L".join(corners) + "Z"


def _arc(name: str, radius: float, span: float) -> list[str]:
    """Return one turned `text` for each character, the middle of the name at the top."""
    step = min(_WIDEST_STEP, span / (len(name) - 1))
    outer = radius * (1 - _RING - _GAP)
    height = radius * _TALLEST
    width = min(1.0, _FILL * step * (outer - height) / height)
    if width < _NARROWEST:
        # The foot lies on the circle of radius outer - height: solve fill * step * (outer - h) = narrowest * h.
        height = max(radius * _LOWEST, _FILL * step * outer / (_NARROWEST + _FILL * step))
        width = min(_NARROWEST, _FILL * step * (outer - height) / height)
    baseline = outer - height / 2 - _EM_MIDDLE * height
    turned = []
    for index, character in enumerate(name):
        angle = math.degrees(step * (index - (len(name) - 1) / 2))
        turned.append(
            f'<text transform="rotate({angle:.3f}) translate(0 {-baseline:.3f}) scale({width:.3f} 1)" '
            f'font-size="{height:.3f}">{escape(character)}</text>'
        )
    return turned


def _line(special: str, radius: float) -> str:
    """Return the line under the star, as wide as the circle allows there."""
    height = radius * min(_LINE_HEIGHT, _LINE_WIDTH / len(special))
    baseline = radius * _LINE_MIDDLE + height * _EM_MIDDLE
    return f'<text x="0" y="{baseline:.3f}" font-size="{height:.3f}">{escape(special)}</text>'

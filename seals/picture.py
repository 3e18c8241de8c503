"""Draw the picture of a seal (印模): the SVG is the master, in millimetres; the PNG is what a seal carries.

Characters are drawn as outlines, so that a picture looks the same wherever it is opened. The PNG is one colour in
a few degrees of cover: its bytes are read with every verification, so they are kept few.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from PIL import Image

from seals import png
from seals.lettering import PictureError
from seals.picture_round import RULES, Rank, round_layout

if TYPE_CHECKING:
    from seals.font import Font
    from seals.geometry import Box, Layout

__all__ = ["DIAMETER", "DPI", "PictureError", "render", "round_seal", "to_png"]

DIAMETER = RULES[Rank.DEPARTMENT][0]
RED = "#d8000f"
DPI = 300
_FACE = 0.955  # of the em a Chinese character fills
_EM_MIDDLE = 0.38  # of the em: from the baseline up to its middle


def round_seal(name: str, *, font: Font, special: str | None = None, diameter: int = DIAMETER) -> str:
    """Return the SVG of a round seal; see `picture_round.round_layout`."""
    return render(round_layout(name, special=special, diameter=diameter), font=font)


def render(layout: Layout, *, font: Font) -> str:
    """Return the SVG of a seal.

    Raises:
        FontError: naming the characters that `font` lacks.
    """
    font.require(layout.text)
    w, h = layout.width, layout.height
    size = f'width="{w:g}mm" height="{h:g}mm" viewBox="{-w / 2:g} {-h / 2:g} {w:g} {h:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<title>{escape(layout.text)}</title>'
    characters = [_drawn(box, font) for box in layout.boxes]
    if layout.edge.cut:
        return "\n".join([head, *_cut_out(layout, characters), "</svg>"])
    centre = []
    if layout.star:
        points = "L".join(f"{x:.3f} {y:.3f}" for x, y in layout.star)
        centre.append(f'<path id="star" d="M{points}Z" fill="{RED}"/>')
    return "\n".join([head, _edge(layout), *centre, f'<g fill="{RED}">', *characters, "</g>", "</svg>"])


def to_png(svg: str, *, dpi: int = DPI) -> bytes:
    """Return a seal's SVG as a transparent PNG of 6 colours, `dpi` pixels to the inch."""
    import resvg_py

    drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, dpi=dpi))
    with Image.open(io.BytesIO(drawn)) as picture:
        cover = picture.convert("RGBA").getchannel("A")
    return png.one_colour(cover.tobytes(), cover.width, _rgb(RED), dpi)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _edge(layout: Layout) -> str:
    w, h, line = layout.width, layout.height, layout.edge.width
    drawn = f'fill="none" stroke="{RED}" stroke-width="{line:g}"'
    if layout.edge.shape == "ellipse":
        return f'<ellipse rx="{(w - line) / 2:g}" ry="{(h - line) / 2:g}" {drawn}/>'
    box = f'x="{(line - w) / 2:g}" y="{(line - h) / 2:g}" width="{w - line:g}" height="{h - line:g}"'
    return f"<rect {box} {drawn}/>"


def _cut_out(layout: Layout, characters: list[str]) -> list[str]:
    w, h = layout.width, layout.height
    box = f'x="{-w / 2:g}" y="{-h / 2:g}" width="{w:g}" height="{h:g}"'
    mask = f'<mask id="cut" maskUnits="userSpaceOnUse" {box}><rect {box} fill="#fff"/><g fill="#000">'
    return [mask, *characters, "</g></mask>", f'<rect {box} fill="{RED}" mask="url(#cut)"/>']


def _drawn(box: Box, font: Font) -> str:
    """Return one character, stretched into its box.

    A Chinese character is set by the square that the typeface gives it, so that 口 stays smaller than 国; a letter or
    digit by its advance and the height of capitals.
    """
    outline = font.outline(box.character)
    if box.character.isascii():
        middle, across = (outline.advance / 2, font.capital / 2), (outline.advance, font.capital)
    else:
        middle, across = (outline.advance / 2, _EM_MIDDLE), (_FACE, _FACE)
    sx, sy = box.width / across[0] / font.units, box.height / across[1] / font.units
    move = f"translate({-middle[0] * font.units:g} {-middle[1] * font.units:g})"
    place = f"translate({box.x:.3f} {box.y:.3f})" + (f" rotate({box.turn:.3f})" if box.turn else "")
    return f'<path transform="{place} scale({sx:.6g} {-sy:.6g}) {move}" d="{outline.path}"/>'

"""The colours and lines of the objects of an OFD page, as SVG says them: GB/T 33190-2016 clause 8.2 to 8.3.

What an object does not say, its drawing parameters say, then what those rest on, then the layer's. Axial and radial
shadings become gradients; a pattern or a shading of another kind becomes a light grey, so that nothing hides below it.
Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seals.ofd_parts import NAMESPACE
from seals.ofd_text import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from seals.ofd_svg import Canvas

MAX_RELATIVES, MAX_STOPS, MAX_DASHES = 16, 64, 16
_LINE, _MITER = 0.353, 4.234  # mm, and a ratio, of a line that does not say it
_UNKNOWN = "#ddd"
_CAPS = {"Round": "round", "Square": "square"}
_JOINS = {"Round": "round", "Bevel": "bevel"}


def paint(canvas: Canvas, element: _Element, *, fill: bool, stroke: bool) -> str:
    """Return the attributes that fill and stroke an object."""
    filled = _colour(canvas, element, "fill") if fill else 'fill="none"'
    return f"{filled}{_stroke(canvas, element) if stroke else ''}{alpha(element)}"


def alpha(element: _Element) -> str:
    """Return the attribute that lets an object shine through, if it does."""
    return _opacity(element, "opacity")


def n(value: float) -> str:
    """Return a number as SVG writes it."""
    return format(round(value, 4), ".10g")


def _stroke(canvas: Canvas, element: _Element) -> str:
    width = (_numbers(canvas, element, "LineWidth") or [_LINE])[0]
    line = f' {_colour(canvas, element, "stroke")} stroke-width="{n(width)}"'
    if cap := _CAPS.get(_said(canvas, element, "Cap") or ""):
        line += f' stroke-linecap="{cap}"'
    if join := _JOINS.get(_said(canvas, element, "Join") or ""):
        line += f' stroke-linejoin="{join}"'
    else:
        line += f' stroke-miterlimit="{n(max((_numbers(canvas, element, "MiterLimit") or [_MITER])[0], 1))}"'
    dashes = [dash for dash in _numbers(canvas, element, "DashPattern")[:MAX_DASHES] if dash >= 0]
    if sum(dashes) > 0:
        offset = (_numbers(canvas, element, "DashOffset") or [0.0])[0]
        line += f' stroke-dasharray="{" ".join(map(n, dashes))}" stroke-dashoffset="{n(offset)}"'
    return line


def _colour(canvas: Canvas, element: _Element, kind: str) -> str:
    tag = f"{NAMESPACE}{kind.capitalize()}Color"
    found = next((one for style in _styles(canvas, element) if (one := style.find(tag)) is not None), None)
    if found is None:
        return f'{kind}="#000"'
    return f'{kind}="{_shade(canvas, found)}"{_opacity(found, f"{kind}-opacity")}'


def _shade(canvas: Canvas, colour: _Element) -> str:
    for inner in colour:
        tag = inner.tag.removeprefix(NAMESPACE) if isinstance(inner.tag, str) else ""
        if tag in _GRADIENTS:
            return _gradient(canvas, inner, tag) or _UNKNOWN
        return _UNKNOWN
    return _rgb(numbers(colour.get("Value")))


def _axial(shading: _Element) -> str:
    (x1, y1), (x2, y2) = (numbers(shading.get(name)) for name in ("StartPoint", "EndPoint"))
    return f'x1="{n(x1)}" y1="{n(y1)}" x2="{n(x2)}" y2="{n(y2)}"'


def _radial(shading: _Element) -> str:
    (fx, fy), (cx, cy) = (numbers(shading.get(name)) for name in ("StartPoint", "EndPoint"))
    (radius,) = numbers(shading.get("EndRadius"))
    return f'fx="{n(fx)}" fy="{n(fy)}" cx="{n(cx)}" cy="{n(cy)}" r="{n(max(radius, 0))}"'


_GRADIENTS = {"AxialShd": ("linearGradient", _axial), "RadialShd": ("radialGradient", _radial)}
_SPREADS = {"Repeat": "repeat", "Reflect": "reflect"}


def _gradient(canvas: Canvas, shading: _Element, tag: str) -> str | None:
    """Define a gradient and return the reference to it, None where the shading cannot be read."""
    name, geometry = _GRADIENTS[tag]
    try:
        where = geometry(shading)
    except ValueError:
        return None
    segments = shading.findall(f"{NAMESPACE}Segment")[:MAX_STOPS]
    stops = []
    for place, segment in enumerate(segments):
        at = (numbers(segment.get("Position")) or [place / max(len(segments) - 1, 1)])[0]
        colour = segment.find(f"{NAMESPACE}Color")
        shade = "#000" if colour is None else _rgb(numbers(colour.get("Value")))
        stops.append(f'<stop offset="{n(min(max(at, 0), 1))}" stop-color="{shade}"/>')
    spread = _SPREADS.get(shading.get("MapType") or "", "pad")
    start = f'<{name} gradientUnits="userSpaceOnUse" {where} spreadMethod="{spread}"'
    return canvas.define(start, f"{''.join(stops)}</{name}>") if stops else None


def _rgb(values: list[float]) -> str:
    """Return a colour of one, three or four channels (grey, RGB, CMYK) as SVG has it; black for any other."""
    shades = [min(max(int(value), 0), 255) for value in values]
    if len(shades) == 1:
        shades *= 3
    elif len(shades) == 4:
        shades = [(255 - shade) * (255 - shades[3]) // 255 for shade in shades[:3]]
    return "#" + "".join(f"{shade:02x}" for shade in shades) if len(shades) == 3 else "#000"


def _numbers(canvas: Canvas, element: _Element, name: str) -> list[float]:
    return next((found for style in _styles(canvas, element) if (found := numbers(style.get(name)))), [])


def _said(canvas: Canvas, element: _Element, name: str) -> str | None:
    return next((found for style in _styles(canvas, element) if (found := style.get(name)) is not None), None)


def _styles(canvas: Canvas, element: _Element) -> Iterator[_Element]:
    """Yield the element, its DrawParam, those that this rests on, and then the same of its layer."""
    yield element
    for start in (element.get("DrawParam"), canvas.layer):
        identifier = start
        for _ in range(MAX_RELATIVES):
            found = canvas.resources.parameter(identifier)
            if found is None:
                break
            yield found
            identifier = found.get("Relative")


def _opacity(element: _Element, name: str) -> str:
    value = (numbers(element.get("Alpha")) or [255.0])[0]
    return "" if value >= 255 else f' {name}="{n(max(value, 0) / 255)}"'

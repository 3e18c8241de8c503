"""Draw the objects of an OFD page as SVG: GB/T 33190-2016 clauses 8.5 (units), 9 (paths), 10 (images), 11 (text).

Enough for ordinary documents to be recognised: text in one of our own fonts, paths with plain colours, images. What is
left out: patterns, shadings, clips, glyph transformations, embedded fonts, composite objects. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from seals.ofd_parts import NAMESPACE
from seals.ofd_text import numbers, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from seals.ofd_resources import Resources

MAX_OBJECTS, MAX_CHARACTERS, MAX_COMMANDS, MAX_SVG = 20_000, 100_000, 400_000, 24 << 20
MAX_DEPTH = 16
_LINE = 0.353  # mm, the width of a line that does not say it
_COMMANDS = {"M": ("M", 2), "L": ("L", 2), "Q": ("Q", 4), "B": ("C", 6), "A": ("A", 7), "C": ("Z", 0), "S": ("M", 2)}
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class TooMuchError(ValueError):
    """A page with more on it than is drawn here."""


@dataclass(slots=True)
class Canvas:
    """What has been drawn so far, in millimetres, and how much more may be."""

    resources: Resources
    parts: list[str] = field(default_factory=list)
    size: int = 0
    objects: int = 0
    characters: int = 0
    commands: int = 0

    def put(self, part: str) -> None:
        """Add a piece of SVG. Raise TooMuchError beyond the limit."""
        self.size += len(part)
        if self.size > MAX_SVG:
            raise TooMuchError("the picture would be too large")
        self.parts.append(part)


def draw(canvas: Canvas, parent: _Element, depth: int = 0) -> None:
    """Draw what an element holds: layers, blocks and objects, in the order of the file. Raise TooMuchError."""
    if depth > MAX_DEPTH:
        raise TooMuchError("blocks within blocks")
    for element in parent:
        tag = element.tag.removeprefix(NAMESPACE) if isinstance(element.tag, str) else ""
        if tag in {"Content", "Layer", "PageBlock"}:
            draw(canvas, element, depth + 1)
        elif tag in _DRAWN and element.get("Visible") != "false":
            canvas.objects += 1
            if canvas.objects > MAX_OBJECTS:
                raise TooMuchError("too many objects")
            _DRAWN[tag](canvas, element)


def _text(canvas: Canvas, element: _Element) -> None:
    size = (numbers(element.get("Size")) or [0.0])[0]
    if not 0 < size <= 1000:
        return
    style = _paint(canvas, element, fill=element.get("Fill") != "false", stroke=element.get("Stroke") == "true")
    if (numbers(element.get("Weight")) or [400.0])[0] >= 600:
        style += ' font-weight="700"'
    scale = (numbers(element.get("HScale")) or [1.0])[0]
    with_scale = "" if scale == 1 else f" scale({_n(scale)} 1)"
    for code in element.findall(f"{NAMESPACE}TextCode"):
        written = _UNSEEN.sub(" ", code.text or "")
        canvas.characters += len(written)
        if canvas.characters > MAX_CHARACTERS:
            raise TooMuchError("too much text")
        xs, ys = (places(code, axis, len(written), step) for axis, step in (("X", size), ("Y", 0.0)))
        if not written.strip():
            continue
        spread = code.get("DeltaX") is not None
        at = f'x="{" ".join(_n(x / scale) for x in xs)}"' if spread else f'x="{_n(xs[0] / scale)}"'
        at += f' y="{" ".join(map(_n, ys))}"' if code.get("DeltaY") is not None else f' y="{_n(ys[0])}"'
        placed = f'transform="{_matrix(element)}{with_scale}" font-size="{_n(size)}" xml:space="preserve"'
        canvas.put(f"<text {placed} {at} {style}>{escape(written)}</text>")


def _path(canvas: Canvas, element: _Element) -> None:
    data = element.find(f"{NAMESPACE}AbbreviatedData")
    if data is None or not (commands := " ".join(_commands(canvas, (data.text or "").split()))):
        return
    style = _paint(canvas, element, fill=element.get("Fill") == "true", stroke=element.get("Stroke") != "false")
    rule = ' fill-rule="evenodd"' if element.get("Rule") == "Even-Odd" else ""
    canvas.put(f'<path transform="{_matrix(element)}" d="{commands}" {style}{rule}/>')


def _image(canvas: Canvas, element: _Element) -> None:
    uri = canvas.resources.image(element.get("ResourceID"))
    if uri is None:
        canvas.put(f'<path transform="{_matrix(element)}" d="M0 0H1V1H0Z" fill="#ddd"/>')
        return
    more = f'width="1" height="1" preserveAspectRatio="none"{_alpha(element)}'
    canvas.put(f'<image transform="{_matrix(element)}" {more} href={quoteattr(uri)}/>')


_DRAWN = {"TextObject": _text, "PathObject": _path, "ImageObject": _image}


def _commands(canvas: Canvas, words: list[str]) -> Iterator[str]:
    """Yield the commands of an outline (9.1) as SVG writes them; it ends where one cannot be read."""
    place = 0
    while place < len(words) and (found := _COMMANDS.get(words[place])) is not None:
        name, count = found
        values = numbers(" ".join(words[place + 1 : place + 1 + count])) if count else []
        canvas.commands += 1
        if len(values) != count:
            return
        if canvas.commands > MAX_COMMANDS:
            raise TooMuchError("too many strokes")
        if name == "A":  # rx ry angle large sweep x y: the flags are one digit in SVG
            values[3:5] = [float(value != 0) for value in values[3:5]]
        yield name + " ".join(map(_n, values))
        place += 1 + count


def _paint(canvas: Canvas, element: _Element, *, fill: bool, stroke: bool) -> str:
    filled = _colour(canvas, element, "FillColor") if fill else "none"
    stroked = _colour(canvas, element, "StrokeColor") if stroke else "none"
    width = next((w for w in (numbers(one.get("LineWidth")) for one in _styles(canvas, element)) if w), [_LINE])[0]
    line = f' stroke="{stroked}" stroke-width="{_n(width)}"' if stroke else ""
    return f'fill="{filled}"{line}{_alpha(element)}'


def _colour(canvas: Canvas, element: _Element, tag: str) -> str:
    for style in _styles(canvas, element):
        found = style.find(f"{NAMESPACE}{tag}")
        if found is not None:
            return _rgb(numbers(found.get("Value")))
    return "#000"


def _rgb(values: list[float]) -> str:
    """Return a colour of one, three or four channels (grey, RGB, CMYK) as SVG has it; black for any other."""
    shades = [min(max(int(value), 0), 255) for value in values]
    if len(shades) == 1:
        shades *= 3
    elif len(shades) == 4:
        shades = [(255 - shade) * (255 - shades[3]) // 255 for shade in shades[:3]]
    return "#" + "".join(f"{shade:02x}" for shade in shades) if len(shades) == 3 else "#000"


def _styles(canvas: Canvas, element: _Element) -> Iterator[_Element]:
    """Yield the element, its DrawParam, and those that this rests on."""
    yield element
    identifier = element.get("DrawParam")
    for _ in range(MAX_DEPTH):
        found = canvas.resources.parameter(identifier)
        if found is None:
            return
        yield found
        identifier = found.get("Relative")


def _alpha(element: _Element) -> str:
    alpha = (numbers(element.get("Alpha")) or [255.0])[0]
    return "" if alpha >= 255 else f' opacity="{_n(max(alpha, 0) / 255)}"'


def _matrix(element: _Element) -> str:
    box, matrix = numbers(element.get("Boundary")), numbers(element.get("CTM"))
    moved = f"translate({_n(box[0])} {_n(box[1])})" if len(box) == 4 else ""
    return moved + (f" matrix({' '.join(map(_n, matrix))})" if len(matrix) == 6 else "")


def _n(value: float) -> str:
    return format(round(value, 4), ".10g")

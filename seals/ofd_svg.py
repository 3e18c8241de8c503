"""Draw the objects of an OFD page as SVG: GB/T 33190-2016 clauses 8.4 (clips), 8.5 (units), 9 to 11 and 13 (objects).

Enough for ordinary documents to be recognised: text is set in one of our own fonts, whatever the document asks for, at
the places that it says. What is left out: glyph transformations, embedded fonts, masks and borders of images, clips
made of text. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from seals.ofd_paint import alpha, n, paint
from seals.ofd_parts import NAMESPACE
from seals.ofd_text import numbers, places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from seals.ofd_resources import Resources

MAX_OBJECTS, MAX_CHARACTERS, MAX_COMMANDS, MAX_SVG = 20_000, 100_000, 400_000, 24 << 20
MAX_DEPTH = 16
_COMMANDS = {"M": ("M", 2), "L": ("L", 2), "Q": ("Q", 4), "B": ("C", 6), "A": ("A", 7), "C": ("Z", 0), "S": ("M", 2)}
_ADVANCES = {"0": (1, 0), "90": (0, 1), "180": (-1, 0), "270": (0, -1)}  # of ReadDirection, in degrees clockwise
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class TooMuchError(ValueError):
    """A page with more on it than is drawn here."""


@dataclass(slots=True)
class Canvas:
    """What has been drawn so far, in millimetres, and how much more may be."""

    resources: Resources
    names: str = "d"  # what the names of definitions begin with: pictures within a picture have others
    parts: list[str] = field(default_factory=list)
    size: int = 0
    objects: int = 0
    characters: int = 0
    commands: int = 0
    definitions: int = 0
    layer: str | None = None  # the drawing parameters of the layer that is being drawn

    def put(self, part: str) -> None:
        """Add a piece of SVG. Raise TooMuchError beyond the limit."""
        self.size += len(part)
        if self.size > MAX_SVG:
            raise TooMuchError("the picture would be too large")
        self.parts.append(part)

    def define(self, start: str, rest: str) -> str:
        """Add a definition, such as a gradient, and return the reference to it; `start` is its tag without the >."""
        self.definitions += 1
        name = f"{self.names}{self.definitions}"
        self.put(f'<defs>{start} id="{name}">{rest}</defs>')
        return f"url(#{name})"


def draw(canvas: Canvas, parent: _Element, depth: int = 0) -> None:
    """Draw what an element holds: layers, blocks and objects, in the order of the file. Raise TooMuchError."""
    if depth > MAX_DEPTH:
        raise TooMuchError("blocks within blocks")
    for element in parent:
        tag = element.tag.removeprefix(NAMESPACE) if isinstance(element.tag, str) else ""
        if tag == "Layer":
            canvas.layer = element.get("DrawParam")
            draw(canvas, element, depth + 1)
            canvas.layer = None
        elif tag in {"Content", "PageBlock"}:
            draw(canvas, element, depth + 1)
        elif tag in {"CompositeObject", *_DRAWN} and element.get("Visible") != "false":
            canvas.objects += 1
            if canvas.objects > MAX_OBJECTS:
                raise TooMuchError("too many objects")
            clips = _clips(canvas, element)
            canvas.put("".join(f'<g clip-path="{clip}">' for clip in clips))
            if tag in _DRAWN:
                _DRAWN[tag](canvas, element)
            else:
                _composite(canvas, element, depth)
            canvas.put("</g>" * len(clips))


def _composite(canvas: Canvas, element: _Element, depth: int) -> None:
    unit = canvas.resources.unit(element.get("ResourceID"))
    if unit is not None:
        canvas.put(f'<g transform="{_matrix(element)}"{alpha(element)}>')
        draw(canvas, unit, depth + 1)
        canvas.put("</g>")


def _clips(canvas: Canvas, element: _Element) -> list[str]:
    """Define the clips of an object: what is seen of it lies in all of them, and in some area of each."""
    clips = element.find(f"{NAMESPACE}Clips")
    if clips is None:
        return []
    own = _matrix(element) if clips.get("TransFlag") != "false" else _moved(element)
    found = []
    for clip in clips.findall(f"{NAMESPACE}Clip")[:MAX_DEPTH]:
        areas = clip.findall(f"{NAMESPACE}Area")
        outlines = [_outline(canvas, area, own) for area in areas]
        if outlines and all(outlines):  # one of text lets everything through here
            found.append(canvas.define("<clipPath", f"{''.join(outlines)}</clipPath>"))
    return found


def _outline(canvas: Canvas, area: _Element, own: str) -> str:
    path = area.find(f"{NAMESPACE}Path")
    data = None if path is None else path.find(f"{NAMESPACE}AbbreviatedData")
    if path is None or data is None:
        return ""
    commands = " ".join(_commands(canvas, (data.text or "").split()))
    rule = ' clip-rule="evenodd"' if path.get("Rule") == "Even-Odd" else ""
    return f'<path transform="{own}{_own_matrix(area)}{_matrix(path)}" d="{commands}"{rule}/>'


def _text(canvas: Canvas, element: _Element) -> None:
    size = (numbers(element.get("Size")) or [0.0])[0]
    if not 0 < size <= 1000:
        return
    style = paint(canvas, element, fill=element.get("Fill") != "false", stroke=element.get("Stroke") == "true")
    if (numbers(element.get("Weight")) or [400.0])[0] >= 600:
        style += ' font-weight="700"'
    scale = (numbers(element.get("HScale")) or [1.0])[0] or 1.0
    across, down = (size * step for step in _ADVANCES.get(element.get("ReadDirection") or "0", (1, 0)))
    angle = element.get("CharDirection")
    turned = f' rotate="{angle}"' if angle in _ADVANCES and angle != "0" else ""
    with_scale = "" if scale == 1 else f" scale({n(scale)} 1)"
    for code in element.findall(f"{NAMESPACE}TextCode"):
        written = _UNSEEN.sub(" ", code.text or "")
        canvas.characters += len(written)
        if canvas.characters > MAX_CHARACTERS:
            raise TooMuchError("too much text")
        xs, ys = (places(code, axis, len(written), step) for axis, step in (("X", across), ("Y", down)))
        if not written.strip():
            continue
        spread = code.get("DeltaX") is not None or across < size
        at = f'x="{" ".join(n(x / scale) for x in xs)}"' if spread else f'x="{n(xs[0] / scale)}"'
        spread = code.get("DeltaY") is not None or down != 0
        at += f' y="{" ".join(map(n, ys))}"{turned}' if spread else f' y="{n(ys[0])}"{turned}'
        placed = f'transform="{_matrix(element)}{with_scale}" font-size="{n(size)}" xml:space="preserve"'
        canvas.put(f"<text {placed} {at} {style}>{escape(written)}</text>")


def _path(canvas: Canvas, element: _Element) -> None:
    data = element.find(f"{NAMESPACE}AbbreviatedData")
    if data is None or not (commands := " ".join(_commands(canvas, (data.text or "").split()))):
        return
    style = paint(canvas, element, fill=element.get("Fill") == "true", stroke=element.get("Stroke") != "false")
    rule = ' fill-rule="evenodd"' if element.get("Rule") == "Even-Odd" else ""
    canvas.put(f'<path transform="{_matrix(element)}" d="{commands}" {style}{rule}/>')


def _image(canvas: Canvas, element: _Element) -> None:
    uri = canvas.resources.image(element.get("ResourceID"))
    box, placed = numbers(element.get("Boundary")), _matrix(element)
    if len(box) == 4 and element.get("CTM") is None:
        placed += f" scale({n(box[2])} {n(box[3])})"  # an image is a unit square; without a matrix it fills its box
    if uri is None:
        canvas.put(f'<path transform="{placed}" d="M0 0H1V1H0Z" fill="#ddd"/>')
        return
    more = f'width="1" height="1" preserveAspectRatio="none"{alpha(element)}'
    canvas.put(f'<image transform="{placed}" {more} href={quoteattr(uri)}/>')


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
        yield name + " ".join(map(n, values))
        place += 1 + count


def _matrix(element: _Element) -> str:
    return _moved(element) + _own_matrix(element)


def _moved(element: _Element) -> str:
    box = numbers(element.get("Boundary"))
    return f"translate({n(box[0])} {n(box[1])})" if len(box) == 4 else ""


def _own_matrix(element: _Element) -> str:
    matrix = numbers(element.get("CTM"))
    return f" matrix({' '.join(map(n, matrix))})" if len(matrix) == 6 else ""

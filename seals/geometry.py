"""Where the characters, lines and the star of a seal's picture stand, in millimetres: pure geometry, no font.

The origin is the middle of the seal, x to the right, y downwards; angles are degrees clockwise from the top. A
character is a box: the place of its middle, its width and height, and how far it is turned about its middle. Each is
turned by itself, as an engraver does it; text set along a path crowds against the ring.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Point = tuple[float, float]
_SAMPLES = 2000  # of a curve, to measure along it: the error is below a thousandth of a millimetre


@dataclass(frozen=True, slots=True)
class Box:
    """One character and the box that it fills."""

    character: str
    x: float
    y: float
    turn: float
    width: float
    height: float

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Return head left, head right, foot right, foot left."""
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        half = (self.width / 2, self.height / 2)
        around = ((-half[0], -half[1]), (half[0], -half[1]), half, (-half[0], half[1]))
        a, b, c, d = ((self.x + u * cos - v * sin, self.y + u * sin + v * cos) for u, v in around)
        return a, b, c, d


@dataclass(frozen=True, slots=True)
class Edge:
    """The line around a seal, drawn inside its size; `cut` is a square filled with ink, its characters cut out."""

    shape: str  # ellipse | square
    width: float
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole seal. `star` is the outline of the five-pointed star, `emblem` the radius left free for an emblem."""

    width: float
    height: float
    edge: Edge
    boxes: tuple[Box, ...]
    star: tuple[Point, ...] = ()
    emblem: float | None = None

    @property
    def text(self) -> str:
        """Return the characters in the order in which they were set."""
        return "".join(box.character for box in self.boxes)


def star(radius: float) -> tuple[Point, ...]:
    """Return the ten corners of a five-pointed star, one point up; inner corners lie where its edges cross."""
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(126))
    return tuple(_polar(inner if index % 2 else radius, 36 * index) for index in range(10))


def upper_arc(text: str, *, middle: float, step: float, width: float, height: float) -> list[Box]:
    """Return the boxes of a text on the upper part of a circle, from left to right, heads outwards.

    Args:
        text: its middle stands at the top.
        middle: radius on which the middles of the characters lie.
        step: degrees from one character to the next.
        width: of each character.
        height: of each character.
    """
    turns = [step * (index - (len(text) - 1) / 2) for index in range(len(text))]
    return [Box(c, *_polar(middle, turn), turn, width, height) for c, turn in zip(text, turns, strict=True)]


def lower_arc(text: str, *, middle: float, step: float, width: float, height: float) -> list[Box]:
    """Return the boxes of a text on the lower part of a circle, from left to right, heads inwards."""
    turns = [step * ((len(text) - 1) / 2 - index) for index in range(len(text))]
    return [Box(c, *_polar(middle, 180 + turn), turn, width, height) for c, turn in zip(text, turns, strict=True)]


def line(text: str, *, y: float, step: float, width: float, height: float) -> list[Box]:
    """Return the boxes of a level text whose middle is at (0, y)."""
    start = -step * (len(text) - 1) / 2
    return [Box(c, start + step * index, y, 0.0, width, height) for index, c in enumerate(text)]


def parallel_to_ellipse(a: float, b: float, inwards: float) -> Callable[[float], tuple[Point, float]]:
    """Return the curve that runs `inwards` of an ellipse: parameter in degrees -> (point, turn of the normal)."""

    def at(degrees: float) -> tuple[Point, float]:
        t = math.radians(degrees)
        nx, ny = b * math.sin(t), -a * math.cos(t)
        length = math.hypot(nx, ny)
        x, y = a * math.sin(t) - inwards * nx / length, -b * math.cos(t) - inwards * ny / length
        return (x, y), math.degrees(math.atan2(nx, -ny))

    return at


def spread(curve: Callable[[float], tuple[Point, float]], span: float, count: int) -> tuple[list[float], float]:
    """Return `count` parameters over `span` degrees of a curve, the same way apart, and how long that way is."""
    parameters = [span * (index / _SAMPLES - 0.5) for index in range(_SAMPLES + 1)]
    points = [curve(parameter)[0] for parameter in parameters]
    ways = [0.0]
    for before, after in itertools.pairwise(points):
        ways.append(ways[-1] + math.dist(before, after))
    step = ways[-1] / (count - 1)
    return [_interpolated(step * index, ways, parameters) for index in range(count)], step


def _interpolated(way: float, ways: Sequence[float], parameters: Sequence[float]) -> float:
    index = next((place for place, passed in enumerate(ways) if passed >= way - 1e-9), len(ways) - 1)
    if index == 0:
        return parameters[0]
    share = (way - ways[index - 1]) / (ways[index] - ways[index - 1])
    return parameters[index - 1] + min(share, 1.0) * (parameters[index] - parameters[index - 1])


def _polar(radius: float, degrees: float) -> Point:
    angle = math.radians(degrees)
    return radius * math.sin(angle), -radius * math.cos(angle)

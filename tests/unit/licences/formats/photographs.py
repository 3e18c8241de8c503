"""A telephone's photograph of a printed code, as a reader of codes meets it: askew, blurred, noisy, pale, compressed.

Every shot is drawn with dice of its own seed, so that the same shots come out on every machine.
"""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageFilter

BLUR = 0.9  # pixels
CONTRAST_LEFT = 0.6  # of black on white
NOISE = 0.06  # of full range
JPEG_QUALITY = 70
SKEW = 0.04  # of the width, each corner
MARGIN = 0.2  # of the width, paper around the code

Point = tuple[float, float]


def photograph(symbol: Image.Image, width: int, seed: int) -> Image.Image:
    """A shot of a symbol, its quiet zone included, that is `width` pixels wide on the sensor."""
    dice = Random(seed)
    margin = round(width * MARGIN)
    size = width + 2 * margin
    paper = symbol.convert("L").resize((4 * width, 4 * width), Image.Resampling.NEAREST)
    corners = [(margin, margin), (margin + width, margin), (margin + width, margin + width), (margin, margin + width)]
    seen = [(x + dice.uniform(-SKEW, SKEW) * width, y + dice.uniform(-SKEW, SKEW) * width) for x, y in corners]
    edge = 4 * width
    shot = _projected(paper, seen, [(0, 0), (edge, 0), (edge, edge), (0, edge)], size)
    shot = shot.filter(ImageFilter.GaussianBlur(BLUR))
    pale = 255 * (1 - CONTRAST_LEFT) / 2
    shot = shot.point(lambda value: round(pale + value * CONTRAST_LEFT))
    grain = Image.frombytes("L", (size, size), dice.randbytes(size * size))
    shot = Image.blend(shot, grain, NOISE)
    stored = io.BytesIO()
    shot.save(stored, "JPEG", quality=JPEG_QUALITY)
    return Image.open(io.BytesIO(stored.getvalue()))


def _projected(paper: Image.Image, seen: list[Point], drawn: list[Point], size: int) -> Image.Image:
    """The picture in which the corners of `paper` lie where they are `seen`; white around it."""
    rows = []
    for (x, y), (u, v) in zip(seen, drawn, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    return paper.transform(
        (size, size), Image.Transform.PERSPECTIVE, _solved(rows), Image.Resampling.BICUBIC, fillcolor=255
    )


def _solved(rows: list[list[float]]) -> list[float]:
    """Solve a system of linear equations, its right side the last column, by elimination with pivots."""
    for column in range(len(rows)):
        pivot = max(range(column, len(rows)), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(len(rows)):
            if row != column:
                factor = rows[row][column]
                rows[row] = [one - factor * other for one, other in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]

"""QR codes (二维码), ISO/IEC 18004, error correction level M: as SVG for pages and as PNG for paper."""

from __future__ import annotations

import io
import re

QUIET_ZONE = 4  # modules, ISO/IEC 18004 section 6.3.8
_MODULE = 10  # pixels of the PNG
_DARK = re.compile("1+")
_COLOURS = bytes.maketrans(b"01", b"\xff\x00")


def svg(text: str) -> str:
    """Return an `<svg>` element of the code of `text`, black on white: no XML declaration, no style attribute.

    Raises `qr_symbol.TooLongError`.
    """
    from licences.qr_symbol import symbol  # here and below: a worker that draws no code does without two MiB

    rows = symbol(text).rows
    side = len(rows) + 2 * QUIET_ZONE
    bars = [
        f"M{run.start() + QUIET_ZONE},{y}h{(width := run.end() - run.start())}v1h-{width}z"
        for y, row in enumerate(rows, start=QUIET_ZONE)
        for run in _DARK.finditer(row)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}mm" height="{side}mm" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0,0h{side}v{side}h-{side}z"/>'
        f'<path d="{"".join(bars)}"/></svg>'
    )


def png(text: str) -> bytes:
    """Return a PNG file of the code of `text`, ten pixels a module; raises `qr_symbol.TooLongError`."""
    from PIL import Image

    from licences.qr_symbol import symbol

    rows = symbol(text).rows
    side = len(rows) + 2 * QUIET_ZONE
    margin = "0" * QUIET_ZONE
    above = ["0" * side] * QUIET_ZONE
    modules = "".join([*above, *(f"{margin}{row}{margin}" for row in rows), *above])
    small = Image.frombytes("L", (side, side), modules.encode("ascii").translate(_COLOURS))
    buffer = io.BytesIO()
    small.resize((side * _MODULE, side * _MODULE), Image.Resampling.NEAREST).convert("1").save(buffer, format="PNG")
    return buffer.getvalue()

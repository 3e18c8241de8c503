"""The QR code that an authenticator app reads, as an `<svg>` element: ISO/IEC 18004, error correction level M."""

from __future__ import annotations

from markupsafe import Markup

QUIET_ZONE = 4  # modules, ISO/IEC 18004 section 6.3.8


def svg(text: str) -> Markup:
    """Return the symbol of `text`, black on white, without script, style or declaration."""
    from qrcode import QRCode  # here: a worker that enrols nobody does without it
    from qrcode.constants import ERROR_CORRECT_M

    drawn = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    drawn.add_data(text)
    rows = drawn.get_matrix()
    side = len(rows)
    bars = "".join(f"M{x},{y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return Markup(  # noqa: S704 - numbers alone
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"'
        f' aria-hidden="true" focusable="false"><path fill="#fff" d="M0,0h{side}v{side}h-{side}z"/>'
        f'<path d="{bars}"/></svg>'
    )

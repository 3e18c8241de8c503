"""The QR picture of a code of 300 bytes (ISO/IEC 18004, level M) as SVG, beside the package `qrcode` as it is shipped.

Both search all eight masks for the one of lowest penalty; `qrcode` draws its SVG as one path.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage

from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_rate import rate
from licences import qr

if TYPE_CHECKING:
    from benchmarks.bench import Bench

TEXT: Final = "".join(chr(97 + (place * 7) % 26) for place in range(300))
_GOAL: Final = "ratio_reference >= 5"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return pictures drawn in a CPU second of one thread."""
    found = alternate({"ours": lambda: rate(_ours), "reference": lambda: rate(_package)}, bench.rounds)
    return {
        "qr_svg": Figure(
            median(found["ours"]),
            "1/CPU-s",
            reference=median(found["reference"]),
            ratio_reference=ratio(found["ours"], found["reference"]),
            goal=_GOAL,
        )
    }


def _ours() -> str:
    return qr.svg(TEXT)


def _package() -> str:
    code = QRCode(error_correction=ERROR_CORRECT_M, image_factory=SvgPathImage)
    code.add_data(TEXT)
    code.make(fit=True)
    out = io.BytesIO()
    code.make_image().save(out)
    return out.getvalue().decode()

"""Write a picture of one colour as PNG (W3C PNG Third Edition, ISO/IEC 15948): six degrees of cover, 4 bits a pixel.

A picture library writes the same picture a third larger: rows of indices are best left unfiltered (clause 12.7).
"""

from __future__ import annotations

import struct
import zlib

LEVELS = 5  # degrees of cover besides none; more are not seen, and cost bytes
_QUANTISED = bytes((cover * LEVELS + 127) // 255 for cover in range(256))
_INCH = 0.0254  # metres


def one_colour(cover: bytes, width: int, ink: tuple[int, int, int], dpi: int) -> bytes:
    """Return the PNG of `cover` (a byte a pixel, 0 to 255, rows of `width`) in the colour `ink`."""
    height = len(cover) // width
    levels = cover.translate(_QUANTISED)
    rows = b"".join(b"\0" + _packed(levels[start : start + width]) for start in range(0, len(levels), width))
    metre = round(dpi / _INCH)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">2I5B", width, height, 4, 3, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">2IB", metre, metre, 1)),
            _chunk(b"PLTE", bytes(ink) * (LEVELS + 1)),
            _chunk(b"tRNS", bytes(level * 255 // LEVELS for level in range(LEVELS + 1))),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _packed(row: bytes) -> bytes:
    """Return two pixels a byte, the left one in the high half."""
    even = row + b"\0" * (len(row) % 2)
    high, low = int.from_bytes(even[::2]), int.from_bytes(even[1::2])
    return (high << 4 | low).to_bytes(len(even) // 2)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

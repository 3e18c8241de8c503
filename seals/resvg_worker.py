"""Run by `seals.ofd_picture` in a process of its own: reads SVG from standard input, writes a PNG.

`WIDTH FONT ...`: the width in pixels, and the fonts. The process limits its own memory and time before it reads
anything, and imports nothing of this house; resvg looks at no address but `data:` where it is given no folder.
"""

import io
import resource
import sys

import resvg_py
from PIL import Image

MEMORY, SECONDS, FILE = 1 << 30, 8, 1 << 20


def main() -> None:
    """Draw what comes in."""
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_FSIZE, FILE)):
        resource.setrlimit(limit, (value, value))
    width, *fonts = sys.argv[1:]
    svg = sys.stdin.buffer.read().decode()
    drawn = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=fonts, width=int(width))
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(bytes(drawn))) as picture:
        picture.convert("RGB").quantize(64).save(buffer, "PNG", optimize=True)
    sys.stdout.buffer.write(buffer.getvalue())


if __name__ == "__main__":
    main()

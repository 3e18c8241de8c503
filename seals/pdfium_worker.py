"""Run by `seals.first_page` in a process of its own: reads a PDF from standard input, writes a picture or a place.

`picture WIDTH` writes a PNG of the first page, so many pixels wide; `find TEXT PAGE` writes JSON, `{"page",
"rectangle"}` or null. The process limits its own memory and time before it reads anything, and imports nothing of this
house.
"""

import io
import json
import resource
import sys

import pypdfium2

MEMORY, SECONDS, FILE = 1 << 30, 8, 1 << 20
MAX_PAGES = 500  # that are searched
TALLEST = 4  # heights of a page to its width


def main() -> None:
    """Do what the arguments ask for."""
    for limit, value in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_FSIZE, FILE)):
        resource.setrlimit(limit, (value, value))
    document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
    if sys.argv[1] == "picture":
        sys.stdout.buffer.write(picture(document, int(sys.argv[2])))
    else:
        text, page = sys.argv[2:4]
        sys.stdout.write(json.dumps(find(document, text, range(int(page), int(page) + 1) if page else None)))


def picture(document: pypdfium2.PdfDocument, across: int) -> bytes:
    """Return the first page as a PNG."""
    document.init_forms()
    page = document[0]
    width, height = page.get_size()
    if not 0 < height <= TALLEST * width:
        raise SystemExit(1)
    drawn = page.render(scale=across / width, may_draw_forms=True).to_pil()
    buffer = io.BytesIO()
    drawn.convert("RGB").quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def find(document: pypdfium2.PdfDocument, text: str, pages: range | None) -> dict[str, object] | None:
    """Return the first place of a text: the rectangle around it, in user space."""
    for number in pages or range(min(len(document), MAX_PAGES)):
        if number >= len(document):
            return None
        content = document[number].get_textpage()
        found = content.search(text, match_case=True).get_next()
        if found is not None:
            boxes = [content.get_charbox(found[0] + offset, loose=True) for offset in range(found[1])]
            left, bottom, right, top = (
                pick(side) for pick, side in zip((min, min, max, max), zip(*boxes, strict=True), strict=True)
            )
            return {"page": number, "rectangle": [left, bottom, right, top]}
    return None


if __name__ == "__main__":
    main()

"""What the first page of a document looks like, and where a text stands in it (首页预览、关键字定位).

PDF is drawn by PDFium in a process of its own with little memory and time: it is a large library for hostile bytes,
and not safe for threads. The process reads the document from its input and has no need of anything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from seals import ofd_picture
from seals.pdf import Found, PdfError

SECONDS = 10
MAX_PICTURE = 4 << 20  # bytes
_WORKER = Path(__file__).with_name("pdfium_worker.py")


def picture(document: bytes, *, width: int = ofd_picture.WIDTH) -> bytes:
    """Return the first page of a PDF or OFD as a PNG, so many pixels wide.

    Raise PdfError or OfdError where it cannot be drawn.
    """
    if document.startswith(b"PK"):
        return ofd_picture.picture(document, width=width)
    if b"%PDF-" not in document[:1024]:
        raise PdfError("only a PDF or OFD can be drawn")
    drawn = _work(document, "picture", str(width))
    if not drawn.startswith(b"\x89PNG") or len(drawn) > MAX_PICTURE:
        raise PdfError("the first page cannot be drawn")
    return drawn


def find(document: bytes, text: str, page: int | None = None) -> Found | None:
    """Return where `text` stands first in a PDF, on `page` (from 0) or on any. Raise PdfError."""
    answer = json.loads(_work(document, "find", text, "" if page is None else str(page)))
    return None if answer is None else Found(answer["page"], tuple(answer["rectangle"]))


def _work(document: bytes, *words: str) -> bytes:
    command = [sys.executable, "-I", str(_WORKER), *words]
    try:
        done = subprocess.run(command, input=document, capture_output=True, timeout=SECONDS, check=True, env={})  # noqa: S603 (our own program)
    except (subprocess.SubprocessError, OSError) as error:
        raise PdfError(f"PDFium gave no answer: {type(error).__name__}") from None
    return done.stdout

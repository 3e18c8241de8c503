"""Open an untrusted PDF for reading (ISO 32000-2 clause 7.5): the limits that come before any meaning.

The parser is pyHanko's, strict. A file is at most 20 MB, unpacks to at most 64 MB in all, and has at most 200,000
objects in 100 revisions. Whatever a broken file makes the parser raise becomes one PdfError: of a library that reads
hostile bytes no list of exceptions is complete.
"""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader

from seals.pdf import PdfError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE = 20 << 20  # bytes
MAX_OBJECTS = 200_000
MAX_REVISIONS = 100
_STREAM = StreamDecodeLimits(max_ratio=100, ratio_floor=1 << 20, max_output_size=32 << 20)
_LIMITS = DecodeLimits(per_stream=_STREAM, document_budget=DocumentDecodeBudget(base_allowance=64 << 20, max_ratio=1))

# What it says of hostile files is in the report; in a log it would be a stranger's text.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


@contextmanager
def guarded() -> Iterator[None]:
    """Turn whatever the parser raises into a PdfError."""
    try:
        yield
    except PdfError:
        raise
    except Exception as error:  # noqa: BLE001 (see above)
        raise PdfError(f"{type(error).__name__}: {error}"[:300]) from None


def open_pdf(data: bytes) -> PdfFileReader:
    """Return a strict reader of `data`. Raise PdfError."""
    if len(data) > MAX_FILE:
        raise PdfError(f"more than {MAX_FILE} bytes")
    with guarded():
        reader = PdfFileReader(io.BytesIO(data), strict=True, decode_limits=_LIMITS)
        if reader.encrypted:
            raise PdfError("the file is encrypted")
        if reader.xrefs.total_revisions > MAX_REVISIONS:
            raise PdfError(f"more than {MAX_REVISIONS} revisions")
        if int(reader.trailer_view["/Size"]) > MAX_OBJECTS:
            raise PdfError(f"more than {MAX_OBJECTS} objects")
        if "/Pages" not in reader.root:
            raise PdfError("no pages")
    return reader

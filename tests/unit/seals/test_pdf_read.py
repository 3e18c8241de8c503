"""Files that are meant to break a reader: each is a named verdict, soon and with little memory."""

import io
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from seals.check import check_file
from seals.pdf_read import MAX_FILE, PdfError, guarded, open_pdf
from tests.unit.seals.made import NOW
from tests.unit.seals.pdfs import document

ROOT = b"<< /Type /Catalog /Pages 2 0 R %s >>"
PAGES = b"<< /Type /Pages /Kids [] /Count 0 >>"
SECONDS, MEMORY = 3.0, 200 << 20  # of computing, and bytes


def file(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, the first of which is its root. Nothing in it needs to make sense."""
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, len(data))
    return data + table + end


def with_stream_xref(facts: bytes, content: bytes) -> bytes:
    start = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /ByteRange 1 >>\nendobj\n"
    stream = b"3 0 obj\n<< /Type /XRef /Root 1 0 R %s /Length %d >>\nstream\n" % (facts, len(content))
    return start + stream + content + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(start)


def bomb() -> bytes:
    return zlib.compress(bytes(100_000_000), 9)


def looped() -> bytes:
    data = file(ROOT % b"/ByteRange 1", PAGES, trailer=b"/Prev 000000")
    return data.replace(b"/Prev 000000", b"/Prev %06d" % data.index(b"xref\n"))


def bush() -> bytes:
    """A form whose fields are ten times in their parent, nine levels deep: 10^9 ways from the root."""
    levels = [b"<< /T (a) /FT /Tx /Kids [" + b"%d 0 R " % (number + 1) * 10 + b"] >>" for number in range(3, 12)]
    return file(ROOT % b"/AcroForm << /Fields [3 0 R] >> /ByteRange 1", PAGES, *levels, b"<< /T (a) /FT /Sig >>")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "deep arrays": lambda: file(ROOT % (b"/ByteRange " + b"[" * 100_000 + b"]" * 100_000), PAGES),
    "deep dictionaries": lambda: file(ROOT % (b"/ByteRange " + b"<</A " * 50_000 + b"1" + b">>" * 50_000), PAGES),
    "a table that follows itself": looped,
    "a table with a place outside": lambda: file(ROOT % b"/ByteRange 1", PAGES, trailer=b"/Prev 99999999"),
    "a cross-reference stream that unpacks to 100 MB": lambda: with_stream_xref(
        b"/Size 9 /W [1 4 2] /Filter /FlateDecode", bomb()
    ),
    "the same, packed twice": lambda: with_stream_xref(
        b"/Size 9 /W [1 4 2] /Filter [/FlateDecode /FlateDecode]", zlib.compress(bomb(), 9)
    ),
    "a hundred million entries": lambda: with_stream_xref(b"/Size 100000000 /W [1 4 2]", bytes(70)),
    "a hundred million entries of no size": lambda: with_stream_xref(b"/Size 100000000 /W [0 0 0]", b""),
    "fields within themselves": lambda: file(
        ROOT % b"/AcroForm << /Fields [3 0 R] >> /ByteRange 1", PAGES, b"<< /T (a) /FT /Sig /Kids [3 0 R] >>"
    ),
    "fields that are a bush": bush,
    "an object that is itself": lambda: file(ROOT % b"/AcroForm 3 0 R /ByteRange 1", PAGES, b"3 0 R"),
    "brackets in brackets": lambda: file(ROOT % (b"/ByteRange (" + b"(" * 50_000 + b")" * 50_000 + b")"), PAGES),
    "a long number": lambda: file(ROOT % (b"/ByteRange " + b"9" * 1_000_000), PAGES),
    "a word that looks like a seal": lambda: file(ROOT % b"", PAGES) + b"/ByteRange",
}


@pytest.mark.parametrize("make", list(HOSTILE.values()), ids=list(HOSTILE))
def test_a_hostile_file_is_a_verdict(make: Callable[[], bytes]) -> None:
    data = make()
    begin = time.thread_time()
    report = check_file(data, anchors=[], now=NOW)
    assert time.thread_time() - begin < SECONDS
    assert not report.ok
    assert set(report.reasons) <= {"unreadable", "not_sealed"}


@pytest.mark.parametrize(
    "make", [HOSTILE["a cross-reference stream that unpacks to 100 MB"], HOSTILE["the same, packed twice"]]
)
def test_a_bomb_is_not_unpacked(make: Callable[[], bytes]) -> None:
    data = make()
    tracemalloc.start()
    check_file(data, anchors=[], now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MEMORY / 4


def encrypted() -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(document())))
    writer.encrypt("secret")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7" + bytes(MAX_FILE), "more than"),
        (encrypted(), "encrypted"),
        (file(b"<< /Type /Catalog >>"), "no pages"),
        (document()[:-30], "PdfReadError"),
        (b"", "PdfReadError"),
    ],
    ids=["too large", "encrypted", "no pages", "cut", "empty"],
)
def test_what_cannot_be_read_says_why(data: bytes, why: str) -> None:
    with pytest.raises(PdfError, match=why):
        open_pdf(data)


def test_whatever_a_parser_raises_is_one_error() -> None:
    for error in (KeyError("a"), RecursionError("b"), AssertionError("c"), MemoryError("d"), PdfError("e")):
        with pytest.raises(PdfError), guarded():
            raise error

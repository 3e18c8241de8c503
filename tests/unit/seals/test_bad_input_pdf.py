"""Attacks on sealed PDF documents, one each: docs/seals.md lists them all.

The shadow attacks are those of C. Mainka and others (NDSS 2021): what is shown later lies in the document, or under
something, before it is sealed, and a later revision brings it to light.
"""

import io
import re
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from pyhanko.pdf_utils.generic import ArrayObject, NameObject, NumberObject, StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seals import pdf_picture
from seals.check import check_file
from seals.report import SealReport
from tests.unit.seals.made import NOW
from tests.unit.seals.pdfs import Office, dictionary, document
from tests.unit.seals.test_bad_input_ofd import no_network  # noqa: F401 (a fixture)

OFFICE = Office()
Change = Callable[[IncrementalPdfFileWriter], None]
HIDDEN = b"BT /F1 12 Tf 50 700 Td (Pay 1,000,000 instead) Tj ET"


def judge(data: bytes) -> SealReport:
    return check_file(data, anchors=OFFICE.anchors, now=NOW)


def updated(data: bytes, change: Change) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def page_of(writer: IncrementalPdfFileWriter) -> object:
    return writer.find_page_for_modification(0)[0].get_object()


def cover(writer: IncrementalPdfFileWriter) -> None:
    """Before the seal: hidden text, and a picture over it."""
    page = page_of(writer)
    form = StreamObject(
        dictionary(
            **{"/Type": pdf_name("/XObject"), "/Subtype": pdf_name("/Form")},
            **{"/BBox": ArrayObject([NumberObject(n) for n in (0, 0, 600, 800)])},
        ),
        b"1 g 0 0 600 800 re f",
    )
    resources = page["/Resources"]  # type: ignore[index]
    resources["/XObject"] = dictionary(**{"/Cover": writer.add_object(form)})
    page["/Contents"] = writer.add_object(StreamObject(stream_data=HIDDEN + b" /Cover Do"))  # type: ignore[index]
    writer.update_container(page)


def uncover(writer: IncrementalPdfFileWriter) -> None:
    form = page_of(writer)["/Resources"]["/XObject"]["/Cover"]  # type: ignore[index]
    form._data, form._encoded_data = b" ", None
    writer.update_container(form)


def another_font(writer: IncrementalPdfFileWriter) -> None:
    """Letters stand for others: the words on the page read differently."""
    fonts = page_of(writer)["/Resources"]["/Font"]  # type: ignore[index]
    letters = ArrayObject([NumberObject(49), NameObject("/nine")])
    fonts["/F1"]["/Encoding"] = dictionary(**{"/Type": pdf_name("/Encoding"), "/Differences": letters})
    writer.update_container(fonts["/F1"])


def hide_page(writer: IncrementalPdfFileWriter) -> None:
    """Before the seal: a second tree of pages that nothing leads to."""
    page = page_of(writer)
    content = writer.add_object(StreamObject(stream_data=HIDDEN))
    twin = dictionary(**{"/Type": pdf_name("/Page"), "/Contents": content, "/Resources": page["/Resources"]})  # type: ignore[index]
    twin["/MediaBox"] = page["/MediaBox"]  # type: ignore[index]
    kids = ArrayObject([writer.add_object(twin)])
    writer.add_object(dictionary(**{"/Type": pdf_name("/Pages"), "/Kids": kids, "/Count": NumberObject(1)}))


def number_of(data: bytes, marker: bytes) -> tuple[int, int]:
    """Return number and place of the last object whose text holds `marker`."""
    found = [m for m in re.finditer(rb"([0-9]+) 0 obj\b(.*?)endobj", data, re.DOTALL) if marker in m[2]]
    return int(found[-1][1]), found[-1].start()


def table_alone(data: bytes, number: int, place: int) -> bytes:
    """Append a revision without any object: a table by which an object is another one, which is there already."""
    previous = int(data[data.rindex(b"startxref") + 9 :].split()[0])
    size = max(int(found) for found in re.findall(rb"/Size ([0-9]+)", data))
    root = re.findall(rb"/Root ([0-9]+ 0 R)", data)[-1]
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, place)
    trailer = b"trailer\n<< /Size %d /Root %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, previous, len(data))
    return data + table + trailer


def test_what_is_prepared_holds_before_the_attack() -> None:
    """A verifier cannot know yet: each of these is an ordinary document, sealed by somebody who looked at it."""
    for prepare in (cover, hide_page):
        assert judge(OFFICE.seal(updated(document(), prepare))).ok


def refused(data: bytes) -> None:
    report = judge(data)
    assert (report.ok, report.reasons) == (False, ("document_altered", "not_covered"))
    assert report.signatures[0].not_covered


def test_shadow_attack_hide() -> None:
    """The cover goes away, and what was under it is seen."""
    sealed = OFFICE.seal(updated(document(), cover))
    refused(updated(sealed, uncover))


def test_shadow_attack_replace() -> None:
    """No content changes, only what its letters look like."""
    refused(updated(OFFICE.seal(document()), another_font))


def test_shadow_attack_hide_and_replace_by_the_catalogue() -> None:
    sealed = OFFICE.seal(updated(document(), hide_page))
    hidden, _ = number_of(sealed, b"/Type /Pages")

    def lead(writer: IncrementalPdfFileWriter) -> None:
        from pyhanko.pdf_utils.generic import IndirectObject

        writer.root["/Pages"] = IndirectObject(hidden, 0, writer)
        writer.update_root()

    refused(updated(sealed, lead))


def test_shadow_attack_hide_and_replace_by_a_table_alone() -> None:
    """No object is new: the content of the page is said to stand where the hidden one stands."""
    sealed = OFFICE.seal(updated(document(), hide_page))
    content = re.findall(rb"/Contents ([0-9]+) 0 R", sealed)[0]
    _, place = number_of(sealed, HIDDEN[:20])
    moved = sealed[place : place + 20].split()[0]
    assert moved != content
    report = judge(table_alone(sealed, int(content), place))
    assert not report.ok
    assert set(report.reasons) <= {"document_altered", "not_covered", "unreadable"}


@pytest.mark.parametrize("value", [b"null", b"<>", b"<00>", b"()", b"[]", b"(3082)"], ids=repr)
def test_universal_forgery_by_an_empty_value(value: bytes) -> None:
    """A signature without a value, or with one that is none, is a signature that does not hold."""
    sealed = OFFICE.seal(document())
    start, end = (int(n) for n in re.findall(rb"/ByteRange \[0 ([0-9]+) ([0-9]+) [0-9]+\]", sealed)[0])
    report = judge(sealed[:start] + value.ljust(end - start) + sealed[end:])
    assert not report.ok
    assert set(report.reasons) <= {"unreadable", "not_sealed", "signature_invalid"}


@pytest.mark.parametrize("entry", [b"/Contents", b"/ByteRange", b"/SubFilter", b"/V"])
def test_universal_forgery_without_an_entry(entry: bytes) -> None:
    sealed = OFFICE.seal(document())
    at = sealed.rindex(entry)
    report = judge(sealed[:at] + entry[:-1] + b"X" + sealed[at + len(entry) :])
    assert not report.ok


def test_a_seal_wrapped_in_another_file() -> None:
    """Signature wrapping: the sealed bytes are all there, and the file's root is another one."""
    sealed = OFFICE.seal(document())
    other = document(pages=2)
    for data in (sealed + other, other + sealed, sealed + other[other.index(b"\n") + 1 :]):
        assert not judge(data).ok


def test_a_giant_picture_in_a_seal_is_not_unpacked() -> None:
    """40,000 by 40,000 pixels, packed into little: what is said to be that large is not unpacked, and not shown."""
    facts = {"/Subtype": pdf_name("/Image"), "/ColorSpace": pdf_name("/DeviceGray")}
    facts |= {name: NumberObject(40_000) for name in ("/Width", "/Height")}
    image = StreamObject(
        dictionary(**facts, **{"/BitsPerComponent": NumberObject(8), "/Filter": pdf_name("/FlateDecode")}),
        encoded_data=zlib.compress(bytes(20_000_000), 9),
    )
    resources = dictionary(**{"/XObject": dictionary(**{"/Image": image})})
    field = dictionary(
        **{"/Rect": ArrayObject([NumberObject(n) for n in (0, 0, 100, 100)])},
        **{"/AP": dictionary(**{"/N": dictionary(**{"/Resources": resources})})},
    )
    started = time.thread_time()
    tracemalloc.start()
    assert pdf_picture.read(field) is None
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert time.thread_time() - started < 1


def test_a_file_cut_anywhere_does_not_hold() -> None:
    data = OFFICE.seal(document())
    for size in range(0, len(data), max(1, len(data) // 120)):
        assert not judge(data[:size]).ok


def test_nothing_is_fetched_whatever_a_file_names(no_network: list[object]) -> None:  # noqa: F811 (the fixture)
    def open_address(writer: IncrementalPdfFileWriter) -> None:
        where = dictionary(**{"/S": pdf_name("/URI"), "/URI": pdf_name("/http:--203.0.113.1-")})
        writer.root["/OpenAction"] = where
        writer.update_root()

    def file_elsewhere(writer: IncrementalPdfFileWriter) -> None:
        page = page_of(writer)
        away = dictionary(**{"/F": pdf_name("/http:--203.0.113.1-a"), "/Length": NumberObject(0)})
        page["/Contents"] = writer.add_object(StreamObject(away, b""))  # type: ignore[index]
        writer.update_container(page)

    for change in (open_address, file_elsewhere):
        judge(OFFICE.seal(updated(document(), change)))
        assert not judge(updated(OFFICE.seal(document()), change)).ok
    assert judge(OFFICE.seal(document())).ok
    assert no_network == []

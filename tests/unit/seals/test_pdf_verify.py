"""Verdicts on PDF: good ones, altered ones, and the attacks on PDF signatures that were published.

The attacks: signature wrapping and incremental saving (Mladenov et al., "1 Trillion Dollar Refund", 2019), shadow
documents ("Shadow Attacks", 2021), evil annotations and sneaky signatures ("Processing Dangerous Paths", 2021).
"""

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from asn1crypto import keys as asn1_keys
from asn1crypto import pem, x509
from pyhanko.pdf_utils.generic import ArrayObject, NumberObject, StreamObject, pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys.sm2 import sm3
from keys.verdict import Result
from seals.check import check_file
from seals.report import Format, SealReport
from tests.unit.seals.made import NOW, SIGNED_AT, YEAR, City
from tests.unit.seals.pdfs import Office, dictionary, document, seal_sm2


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


@pytest.fixture(scope="module")
def sealed(office: Office) -> bytes:
    return office.seal(document(pages=2))


@pytest.fixture
def judge(office: Office, city: City) -> Callable[[bytes], SealReport]:
    return lambda data: check_file(data, anchors=[*office.anchors, *city.anchors], now=NOW)


def results(report: SealReport, number: int = 0) -> dict[str, str]:
    return {check.name: str(check.result) for check in report.signatures[number].checks}


def updated(data: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """Return the file with an incremental update."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


# -- what the checks say -----------------------------------------------------------------------------------------------


def test_every_step_has_its_name(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(sealed)
    assert (report.ok, report.format, report.reasons) == (True, Format.PDF, ())
    assert results(report) == {
        "format": "ok", "signature": "ok", "signer_certificate": "ok", "integrity": "ok", "coverage": "ok",
        "revocation": "not_checked",
    }  # fmt: skip


@pytest.mark.parametrize("kind", list(SigSeedSubFilter)[:2], ids=str)
def test_what_pyhanko_signs_holds_until_it_is_changed(office: Office, kind: SigSeedSubFilter) -> None:
    """A file of another maker: PAdES, and the older PKCS #7 form that most files in circulation have."""
    _, _, private = pem.unarmor(office.department.private.encode())
    signer = SimpleSigner(
        signing_cert=x509.Certificate.load(office.department.certificate.der),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),
    )
    facts = PdfSignatureMetadata(field_name="Theirs", md_algorithm="sha256", subfilter=kind)
    # It runs an event loop, and beside a browser test this thread may have one; the certificate is good at NOW.
    with time_machine.travel(NOW), ThreadPoolExecutor(1) as apart:
        writer = IncrementalPdfFileWriter(io.BytesIO(document()))
        made = apart.submit(PdfSigner(facts, signer=signer).sign_pdf, writer).result().getvalue()
    now = NOW + timedelta(hours=1)
    report = check_file(made, anchors=office.anchors, now=now)
    assert (report.ok, report.reasons) == (True, ()), results(report)
    changed = check_file(made.replace(b"Page 1", b"Page 2"), anchors=office.anchors, now=now)
    assert (changed.ok, changed.reasons) == (False, ("document_altered",))


def test_an_unsealed_pdf_says_so(judge: Callable[[bytes], SealReport]) -> None:
    report = judge(document())
    assert (report.ok, report.format, report.reasons) == (False, Format.PDF, ("not_sealed",))


def test_an_unknown_root_is_its_own_answer(sealed: bytes) -> None:
    report = check_file(sealed, anchors=[], now=NOW)
    assert (report.ok, report.reasons) == (False, ("certificate_untrusted",))
    assert results(report)["signer_certificate"] == "not_checked"


def test_a_changed_byte_is_named_by_its_range(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(sealed.replace(b"Page 2 of", b"Page 3 of"))
    assert report.reasons == ("document_altered",)
    assert results(report)["signature"] == "ok"
    assert re.fullmatch(r"bytes 0-[0-9]+", report.signatures[0].altered[0])


def test_a_certificate_that_expired_is_judged_at_signing(office: Office) -> None:
    short = office.party("演示市行政审批服务局", serial=7, issuer=office.root, not_after=SIGNED_AT + timedelta(days=1))
    good = check_file(office.seal(document(), signer=short), anchors=office.anchors, now=NOW)
    assert (good.ok, results(good)["signer_certificate"]) == (True, "notice")
    late = office.seal(document(), signer=short, signed_at=SIGNED_AT + timedelta(days=2))
    report = check_file(late, anchors=office.anchors, now=NOW)
    assert (report.ok, report.reasons) == (False, ("certificate_expired_at_signing",))


def test_a_time_ahead_of_the_clock_fails(office: Office) -> None:
    report = check_file(office.seal(document(), signed_at=NOW + YEAR / 2), anchors=office.anchors, now=NOW)
    assert (report.ok, results(report)["timestamp"]) == (False, "fail")


def test_a_stranger_s_certificate_does_not_pass_for_the_signer_s(office: Office, sealed: bytes) -> None:
    """A signature in which the certificate was exchanged: its hash is signed (RFC 5035)."""
    other = Office()
    forged = other.seal(document())
    report = check_file(forged, anchors=office.anchors, now=NOW)
    assert not report.ok
    assert results(report)["signer_certificate"] in {"fail", "not_checked"}


# -- SM2 seals ---------------------------------------------------------------------------------------------------------


def test_an_sm2_seal_has_all_steps(city: City, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(seal_sm2(city, document()))
    assert report.ok
    assert list(results(report)) == [
        "format", "seal_signature", "seal_maker", "seal_period", "signature", "signer_in_list", "signer_certificate",
        "integrity", "coverage", "revocation",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"signed_at": SIGNED_AT + 2 * YEAR}, "seal_period"),
        ({"sign": lambda _data: b"\x30\x06\x02\x01\x01\x02\x01\x01"}, "signature"),
    ],
    ids=["after its period", "another value"],
)
def test_an_sm2_seal_that_does_not_hold(city: City, changes: dict[str, object], failed: str) -> None:
    report = check_file(seal_sm2(city, document(), **changes), anchors=city.anchors, now=SIGNED_AT + 3 * YEAR)  # type: ignore[arg-type]
    assert (report.ok, results(report)[failed]) == (False, "fail")


def test_an_sm2_signer_whom_the_seal_does_not_name(city: City, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(seal_sm2(city, document(), signer=city.stranger))
    assert (report.ok, results(report)["signer_in_list"]) == (False, "fail")


def test_a_seal_pasted_into_another_document(city: City, judge: Callable[[bytes], SealReport]) -> None:
    """The value of a seal that holds, in a document of the same length that it was not made for."""
    taken, other = seal_sm2(city, document()), seal_sm2(city, document())
    (start, end), (_start, _end) = gap_of(taken), gap_of(other)
    assert (start, end) == (_start, _end)
    report = judge(other[:start] + taken[start:end] + other[end:])
    assert (report.ok, report.reasons) == (False, ("document_altered",))


def test_pades_and_sm2_stand_side_by_side(office: Office, city: City, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(office.seal(seal_sm2(city, document())))
    assert report.ok
    assert [signature.plain for signature in report.signatures] == [False, True]


# -- attacks -----------------------------------------------------------------------------------------------------------


def gap_of(data: bytes) -> tuple[int, int]:
    found = re.findall(rb"/ByteRange \[0 ([0-9]+) ([0-9]+) [0-9]+\]", data)[-1]
    return int(found[0]), int(found[1])


def replace_page_text(writer: IncrementalPdfFileWriter) -> None:
    page = writer.find_page_for_modification(0)[0].get_object()
    page["/Contents"] = writer.add_object(StreamObject(stream_data=b"BT /F1 12 Tf 50 700 Td (Something else) Tj ET"))
    writer.update_container(page)


def add_annotation(writer: IncrementalPdfFileWriter) -> None:
    form = StreamObject(
        dictionary(**{"/Subtype": pdf_name("/Form"), "/BBox": numbers(0, 0, 600, 800)}), b"1 g 0 0 600 800 re f"
    )
    page = writer.find_page_for_modification(0)[0].get_object()
    note = dictionary(
        **{"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/Stamp"), "/Rect": numbers(0, 0, 600, 800)},
        **{"/AP": dictionary(**{"/N": writer.add_object(form)})},
    )
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])


def add_field(writer: IncrementalPdfFileWriter, *, rectangle: tuple[int, ...] = (0, 0, 600, 800), signed: bool) -> None:
    """An empty signature field, or a false document time stamp, whose appearance hides the page."""
    form = StreamObject(
        dictionary(**{"/Subtype": pdf_name("/Form"), "/BBox": numbers(*rectangle)}), b"1 g 0 0 600 800 re f"
    )
    page, _ = writer.find_page_for_modification(0)
    field = dictionary(
        **{"/FT": pdf_name("/Sig"), "/T": pdf_string("Cover"), "/Type": pdf_name("/Annot"), "/F": NumberObject(132)},
        **{"/Subtype": pdf_name("/Widget"), "/Rect": numbers(*rectangle), "/P": page},
        **{"/AP": dictionary(**{"/N": writer.add_object(form)})},
    )
    if signed:
        false = dictionary(**{"/Type": pdf_name("/DocTimeStamp"), "/Filter": pdf_name("/Adobe.PPKLite")})
        field["/V"] = writer.add_object(false)
    reference = writer.add_object(field)
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(reference)
    writer.update_container(fields)
    writer.register_annotation(page, reference)


def numbers(*values: int) -> ArrayObject:
    return ArrayObject([NumberObject(value) for value in values])


def drop_seal(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]
    form["/Fields"] = ArrayObject([])
    writer.update_container(form)


LATER_CHANGES = {
    "page replaced": replace_page_text,
    "annotation over the page": add_annotation,
    "empty seal field over the page": lambda writer: add_field(writer, signed=False),
    "false time stamp over the page": lambda writer: add_field(writer, signed=True),
}


@pytest.mark.parametrize("change", list(LATER_CHANGES.values()), ids=list(LATER_CHANGES))
def test_a_later_revision_that_changes_what_is_seen(
    sealed: bytes, judge: Callable[[bytes], SealReport], change: Callable[[IncrementalPdfFileWriter], None]
) -> None:
    report = judge(updated(sealed, change))
    assert (report.ok, report.reasons) == (False, ("document_altered", "not_covered"))
    assert results(report) | {"integrity": "fail", "coverage": "fail"} == results(report)
    (named,) = report.signatures[0].not_covered
    assert named.startswith(f"bytes {len(sealed)}-")


def test_a_later_revision_under_a_further_seal_is_no_better(
    office: Office, sealed: bytes, judge: Callable[[bytes], SealReport]
) -> None:
    report = judge(office.seal(updated(sealed, replace_page_text)))
    assert not report.ok
    assert [results(report, n)["integrity"] for n in (0, 1)] == ["fail", "ok"]


def test_a_form_field_filled_in_later(office: Office, judge: Callable[[bytes], SealReport]) -> None:
    def add(writer: IncrementalPdfFileWriter, value: str) -> None:
        page, _ = writer.find_page_for_modification(0)
        field = dictionary(**{"/FT": pdf_name("/Tx"), "/T": pdf_string("Sum"), "/V": pdf_string(value), "/P": page})
        field |= dictionary(**{"/Subtype": pdf_name("/Widget"), "/Rect": numbers(50, 50, 90, 60)})
        reference = writer.add_object(field)
        writer.root["/AcroForm"] = writer.add_object(dictionary(**{"/Fields": ArrayObject([reference])}))
        writer.update_root()
        writer.register_annotation(page, reference)

    def fill(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/V"] = pdf_string("1,000,000")
        writer.update_container(field)

    before = office.seal(updated(document(), lambda writer: add(writer, "1")))
    assert judge(before).ok
    report = judge(updated(before, fill))
    assert (report.ok, report.reasons) == (False, ("document_altered", "not_covered"))


def test_a_seal_that_was_taken_off_is_no_seal(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    assert judge(updated(sealed, drop_seal)).reasons == ("not_sealed",)


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"%comment\n%%EOF\n", b"startxref\n0\n%%EOF\n"], ids=repr)
def test_bytes_behind_the_last_revision(sealed: bytes, judge: Callable[[bytes], SealReport], tail: bytes) -> None:
    report = judge(sealed + tail)
    assert not report.ok
    assert set(report.reasons) <= {"document_altered", "not_covered", "unreadable"}


def test_a_byte_range_that_leaves_out_more(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    """Signature wrapping: the gap is widened, and what lies in it is nobody's."""
    start, end = gap_of(sealed)
    old = re.findall(rb"/ByteRange (\[[^]]*\]) *", sealed)[0]
    new = b"[0 %d %d %d]" % (start - 40, end, len(sealed) - end)
    report = judge(sealed.replace(old, new.ljust(len(old))))
    assert not report.ok
    assert report.signatures[0].checks[0].result is Result.FAIL


@pytest.mark.parametrize(
    "numbers",
    [
        b"[0 9 9 9]",
        b"[1 %d %d %d]",
        b"[0 %d %d]",
        b"[0 -1 5 5]",
        b"[0 %d %d 99999999]",
        b"[0 /a 1 1]",
        b"[0 %d %d 1 1 1]",
    ],
    ids=repr,
)
def test_a_byte_range_without_sense(sealed: bytes, judge: Callable[[bytes], SealReport], numbers: bytes) -> None:
    start, end = gap_of(sealed)
    facts = (start, end, len(sealed) - end)[: numbers.count(b"%d")]
    found = re.search(rb"/ByteRange \[[^]]*\] *", sealed)
    assert found is not None
    report = judge(sealed.replace(found[0], (b"/ByteRange " + numbers % facts).ljust(len(found[0]))))
    assert not report.ok
    assert set(report.reasons) <= {"unreadable", "document_altered", "not_covered", "signature_invalid"}


def test_zeros_that_fill_the_room_are_zeros(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    _, end = gap_of(sealed)
    assert sealed[end - 11 : end - 1] == b"0" * 10
    assert judge(sealed[: end - 3] + b"01" + sealed[end - 1 :]).reasons == ("unreadable",)


def test_digits_of_mixed_case(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    """The same value written in another way is another file: nobody's software writes so."""
    start, _ = gap_of(sealed)
    at = next(n for n in range(start + 1, start + 200) if sealed[n : n + 1] in b"ABCDEF")
    assert judge(sealed[:at] + sealed[at : at + 1].lower() + sealed[at + 1 :]).reasons == ("unreadable",)


def test_a_file_that_was_cut(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    for size in (10, 500, len(sealed) // 2, len(sealed) - 1):
        assert not judge(sealed[:size]).ok


def test_weak_forms_are_not_believed(sealed: bytes, judge: Callable[[bytes], SealReport]) -> None:
    report = judge(sealed.replace(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 "))
    assert report.reasons == ("format_unknown",)


def test_digest_of_what_is_covered(city: City) -> None:
    from seals import pdf_seals
    from seals.decoding import read_signature

    data = seal_sm2(city, document())
    (seal,) = pdf_seals.find(data).seals
    assert read_signature(seal.value).data_hash == sm3(seal.covered(data))

"""Annotated copies: new documents that say what they are for, hold until their time, and never longer."""

import io
import itertools
import subprocess
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko_certvalidator import ValidationContext

from idservice.call import Call
from idservice.errors import Problem
from keys.certificates import to_pem
from licences import asker, sealed, verify
from licences.copies import Form
from licences.scan import Scan
from licences.sharing import annotated
from licences.sharing.annotated import Annotated, CopyForm
from seals import first_page, ofd_picture
from tests.town import ALICE, BOB, COMPANY, SECURITY, Town, now
from tests.unit.licences.copying import ASKER, content, judged, root_certificate
from tests.unit.seals.pdfs import judged_by_pyhanko

PURPOSE, UNIT = "办理不动产转移登记", "示范市自然资源局 3号窗口"
Copies = dict[CopyForm, Annotated]
FORMS = [CopyForm.PDF, CopyForm.OFD]


def make(town: Town, code: str, form: CopyForm = CopyForm.PDF, **changes: Any) -> Annotated:
    def deed(call: Call) -> Annotated:
        wanted = {"purpose": PURPOSE, "asked_by": UNIT, "expires_at": call.now + timedelta(days=1)} | changes
        return annotated.make(call, town.row(code), form=form, **wanted)

    return town.act(deed)


def judged_at(town: Town, data: bytes, at: datetime) -> verify.Report:
    return town.act(lambda call: verify.verify(call, Scan(document=data), ASKER), now=at)


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("driving_licence").identifier


@pytest.fixture(scope="module")
def copies(town: Town, card: str) -> Copies:
    return {form: make(town, card, form) for form in CopyForm}


# --- what they are ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_copy_holds_and_says_what_it_is_for(town: Town, card: str, copies: Copies, form: CopyForm) -> None:
    (report,) = judged(town, copies[form].content)
    assert (report.ok, report.state, report.reasons) == (True, "valid", [])
    assert report.annotation is not None
    assert (report.annotation["purpose"], report.annotation["asked_by"]) == (PURPOSE, UNIT)
    assert report.licences[0]["identifier"] == card


@pytest.mark.parametrize("form", FORMS)
def test_after_its_time_a_copy_holds_no_longer(town: Town, copies: Copies, form: CopyForm) -> None:
    copy = copies[form]
    last = judged_at(town, copy.content, copy.note.expires_at - timedelta(seconds=1))
    over = judged_at(town, copy.content, copy.note.expires_at)
    assert last.ok
    assert (over.ok, over.state, over.reasons) == (False, "expired", ["expired"])
    assert over.annotation is not None
    assert over.licences[0]["state"] == "valid", "the licence itself goes on"


def test_the_licences_own_documents_are_no_copies_for_a_use(town: Town, card: str) -> None:
    reports = judged(town, content(town, card, Form.PDF), content(town, card, Form.OFD))
    assert all(report.ok and report.annotation is None for report in reports)


@pytest.mark.parametrize("form", FORMS)
def test_a_copy_made_longer_by_hand_is_still_what_it_was(town: Town, copies: Copies, form: CopyForm) -> None:
    """Packed anew or added to, the seal holds; so does the time that the seal covers."""
    copy = copies[form]
    changed = _added_to(copy.content) if form is CopyForm.PDF else _packed_anew(copy.content)
    over = judged_at(town, changed, copy.note.expires_at + timedelta(days=1))
    assert not over.ok
    assert "expired" in over.reasons or not over.document["ok"]
    assert town.act(lambda call: annotated.find(call, changed)).exact is False


def test_what_happens_to_the_licence_happens_to_its_copies(town: Town) -> None:
    code = town.issue("driving_licence", BOB).identifier
    copy = make(town, code, CopyForm.OFD)
    assert town.change(code, "suspend", reason="核查").status_code == 201
    (report,) = judged(town, copy.content)
    assert (report.ok, report.reasons) == (False, ["suspended"])
    with pytest.raises(Problem, match="licence_not_in_force"):
        make(town, code)


def test_the_public_learns_the_use_and_no_face(town: Town, copies: Copies) -> None:
    (report,) = judged(town, copies[CopyForm.PDF].content, asker=asker.ANYBODY)
    assert report.ok
    assert report.licences[0]["fields"] == {}
    assert report.annotation is not None


# --- what others say ----------------------------------------------------------------------------------------------


def test_pdfsig_and_pyhanko_accept_the_pdf(town: Town, copies: Copies, pdfsig: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.pdf"
    file.write_bytes(copies[CopyForm.PDF].content)
    told = subprocess.run([pdfsig, str(file)], capture_output=True, text=True, check=False, timeout=60).stdout
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    (tmp_path / "root.pem").write_text(to_pem(root_certificate(town)))
    roots = [load_cert_from_pemder(str(tmp_path / "root.pem"))]
    (signature,) = PdfFileReader(io.BytesIO(file.read_bytes()), strict=True).embedded_signatures
    status = judged_by_pyhanko(signature, ValidationContext(trust_roots=roots, allow_fetching=False))
    assert (status.intact, status.valid, status.trusted, status.coverage.name) == (True, True, True, "ENTIRE_FILE")


def test_the_text_of_the_pdf_says_that_it_is_a_copy_and_for_what(copies: Copies, tmp_path: Path) -> None:
    page = pypdfium2.PdfDocument(copies[CopyForm.PDF].content)[0]
    text = "".join(page.get_textpage().get_text_range().split())
    copy = copies[CopyForm.PDF]
    for said in ("电子证照加注件·非证照原件", UNIT.replace(" ", ""), PURPOSE, copy.note.number, "有效期至"):
        assert said in text


def test_the_ofd_states_the_annotation_where_the_standard_has_it(copies: Copies) -> None:
    copy = copies[CopyForm.OFD]
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        root, marks = (archive.read(name).decode() for name in ("OFD.xml", "Doc_0/Annots/Page_0.xml"))
        covered = archive.read("Doc_0/Signs/Sign_0/Signature.xml").decode()
    for name, value in copy.note.entries().items():
        assert f'Name="{name}">{value}<' in root
    assert 'Type="Watermark"' in marks
    assert "/Doc_0/Annots/Page_0.xml" in covered
    assert "/OFD.xml" in covered


@pytest.mark.parametrize("form", [CopyForm.PDF, CopyForm.OFD])
def test_the_watermark_is_in_the_pixels_everywhere(town: Town, card: str, copies: Copies, form: CopyForm) -> None:
    """Every sixth of the face differs from the licence's own document, and its code is still read."""
    own = content(town, card, Form.PDF if form is CopyForm.PDF else Form.OFD)
    plain, marked = (
        Image.open(io.BytesIO(first_page.picture(data))).convert("L") for data in (own, copies[form].content)
    )
    assert marked.width == plain.width
    assert marked.height > plain.height, "the strip below"
    changed = ImageChops.difference(plain, marked.crop((0, 0, *plain.size))).point(lambda value: 255 * (value > 12))
    half, third = plain.width // 2, plain.height // 3
    for left, top in itertools.product((0, half), (0, third, 2 * third)):
        assert changed.crop((left, top, left + half, top + third)).getbbox() is not None
    assert any(code.text for code in zxingcpp.read_barcodes(marked))


def test_the_picture_is_the_documents_and_known_by_its_digest(town: Town, card: str, copies: Copies) -> None:
    copy = copies[CopyForm.PNG]
    with Image.open(io.BytesIO(copy.content)) as picture:
        assert picture.width in {900, 901}, "PDFium rounds up"
    known = town.act(lambda call: annotated.find(call, copy.content))
    assert (known.identifier, known.exact, known.note.purpose) == (card, True, PURPOSE)
    assert town.act(lambda call: annotated.find(call, copy.content + b"\0")) is None


@pytest.mark.parametrize(
    ("slug", "number"),
    [
        ("resident_card", ALICE),
        ("marriage_certificate", ALICE),
        ("real_estate_title", ALICE),
        ("business_licence", COMPANY),
    ],
)
def test_every_kind_of_face_takes_the_longest_purpose(town: Town, slug: str, number: str) -> None:
    code = town.issue(slug, number).identifier
    copy = make(town, code, CopyForm.OFD, purpose="办" * 200, asked_by="示" * 100)
    (report,) = judged(town, copy.content)
    assert report.ok
    assert ofd_picture.picture(copy.content)


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": ""},
        {"purpose": " "},
        {"purpose": "办" * 201},
        {"purpose": "一\n二"},
        {"purpose": "一\u202e二"},
        {"asked_by": ""},
        {"asked_by": "示" * 101},
    ],
)
def test_what_cannot_stand_on_a_copy_is_refused(town: Town, card: str, changes: dict[str, str]) -> None:
    with pytest.raises(Problem, match="invalid"):
        make(town, card, **changes)


@pytest.mark.parametrize("away", [timedelta(), timedelta(days=-1), annotated.MAX_LIFE + timedelta(seconds=60)])
def test_a_copy_holds_from_now_for_a_year_at_most(town: Town, card: str, away: timedelta) -> None:
    with pytest.raises(Problem, match="invalid"):
        make(town, card, expires_at=now() + away)


def test_a_character_that_cannot_be_printed_is_refused(town: Town, card: str) -> None:
    with pytest.raises(Problem, match="glyph_missing"):
        make(town, card, purpose="办事😀")


def test_a_copy_does_not_outlive_its_licence(town: Town) -> None:
    ends = now().date() + timedelta(days=2)
    code = town.issue("real_estate_title", BOB, valid_until=ends).identifier
    copy = make(town, code, CopyForm.OFD, expires_at=now() + timedelta(days=30))
    assert copy.note.expires_at <= now() + timedelta(days=4)


def test_every_seal_on_a_copy_is_counted(town: Town, card: str) -> None:
    seal = town.seals[SECURITY]
    before = town.act(lambda call: sealed.tally(call, seal).done)
    make(town, card, CopyForm.PNG)
    assert town.act(lambda call: sealed.tally(call, seal).done) == before + 1


@pytest.mark.soak
@pytest.mark.parametrize("form", FORMS)
def test_no_mutant_holds_after_the_time(town: Town, copies: Copies, form: CopyForm) -> None:
    """Whatever is changed in an old copy, it is never again one that holds: 100,000 mutants of each form."""
    copy, random = copies[form], Random(36905)
    over = copy.note.expires_at + timedelta(seconds=1)
    for _ in range(100_000):
        data = bytearray(copy.content)
        for _ in range(random.randint(1, 3)):
            place = random.randrange(len(data))
            match random.randrange(3):
                case 0:
                    data[place] ^= 1 << random.randrange(8)
                case 1:
                    del data[place : place + random.randint(1, 40)]
                case 2:
                    data[place:place] = random.randbytes(random.randint(1, 20))
        assert not judged_at(town, bytes(data), over).ok


def _packed_anew(ofd: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ofd)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return out.getvalue()


def _added_to(pdf: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()

"""Documents that name a licence under a seal: whose seal it has to be, and what it has to cover."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from idservice.call import Call
from licences import artefacts, change, copy_forms, verify
from licences.formats import face_ofd, face_pdf
from licences.sharing import annotated
from licences.sharing.annotated import CopyForm
from seals.stamp_document import stamp_ofd, stamp_pdf
from tests.town import CIVIL, SECURITY, Town
from tests.unit.licences.copying import judged

FORGED = "张伪造"
FORMS = pytest.mark.parametrize("form", [CopyForm.PDF, CopyForm.OFD])


def face_by(town: Town, code: str, department: str, form: CopyForm, number: str = "", *, named: bool = True) -> bytes:
    """Return the face of a licence with another's name on it, under a department's seal and naming the licence."""

    def deed(call: Call) -> bytes:
        licence = change.find(call, code)
        metadata = artefacts.open_record(call, licence).metadata
        page = copy_forms.face(call, licence, replace(metadata, holders=(replace(metadata.holders[0], name=FORGED),)))
        seal = town.seals[department]
        if form is CopyForm.PDF:
            keywords = tuple(word for word in (code, number) if word and named)
            document = face_pdf.write(page, author="", keywords=keywords, made_at=call.now)
            return stamp_pdf(call, seal_id=seal, document=document, centre=page.centre)
        entries = {"certificateIdentifier": code} | ({"certificateCopyNumber": number} if number else {})
        document = face_ofd.write(page, entries, made_at=call.now)
        return stamp_ofd(call, seal_id=seal, document=document, centre=page.centre)

    return town.act(deed)


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("driving_licence").identifier


def assert_foreign(report: verify.Report) -> None:
    assert report.document is not None
    assert report.document["ok"], "the seal itself holds"
    assert (report.ok, report.reasons, report.licences) == (False, ["seal_invalid"], [])
    assert (report.state, report.annotation) == (None, None)


@FORMS
def test_a_face_that_another_body_sealed_is_not_the_licence(town: Town, card: str, form: CopyForm) -> None:
    assert_foreign(judged(town, face_by(town, card, CIVIL, form))[0])
    (own,) = judged(town, face_by(town, card, SECURITY, form))
    assert (own.ok, own.licences[0]["identifier"], own.licences[0]["fields"]) == (True, card, {})


@FORMS
def test_a_face_that_another_body_sealed_is_no_annotated_copy(town: Town, card: str, form: CopyForm) -> None:
    def make(call: Call) -> str:
        over = call.now + timedelta(days=1)
        licence = change.find(call, card)
        return annotated.make(call, licence, form=form, purpose="办事", asked_by="窗口", expires_at=over).note.number

    assert_foreign(judged(town, face_by(town, card, CIVIL, form, town.act(make)))[0])


def test_what_was_written_into_a_sealed_pdf_later_is_not_the_departments_word(town: Town, card: str) -> None:
    """Metadata may be added under a seal that holds; they name a licence by nobody's authority."""
    sealed = face_by(town, card, SECURITY, CopyForm.PDF, named=False)
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    metadata = writer.root["/Metadata"]
    said = f"<pdf:Keywords>{card}</pdf:Keywords></rdf:Description>".encode()
    metadata._data = metadata.data.replace(b"</rdf:Description>", said, 1)
    metadata._encoded_data = None
    writer.update_container(metadata)
    out = io.BytesIO()
    writer.write(out)
    assert card.encode() in out.getvalue()[len(sealed) :]
    assert_foreign(judged(town, out.getvalue())[0])

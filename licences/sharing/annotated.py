"""Annotated copies (加注件): a licence's face made anew for one use, with who asked, why and until when over it.

GB/T 36901-2018 tells them from the licence's own document (电子证照原件). The copy is a new document and says so: it
is drawn from the sealed record, bears the watermark and a strip that states its use, and the issuing department's seal
is put on exactly that. The original's seal is not touched. Every copy is on record under the number it bears, so that
whoever brings one, even packed anew, is told what it was made for and whether that time is over.

Other rooms, such as a terminal that prints a sealed copy, call `make`; they ask beforehand whether the licence may be
given out, and they put the look on its holder's record.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from idservice import audit
from idservice.errors import FieldProblem, Problem
from idservice.numbers.plain import is_plain
from keys.verdict import Check, Reason, Result
from licences import artefacts, copy_forms, view
from licences.deeds import Deed
from licences.faces import annotation
from licences.faces.annotation import Note
from licences.faces.drawing import FaceError
from licences.lifecycle import CHINA_STANDARD_TIME, State
from licences.sharing.models import AnnotatedCopy
from seals.container import MAX_XML, Archive, ContainerError
from seals.font import FontError
from seals.ofd_parts import ROOT, OfdError
from seals.ofd_parts import read as read_entry

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.faces.drawing import Page
    from licences.metadata import Metadata
    from licences.models import Licence
    from seals.use import Place

MAX_LIFE: Final = timedelta(days=366)
MAX_PURPOSE, MAX_ASKER = 200, 100  # characters
_PIXELS: Final = 900  # the width of a picture: A5 at 155 dots an inch, A4 at 109
_PREFIX: Final = "ZJ"
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH: Final = 20  # 100 bits
_NUMBER: Final = rf"{_PREFIX}[{_LETTERS}]{{{_LENGTH}}}"
_IN_PDF: Final = re.compile(rb"pdf:Keywords[=>]\"?[0-9A-Z.]{20,160}, ?(" + _NUMBER.encode() + rb")[\"<]")
_IN_OFD: Final = re.compile(rb'Name="certificateCopyNumber">(' + _NUMBER.encode() + rb")<")


class CopyForm(StrEnum):
    """The file types (fileType) of annotated copies; a picture bears no signature, and its digest is on record."""

    PDF = "pdf"
    OFD = "ofd"
    PNG = "png"


MEDIA_TYPES: Final = {
    CopyForm.PDF: "application/pdf",
    CopyForm.OFD: "application/ofd",
    CopyForm.PNG: "image/png",
}


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotated copy as it was made: the file, its type, and what stands on it."""

    content: bytes
    form: CopyForm
    note: Note

    @property
    def media_type(self) -> str:
        """Return the media type of the file."""
        return MEDIA_TYPES[self.form]

    @property
    def file_name(self) -> str:
        """Return a name for the file that says nothing of its holder."""
        return f"{self.note.number}.{self.form}"


@dataclass(frozen=True, slots=True)
class Known:
    """An annotated copy that somebody brings; `exact` tells whether the file is byte for byte the one that was made."""

    identifier: str
    note: Note
    exact: bool

    def checks(self, now: datetime) -> list[Check]:
        """Return what a verification says of it: after its time it holds no longer."""
        over, until = self.note.expires_at <= now, self.note.expires_at.isoformat()
        detail = f"an annotated copy for one use, {'which ended' if over else 'good until'} {until}"
        result, reason = (Result.FAIL, Reason.EXPIRED) if over else (Result.OK, None)
        packed = [] if self.exact else [Check("register", Result.NOTICE, "not byte for byte the copy we made")]
        return [Check("annotation", result, detail, reason), *packed]

    def as_json(self) -> dict[str, Any]:
        """Return what it was made for."""
        return {name: getattr(self.note, name) for name in ("number", "purpose", "asked_by", "made_at", "expires_at")}


def make(
    call: Call, licence: Licence, *, form: CopyForm, purpose: str, asked_by: str, expires_at: datetime
) -> Annotated:
    """Make an annotated copy of a licence that is valid now, sealed anew by its department; needs a writing call.

    Args:
        call: the call.
        licence: the licence; the caller has asked whether it may be given out, and records the look.
        form: the type of the file.
        purpose: what it is for, one line of at most 200 characters; printed whole.
        asked_by: who asks for it, one line of at most 100 characters.
        expires_at: until when it holds, at most a year; it never outlives the licence's last day.

    Raises:
        Problem: licence_not_in_force; invalid, for a purpose, asker or time that does not fit; glyph_missing,
            face_impossible, seal_not_in_force or unavailable.
    """
    if view.state(call, licence) is not State.VALID:
        raise Problem("licence_not_in_force", f"The licence is: {view.state(call, licence)}.")
    note = _note(call, licence, purpose, asked_by, expires_at)
    metadata = artefacts.open_record(call, licence).metadata
    page = _page(call, licence, metadata, note)
    seal_id = copy_forms.seal_of(call, licence)
    made = Annotated(_written(call, page, metadata, note, seal_id, form), form, note)
    _store(call, licence, made, seal_id)
    return made


def find(call: Call, content: bytes) -> Known | None:
    """Return what annotated copy a file is, or was made from; None for any other file.

    Where the file is not byte for byte a copy we made, its own word counts only as far as the seal of the licence's
    department goes: ask that first, and look into that part alone.
    """
    digest = hashlib.sha256(content).digest()
    row = call.session.scalars(select(AnnotatedCopy).where(AnnotatedCopy.digest == digest)).first()
    if row is not None:
        return Known(row.identifier, _opened(call, row), exact=True)
    number = number_in(content)
    row = call.session.get(AnnotatedCopy, number) if number is not None else None
    return None if row is None else Known(row.identifier, _opened(call, row), exact=False)


def number_in(content: bytes) -> str | None:
    """Return the number that a document bears among its metadata."""
    if content.startswith(b"%PDF-"):
        found = _IN_PDF.search(content)
    else:
        try:
            found = _IN_OFD.search(read_entry(Archive(content), ROOT, MAX_XML))
        except (ContainerError, OfdError):
            return None
    return None if found is None else found[1].decode("ascii")


def sealed(call: Call, seal_id: str) -> int:
    """Return how often a seal was put on annotated copies."""
    return call.session.scalar(select(func.count()).where(AnnotatedCopy.seal_id == seal_id)) or 0


def _note(call: Call, licence: Licence, purpose: str, asked_by: str, expires_at: datetime) -> Note:
    for name, value, most in (("purpose", purpose, MAX_PURPOSE), ("asked_by", asked_by, MAX_ASKER)):
        if not value.strip() or len(value) > most or not is_plain(value):
            raise Problem("invalid", "", errors=[FieldProblem(f"/{name}", "length", f"one line, 1 to {most}")])
    if not call.now < expires_at <= call.now + MAX_LIFE:
        raise Problem("invalid", "", errors=[FieldProblem("/expires_at", "range", "in the future, within a year")])
    if licence.valid_until is not None:
        over = datetime.combine(licence.valid_until + timedelta(days=1), time(), CHINA_STANDARD_TIME)
        expires_at = min(expires_at, over)
    number = _PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    whole_seconds = expires_at.replace(microsecond=0)
    return Note(number, purpose.strip(), asked_by.strip(), call.now.replace(microsecond=0), whole_seconds)


def _page(call: Call, licence: Licence, metadata: Metadata, note: Note) -> Page:
    face = copy_forms.face(call, licence, metadata)
    try:
        return annotation.annotate(face, note)
    except FontError as error:
        raise Problem("glyph_missing", f"{error}.") from None


def _written(call: Call, page: Page, metadata: Metadata, note: Note, seal_id: str, form: CopyForm) -> bytes:
    if form is CopyForm.OFD:
        return _ofd(call, page, metadata, note, seal_id)
    document = _pdf(call, page, metadata, note, seal_id)
    if form is CopyForm.PDF:
        return document
    from seals import first_page  # here, because few processes ever draw a picture

    return first_page.picture(document, width=_PIXELS)


def _pdf(call: Call, page: Page, metadata: Metadata, note: Note, seal_id: str) -> bytes:
    from licences.formats import face_pdf  # here, because typst is a large library
    from seals.stamp_document import stamp_pdf

    # The licence's own copies have one keyword, so neither is taken for the other (see `copy_check.identifier_in`).
    keywords = (metadata.identifier, note.number)
    try:
        document = face_pdf.write(page, author=metadata.issuer.name, keywords=keywords, made_at=call.now)
    except FaceError as error:
        raise Problem("face_impossible", f"{error}.") from None
    return stamp_pdf(call, seal_id=seal_id, document=document, centre=page.centre)


def _ofd(call: Call, page: Page, metadata: Metadata, note: Note, seal_id: str) -> bytes:
    from licences.formats import face_ofd
    from seals.stamp_document import stamp_ofd

    entries = copy_forms.metadata_entries(metadata) | note.entries()
    document = face_ofd.write(page, entries, made_at=call.now)
    return stamp_ofd(call, seal_id=seal_id, document=document, centre=page.centre)


def _store(call: Call, licence: Licence, made: Annotated, seal_id: str) -> None:
    note, digest = made.note, hashlib.sha256(made.content).digest()
    body = json.dumps({"purpose": note.purpose, "asked_by": note.asked_by}, ensure_ascii=False).encode()
    call.session.add(
        AnnotatedCopy(
            number=note.number,
            digest=digest,
            identifier=licence.identifier,
            form=str(made.form),
            seal_id=seal_id,
            note_sealed=call.cipher.seal(body, **_place(note.number)),
            made_by=call.caller.name_for_log,
            made_at=note.made_at,
            expires_at=note.expires_at,
        )
    )
    facts = {"copy": note.number, "form": str(made.form), "digest": digest.hex(), "seal": seal_id}
    audit.record(call, Deed.COPY_ANNOTATED, subject=licence.subject, licence=licence.identifier, **facts)


def _opened(call: Call, row: AnnotatedCopy) -> Note:
    told = json.loads(call.cipher.open(row.note_sealed, **_place(row.number)))
    return Note(row.number, told["purpose"], told["asked_by"], row.made_at, row.expires_at)


def _place(number: str) -> Place:
    return {"table": "annotated_copy", "column": "note_sealed", "row": number}

"""Use a seal on a document of whatever format (用章): which verb makes it ready, which seals it, what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from seals import use, use_ofd, use_signed_data
from seals.ofd_writer import Draft
from seals.pdf import Profile
from seals.position import Position
from seals.use import Made

if TYPE_CHECKING:
    from idservice.call import Call
    from seals import use_pdf
    from seals.use import Used

    Ready = Draft | use_pdf.Ready | use_signed_data.Ready | None


class Form(StrEnum):
    """What is wanted back: the signature alone, or the document with the seal in it."""

    DETACHED = "detached"
    OFD = "ofd"
    PDF = "pdf"
    SIGNED_DATA = "signed_data"
    SIGNATURE = "signature"


_NAMES = {
    Form.DETACHED: ("ses", "application/octet-stream"),
    Form.OFD: ("ofd", "application/ofd"),
    Form.PDF: ("pdf", "application/pdf"),
    Form.SIGNED_DATA: ("p7s", "application/pkcs7-signature"),
    Form.SIGNATURE: ("sig", "application/octet-stream"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a document is to be sealed. `lock` refuses further seals; `profile` matters for PDF alone."""

    form: Form = Form.DETACHED
    position: Position = field(default_factory=Position)
    lock: bool = False
    profile: Profile | None = None

    @property
    def ending(self) -> str:
        """The ending of the result's file name."""
        return _NAMES[self.form][0]

    @property
    def media_type(self) -> str:
        """The media type of the result."""
        return _NAMES[self.form][1]


def draft(call: Call, *, seal_id: str, document: bytes, wish: Wish) -> Ready:
    """Make a document ready for a seal; nothing is sealed or recorded yet. A detached signature needs nothing.

    Raises:
        Problem: what `use_ofd.draft` and `use_pdf.draft` raise.
    """
    facts = {"seal_id": seal_id, "document": document, "position": wish.position, "lock": wish.lock}
    if wish.form is Form.OFD:
        return use_ofd.draft(call, **facts)  # type: ignore[arg-type]
    if wish.form in {Form.SIGNED_DATA, Form.SIGNATURE}:
        return use_signed_data.Ready(value_alone=wish.form is Form.SIGNATURE)
    if wish.form is Form.PDF:
        from seals import use_pdf  # here, because reading PDF takes a large library

        return use_pdf.draft(call, **facts, profile=wish.profile)  # type: ignore[arg-type]
    return None


def make(call: Call, *, seal_id: str, use_id: str, document: bytes, purpose: str, ready: Ready) -> Made:
    """Seal what `draft` made ready; nothing is written.

    Raises:
        Problem: what the `make` of the form raises.
    """
    facts = {"seal_id": seal_id, "purpose": purpose}
    if ready is None:
        return use.make(call, **facts, use_id=use_id, document=document)
    if isinstance(ready, use_signed_data.Ready):
        return use_signed_data.make(call, **facts, document=document, ready=ready)
    if isinstance(ready, Draft):
        return use_ofd.make(call, **facts, ready=ready)
    from seals import use_pdf  # as above

    return use_pdf.make(call, **facts, ready=ready)


def seal(call: Call, *, seal_id: str, use_id: str, document: bytes, purpose: str, ready: Ready | Made) -> Used:
    """Seal what `draft` made ready, unless `make` has done so, and record the use that was intended as `use_id`.

    Raises:
        Problem: what `make` and `use.complete` raise.
    """
    made = ready
    if not isinstance(made, Made):
        made = make(call, seal_id=seal_id, use_id=use_id, document=document, purpose=purpose, ready=made)
    return use.complete(call, made, use_id=use_id, document=document, purpose=purpose)

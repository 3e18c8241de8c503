"""Put a department's seal on a document that this house itself makes (制发文件盖章), such as the face of a licence.

`seals.use` asks who wants to use a seal and what for. Here nobody does: the seal goes on what its department has
issued already, by the same right as `seals.stamp`. Whoever calls it keeps the record that the reconciliation counts.
A PDF is signed as PAdES B-B: a time stamp would be asked of somebody else in the middle of a transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import Problem
from seals import contents, document_certificate, ofd_writer
from seals.decoding import read_seal
from seals.lifecycle import State, state_at
from seals.models import Seal
from seals.position import Position
from seals.stamp import export, stamp
from seals.verify import rehearse

if TYPE_CHECKING:
    from idservice.call import Call

_ROOM = 4096  # bytes left for a CMS signature


def stamp_ofd(call: Call, *, seal_id: str, document: bytes, centre: tuple[float, float]) -> bytes:
    """Return the OFD with the seal (GB/T 38540), the middle of its picture at `centre` (mm from the upper left).

    Raises:
        Problem: seal_not_in_force, or seal_rehearsal_failed.
        OfdError, PositionError: `document` is not one that can be sealed there.
    """
    seal = _in_force(call, seal_id)
    structure = contents.structure(call, seal)
    draft = ofd_writer.prepare(document, seal=structure, position=_around(structure, centre))
    description = draft.describe(call.now)
    stamped = stamp(call, seal_id=seal_id, document=description, name=draft.property_info)
    sealed = draft.finish(description, export(call, stamped, document=description, name=draft.property_info))
    rehearse(call, sealed, now=call.now)
    return sealed


def stamp_pdf(call: Call, *, seal_id: str, document: bytes, centre: tuple[float, float]) -> bytes:
    """Return the PDF with the seal (PAdES B-B), the middle of its picture at `centre` (mm from the upper left).

    Raises:
        Problem: seal_not_in_force, seal_rehearsal_failed, or unavailable where no root for documents is set up.
        PdfError, PositionError: `document` is not one that can be sealed there.
    """
    from keys.cms_write import write_signed_data  # here, because reading PDF takes a large library
    from seals import pdf_sign

    seal = _in_force(call, seal_id)
    document_certificate.ensure(call, seal)
    structure = contents.structure(call, seal)
    picture = read_seal(structure).info.picture
    draft = pdf_sign.prepare(
        document,
        picture=picture.data,
        size=(picture.width, picture.height),
        position=_around(structure, centre),
        search=lambda _text, _page: None,
    )
    party = document_certificate.signer_of(call, seal)
    opened = draft.write(pdf_sign.PADES, call.now.replace(microsecond=0), room=_ROOM)
    signed = write_signed_data(opened.covered, certificate=party.certificate, sign=party.sign, detached=True)
    sealed = opened.close(signed)
    rehearse(call, sealed, now=call.now)
    return sealed


def _in_force(call: Call, seal_id: str) -> Seal:
    seal = call.session.get(Seal, seal_id)
    if seal is None or state_at(seal.state, seal.valid_from, seal.valid_until, call.now) is not State.IN_FORCE:
        raise Problem("seal_not_in_force", "Use a seal that is in force.")
    return seal


def _around(structure: bytes, centre: tuple[float, float]) -> Position:
    picture = read_seal(structure).info.picture
    return Position(1, centre[0] - picture.width / 2, centre[1] - picture.height / 2)

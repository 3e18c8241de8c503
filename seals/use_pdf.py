"""Put a seal on a PDF (PDF 用章): the sealed document goes back to the caller, the use into the register.

Three profiles. `B-B` and `B-T` are PAdES (ETSI EN 319 142-1), which every reader of PDF verifies, without and with an
RFC 3161 time stamp. `B-LT` adds certificates and revocation lists, so that the seal can be verified when nobody
else has them any more. `SES` puts the SM2 seal of GB/T 38540 into the PDF (GM/T 0112), for readers that know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from idservice.errors import Kind, Problem, register
from keys.certificates import judge_revocation, verify_path
from keys.cms import TIMESTAMP_TOKEN, read_signed_data
from keys.cms_write import write_signed_data
from keys.verdict import Result
from seals import contents, custody, document_certificate, first_page, pdf_material
from seals.deadline import TooLong, deadline
from seals.decoding import read_seal
from seals.lifecycle import State, state_at
from seals.pdf import PdfError, Profile
from seals.pdf_material import Material
from seals.pdf_sign import PADES, SES, Draft, LockedError, prepare
from seals.position import Position, PositionError
from seals.refusals import no_such_place, refuse_broken, refused
from seals.register import find
from seals.stamp import Stamp, export, stamp
from seals.time_stamping import token_over, with_time
from seals.use import Made, Used, complete
from seals.verify import read_known

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.certificates import Certificate
    from seals.models import Seal

register(
    {
        "revocation_list_unavailable": Kind(
            503, "没有可用的证书吊销列表，未盖章", "No revocation list is at hand; nothing was sealed"
        )
    }
)

SECONDS = 5.0  # of computing that reading a document may cost
ROOM, ROOM_WITH_TIME = 4096, 16384  # bytes left for a CMS signature without and with a time stamp
_ROOM_AROUND_SEAL = 2048  # what an SES_Signature has besides the seal in it
PROPERTY = "urn:ona:pdf"


@dataclass(frozen=True, slots=True)
class Ready:
    """A PDF that is ready for its seal, and what the seal will be."""

    draft: Draft
    profile: Profile


def draft(
    call: Call, *, seal_id: str, document: bytes, position: Position, lock: bool, profile: Profile | None = None
) -> Ready:
    """Make a PDF ready for a seal of the caller's department; nothing is sealed or recorded yet.

    Raises:
        Problem: not_found, forbidden, seal_not_in_force, document_refused, document_locked, unavailable, or invalid
            for a place not on the page.
    """
    seal = find(call, seal_id)
    _refuse_out_of_force(call, seal)
    picture = read_seal(contents.structure(call, seal)).info.picture
    if picture.kind != "PNG":
        raise Problem("document_refused", f"The picture of this seal ({picture.kind}) cannot be put on a PDF.")
    try:
        with deadline(SECONDS):
            ready = prepare(
                document,
                picture=picture.data,
                size=(picture.width, picture.height),
                position=position,
                lock=lock,
                search=lambda text, page: first_page.find(document, text, page),
            )
    except TooLong:
        raise Problem("document_refused", "The document takes too long to read.") from None
    except LockedError as error:
        raise Problem("document_locked", f"{error}.") from None
    except PdfError as error:
        raise refused(error) from None
    except PositionError as error:
        raise no_such_place(error) from None
    refuse_broken(call, document)
    if profile is not Profile.SES:
        document_certificate.ensure(call, seal)
    return Ready(ready, profile or (Profile.B_B if call.settings.timestamp_url is None else Profile.B_T))


def use_pdf(call: Call, *, seal_id: str, use_id: str, document: bytes, ready: Ready, purpose: str) -> Used:
    """Seal the PDF that `draft` made `ready`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: what `draft` and `intend` raise, or seal_rehearsal_failed; nothing is recorded as done then.
    """
    made = make(call, seal_id=seal_id, ready=ready, purpose=purpose)
    return complete(call, made, use_id=use_id, document=document, purpose=purpose)


def make(call: Call, *, seal_id: str, ready: Ready, purpose: str) -> Made:
    """Seal the PDF that `draft` made `ready`; nothing is written.

    Raises:
        Problem: what `draft` and `intend` raise, timestamp_unavailable or revocation_list_unavailable.
    """
    seal = find(call, seal_id)
    custody.refuse_use(call, seal, purpose)
    _refuse_out_of_force(call, seal)
    try:
        sealed, stamped = _seal_sm2(call, seal, ready) if ready.profile is Profile.SES else _sign(call, seal, ready)
    except PdfError as error:
        raise refused(error) from None
    return Made(stamped, sealed)


def _sign(call: Call, seal: Seal, ready: Ready) -> tuple[bytes, Stamp]:
    party = document_certificate.signer_of(call, seal)
    signed_at = call.now.replace(microsecond=0)
    values: list[bytes] = []

    def sign(data: bytes) -> bytes:
        values.append(party.sign(data))
        return values[-1]

    plain = ready.profile is Profile.B_B
    opened = ready.draft.write(PADES, signed_at, room=ROOM if plain else ROOM_WITH_TIME)
    signed = write_signed_data(
        opened.covered,
        certificate=party.certificate,
        sign=sign,
        detached=True,
        timestamp=None if plain else partial(_stamped, call),
    )
    sealed = opened.close(signed)
    if ready.profile is Profile.B_LT:
        sealed = pdf_material.add(sealed, _material(call, party.certificate, signed))
    return sealed, Stamp(seal.seal_id, signed_at, values[-1])


def _stamped(call: Call, value: bytes) -> bytes:
    token = token_over(call, value)
    if token is None:
        raise Problem("timestamp_unavailable", "No time-stamp authority is configured.")
    return token


def _material(call: Call, certificate: Certificate, signed: bytes) -> Material:
    """Return what a later verifier needs: the certificates up to the root, and the root's revocation lists.

    Raises:
        Problem: revocation_list_unavailable, where the newest list at hand does not speak of today.
    """
    relied = read_known(call)
    path = verify_path(certificate, (), relied.anchors, at=call.now).path
    authority = read_signed_data(read_signed_data(signed).signers[0].unsigned[TIMESTAMP_TOKEN]).certificates
    lists = tuple(one for one in relied.lists if any(one.issuer == other.issuer for other in (*path, *authority)))
    if judge_revocation(path, lists, at=call.now, now=call.now).result is not Result.OK:
        raise Problem("revocation_list_unavailable", "Make or fetch the authority's list: `flask seals crl`.")
    return Material((*path, *authority), lists)


def _seal_sm2(call: Call, seal: Seal, ready: Ready) -> tuple[bytes, Stamp]:
    room = len(contents.structure(call, seal)) + len(contents.certificate(call, seal)) + _ROOM_AROUND_SEAL
    if call.settings.timestamp_url is not None:
        room += ROOM_WITH_TIME
    opened = ready.draft.write(SES, call.now.replace(microsecond=0), room=room)
    covered = opened.covered
    stamped = stamp(call, seal_id=seal.seal_id, document=covered, name=PROPERTY)
    return opened.close(with_time(call, export(call, stamped, document=covered, name=PROPERTY))), stamped


def _refuse_out_of_force(call: Call, seal: Seal) -> None:
    if state_at(seal.state, seal.valid_from, seal.valid_until, call.now) is not State.IN_FORCE:
        raise Problem("seal_not_in_force", "Use a seal that is in force.")

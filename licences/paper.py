"""The code on a paper licence (纸质证照二维码): make it once, keep it, and find the licence it was made for.

A code is signed when somebody first asks for it and is the same ever after; it is made anew only where its key was
revoked, for then nobody can believe the old one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.ring import Purpose, State
from keys.sm2 import sm3
from licences import artefacts, catalogue, change
from licences.deeds import Deed
from licences.formats import lc1, lc1_text
from licences.models import PaperCode

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.models import Licence

register(
    {"paper_code_impossible": Kind(422, "证照内容过长，无法生成纸质二维码", "The licence does not fit into a paper QR")}
)

_PLACE: Final = ("paper_code", "content_sealed")


def address(call: Call, licence: Licence) -> str:
    """Return the code as a URL that any camera opens.

    Raises:
        Problem: paper_code_impossible, or request_running while it is being made by another request.
    """
    return lc1_text.to_address(content(call, licence), call.settings.issuer)


def compact(call: Call, licence: Licence) -> str:
    """Return the code in base45, for the scanners of counters; raises what `address` raises."""
    return lc1_text.to_base45(content(call, licence))


def content(call: Call, licence: Licence) -> bytes:
    """Return the stored message of a licence; the first call makes it, and needs a writing transaction.

    Raises:
        Problem: paper_code_impossible or request_running.
    """
    paper_id = lc1.licence_id(licence.identifier)
    found = call.session.get(PaperCode, paper_id)
    if found is None:
        _lock(call, paper_id)
        found = call.session.get(PaperCode, paper_id)
    if found is not None and found.identifier != licence.identifier:
        raise Problem("paper_code_impossible", "Two licences share their short identifier: renew this one.")
    if found is not None and found.kid in call.keys.public(Purpose.LICENCE):
        return _open(call, found)
    return _make(call, licence, paper_id)


def licence_of(call: Call, scanned: bytes, licence_id: bytes) -> Licence | None:
    """Return the licence for which we made exactly the message that was scanned, or None."""
    found = call.session.get(PaperCode, licence_id)
    if found is None or not hmac.compare_digest(_open(call, found), scanned):
        return None
    return change.find_any(call, found.identifier)


def is_key_revoked(call: Call, scanned: bytes) -> bool:
    """Return whether a message names a key of ours that was revoked; raises `LC1Error` where it is no message."""
    named = lc1.short_kid(scanned).hex()
    return any(
        info.kid.startswith(named) and info.state is State.REVOKED
        for info in call.keys.list()
        if info.purpose is Purpose.LICENCE
    )


def _make(call: Call, licence: Licence, paper_id: bytes) -> bytes:
    """Sign the code, verify it as everybody else does, store it."""
    signer = call.keys.signer(Purpose.LICENCE)
    layout = lc1.template(catalogue.find(call, licence.type_code).type)
    metadata = artefacts.open_record(call, licence).metadata
    try:
        made = lc1.make(metadata, layout, issued_at=licence.issued_at, signer=signer)
        lc1.authenticate(made, [signer.public])
    except lc1.LC1Error as error:
        raise Problem("paper_code_impossible", f"The code cannot be made: {error.code}.") from None
    sealed = call.cipher.seal(made, table=_PLACE[0], column=_PLACE[1], row=licence.identifier)
    call.session.merge(
        PaperCode(
            paper_id=paper_id,
            identifier=licence.identifier,
            kid=signer.kid,
            content_sealed=sealed,
            signed_at=call.now,
        )
    )
    call.session.flush()
    audit.record(call, Deed.PAPER_SIGNED, subject=licence.subject, licence=licence.identifier, digest=sm3(made).hex())
    return made


def _open(call: Call, code: PaperCode) -> bytes:
    return call.cipher.open(code.content_sealed, table=_PLACE[0], column=_PLACE[1], row=code.identifier)


def _lock(call: Call, paper_id: bytes) -> None:
    """Let one request at a time sign the first code of a licence."""
    if not call.house.database.try_lock(call.session, int.from_bytes(paper_id, "big", signed=True)):
        raise Problem("request_running", "The code is being made; retry.", headers={"Retry-After": "1"})

"""The code on a paper licence (纸质证照二维码): make it once, keep it, and find the licence it was made for.

A code is signed when somebody first asks for it and is the same ever after; it is made anew only where its key was
revoked, for then nobody can believe the old one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.ring import Purpose, RingError, State
from keys.sm2 import sm3
from licences import artefacts, catalogue, change, copies
from licences.copies import Form, Made
from licences.deeds import Deed
from licences.formats import lc1, lc1_text
from licences.models import PaperCode
from licences.status import entries

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.signer import PublicKey, Signer
    from licences.models import Licence

register(
    {"paper_code_impossible": Kind(422, "证照内容过长，无法生成纸质二维码", "The licence does not fit into a paper QR")}
)

_PLACE: Final = ("paper_code", "content_sealed")


def address(call: Call, licence: Licence, *, sm2: bool = False) -> str:
    """Return the code as a URL that any camera opens; with `sm2` the one that is signed with SM2.

    Raises:
        Problem: paper_code_impossible, or request_running while it is being made by another request; for the code
            in SM2 also licence_not_in_force, or unavailable where the ring has no key for it.
    """
    return lc1_text.to_address(_either(call, licence, sm2=sm2), call.settings.issuer)


def compact(call: Call, licence: Licence, *, sm2: bool = False) -> str:
    """Return the code in base45, for the scanners of counters; raises what `address` raises."""
    return lc1_text.to_base45(_either(call, licence, sm2=sm2))


def content_in_sm2(call: Call, licence: Licence) -> bytes:
    """Return the stored message of a licence that is signed with SM2; raises what `address` raises."""
    record = artefacts.open_record(call, licence)

    def make() -> Made:
        try:
            signer = call.keys.signer(Purpose.LICENCE_SM2)
        except RingError:
            raise Problem("unavailable", "The ring has no key for codes in SM2: run `flask keys new`.") from None
        return Made(_sign(call, licence, signer), signer.kid)

    return copies.kept(call, licence, Form.PAPER_SM2, sm3(record.content), make).content


def keys(call: Call) -> list[PublicKey]:
    """Return the keys with which codes on paper are signed, of both algorithms."""
    return [*call.keys.public(Purpose.LICENCE).values(), *call.keys.public(Purpose.LICENCE_SM2).values()]


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


def kid(call: Call, licence: Licence) -> str:
    """Return the key that signed the stored code of a licence, which is made where there is none."""
    content(call, licence)
    return call.session.get_one(PaperCode, lc1.licence_id(licence.identifier)).kid


def licence_of(call: Call, scanned: bytes, licence_id: bytes) -> Licence | None:
    """Return the licence for which we made exactly the message that was scanned, or None."""
    found = call.session.get(PaperCode, licence_id)
    if found is not None and hmac.compare_digest(_open(call, found), scanned):
        return change.find_any(call, found.identifier)
    copy = copies.find(call, scanned)
    return None if copy is None else copy[0]


def is_key_revoked(call: Call, scanned: bytes) -> bool:
    """Return whether a message names a key of ours that was revoked; raises `LC1Error` where it is no message."""
    named = lc1.short_kid(scanned).hex()
    return any(
        info.kid.startswith(named) and info.state is State.REVOKED
        for info in call.keys.list()
        if info.purpose in {Purpose.LICENCE, Purpose.LICENCE_SM2}
    )


def _make(call: Call, licence: Licence, paper_id: bytes) -> bytes:
    """Sign the code, verify it as everybody else does, store it."""
    signer = call.keys.signer(Purpose.LICENCE)
    made = _sign(call, licence, signer)
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


def _either(call: Call, licence: Licence, *, sm2: bool) -> bytes:
    return content_in_sm2(call, licence) if sm2 else content(call, licence)


def _sign(call: Call, licence: Licence, signer: Signer) -> bytes:
    """Return the message of a licence, signed and verified as everybody else verifies it."""
    metadata = artefacts.open_record(call, licence).metadata
    layout = lc1.template(catalogue.type_of(call, metadata))
    status = entries.allocate_place(call, licence, form="paper")
    try:
        made = lc1.make(metadata, layout, issued_at=licence.issued_at, signer=signer, status=status)
        lc1.authenticate(made, [signer.public])
    except lc1.LC1Error as error:
        raise Problem("paper_code_impossible", f"The code cannot be made: {error.code}.") from None
    return made


def _open(call: Call, code: PaperCode) -> bytes:
    return call.cipher.open(code.content_sealed, table=_PLACE[0], column=_PLACE[1], row=code.identifier)


def _lock(call: Call, paper_id: bytes) -> None:
    """Let one request at a time sign the first code of a licence."""
    if not call.house.database.try_lock(call.session, int.from_bytes(paper_id, "big", signed=True)):
        raise Problem("request_running", "The code is being made; retry.", headers={"Retry-After": "1"})

"""Sign any file with a seal's key, without the seal (签名数据): GB/T 35275 SignedData, or an SM2 signature value alone.

It is a use of the seal like any other: the same key, the same register, the same rehearsal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idservice.errors import Problem
from keys.certificates import der, parse
from keys.cms_write import write_signed_data
from keys.ring import RingError
from seals import contents, custody
from seals.lifecycle import State, state_at
from seals.refusals import no_key
from seals.register import find
from seals.stamp import Stamp
from seals.time_stamping import token_over
from seals.use import Made, Used, complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from seals.models import Seal


@dataclass(frozen=True, slots=True)
class Ready:
    """What is wanted: a SignedData, with the file inside or beside it, or the signature value alone."""

    value_alone: bool = False
    detached: bool = True


def use_signed_data(call: Call, *, seal_id: str, use_id: str, document: bytes, ready: Ready, purpose: str) -> Used:
    """Sign `document`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: not_found, forbidden, seal_not_in_force, timestamp_unavailable, document_refused,
            seal_certificate_revoked or seal_rehearsal_failed; nothing is recorded as done then.
    """
    made = make(call, seal_id=seal_id, document=document, ready=ready, purpose=purpose)
    return complete(call, made, use_id=use_id, document=document, purpose=purpose)


def make(call: Call, *, seal_id: str, document: bytes, ready: Ready, purpose: str) -> Made:
    """Sign `document`; nothing is written.

    Raises:
        Problem: not_found, forbidden, seal_not_in_force, timestamp_unavailable or document_refused.
    """
    seal = find(call, seal_id)
    custody.refuse_use(call, seal, purpose)
    certificate, values = parse(contents.certificate(call, seal)), list[bytes]()
    signer = _signer(call, seal)
    signed_at = call.now.replace(microsecond=0)

    def sign(data: bytes) -> bytes:
        values.append(signer(data))
        return values[-1]

    if ready.value_alone:
        refuse_structures(document)
        result = sign(document)
    else:
        result = write_signed_data(
            document,
            certificate=certificate,
            sign=sign,
            gm=True,
            detached=ready.detached,
            signed_at=signed_at,
            timestamp=(lambda value: token_over(call, value) or b"") if call.settings.timestamp_url else None,
        )
    return Made(Stamp(seal_id, signed_at, values[-1]), result, beside=True, certificate=certificate)


def refuse_structures(document: bytes) -> None:
    """Refuse to put a bare signature value on what could be taken for another signature's inside.

    A value over the bytes of a TBS_Sign, of a certificate or of signed attributes would be that signature.

    Raises:
        Problem: document_refused.
    """
    try:
        element, rest = der.read(document)
    except der.DERError:
        return
    if not rest and element.tag in {der.SEQUENCE, der.SET}:
        raise Problem("document_refused", "A signature value alone is not put on an ASN.1 structure.")


def _signer(call: Call, seal: Seal) -> Callable[[bytes], bytes]:
    if state_at(seal.state, seal.valid_from, seal.valid_until, call.now) is not State.IN_FORCE:
        raise Problem("seal_not_in_force", "Use a seal that is in force.")
    try:
        return call.keys.seal_signer(seal.seal_id).sign
    except RingError:
        raise no_key() from None

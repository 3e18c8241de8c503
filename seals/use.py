"""Use a seal on a document that is not a licence (用章), and record it (用章记录).

`intend` and `use` are two verbs because they are two transactions: that a seal is about to be used is on record before
its key is, and a use is recorded as done only against its intent, once. The document is not kept, its SM3 is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import insert, update

from idservice import audit
from idservice.errors import Problem
from idservice.ids import timed_id
from keys.sm2 import sm3
from seals import custody
from seals.deeds import Deed
from seals.models import SealIntent, SealUse
from seals.register import find
from seals.stamp import export, stamp
from seals.time_stamping import with_time
from seals.verify import rehearse

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from keys.certificates import Certificate
    from seals.stamp import Stamp


class Place(TypedDict):
    """Where something is stored, for the cipher."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True)
class Made:
    """What was sealed and is not on record yet: a time stamp may be asked for before the recording transaction begins.

    `result` lies `beside` the document or is the document itself; `certificate` is the signer's where it holds none.
    """

    stamped: Stamp
    result: bytes
    beside: bool = False
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What one use of a seal gave: `digest` is the SM3 of the document as it was handed in.

    `result` is the SES_Signature (DER) that lies beside the document, or the sealed document itself.
    """

    use_id: str
    sealed_at: datetime
    digest: bytes
    result: bytes


def intend(call: Call, *, seal_id: str, document: bytes, purpose: str = "", on_behalf: str | None = None) -> str:
    """Record that a seal is about to be used on `document`, and return the number of the use.

    Args:
        call: of somebody who may use the seal.
        seal_id: its number.
        document: the file as it was handed in.
        purpose: what for.
        on_behalf: for whom, where it is not for the department itself; stored encrypted.

    Raises:
        Problem: not_found, forbidden, seal_use_not_permitted, seal_purpose_not_permitted or seal_name_changed, or what
            `custody.demand_login` raises.
    """
    seal = find(call, seal_id)
    custody.refuse_use(call, seal, purpose)
    custody.demand_login(call, seal)
    use_id, digest = timed_id(call.now), sm3(document)
    sealed = None if on_behalf is None else call.cipher.seal(on_behalf.encode(), **on_behalf_of(use_id))
    row = {"use_id": use_id, "seal_id": seal_id, "digest": digest, "purpose": purpose, "on_behalf_sealed": sealed}
    call.session.execute(insert(SealIntent), row | {"actor": call.caller.name_for_log, "at": call.now, "done_at": None})
    audit.record(call, Deed.USE_INTENDED, seal=seal_id, use=use_id, digest=digest.hex())
    return use_id


def use(call: Call, *, seal_id: str, use_id: str, document: bytes, purpose: str) -> Used:
    """Seal `document`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: what `intend` raises, seal_not_in_force, seal_rehearsal_failed or conflict; nothing is recorded as
            done then.
    """
    made = make(call, seal_id=seal_id, use_id=use_id, document=document, purpose=purpose)
    return complete(call, made, use_id=use_id, document=document, purpose=purpose)


def make(call: Call, *, seal_id: str, use_id: str, document: bytes, purpose: str) -> Made:
    """Seal `document`; nothing is written.

    Raises:
        Problem: what `intend` raises, seal_not_in_force or timestamp_unavailable.
    """
    custody.refuse_use(call, find(call, seal_id), purpose)
    name = property_info(use_id)
    stamped = stamp(call, seal_id=seal_id, document=document, name=name)
    sealed = with_time(call, export(call, stamped, document=document, name=name))
    return Made(stamped, sealed, beside=True)


def complete(call: Call, made: Made, *, use_id: str, document: bytes, purpose: str) -> Used:
    """Rehearse what was made and record the use that was intended as `use_id`.

    Raises:
        Problem: what `intend` raises, seal_certificate_revoked, seal_rehearsal_failed or conflict; nothing is recorded
            as done then.
    """
    custody.refuse_use(call, find(call, made.stamped.seal_id), purpose)
    beside = document if made.beside else None
    rehearse(call, made.result, document=beside, certificate=made.certificate, now=call.now)
    return record(call, use_id, made.stamped, document=document, purpose=purpose, result=made.result)


def record(call: Call, use_id: str, stamped: Stamp, *, document: bytes, purpose: str, result: bytes) -> Used:
    """Record a use that was made (用章记录), and return it.

    Raises:
        Problem: conflict, where nothing was intended under that number for this seal and document, or it is done.
    """
    digest = sm3(document)
    _fulfil(call, use_id, stamped.seal_id, digest)
    row = {
        "use_id": use_id,
        "seal_id": stamped.seal_id,
        "digest": digest,
        "purpose": purpose,
        "actor": call.caller.name_for_log,
        "signature": stamped.signature,
        "at": stamped.sealed_at,
    }
    call.session.execute(insert(SealUse), row)
    audit.record(call, Deed.USED, seal=stamped.seal_id, use=use_id, digest=digest.hex())
    return Used(use_id, stamped.sealed_at, digest, result)


def property_info(use_id: str) -> str:
    """Return the propertyInfo of a use's seal signature: it leads from the signature back to the record."""
    return f"urn:ona:seal-use:{use_id}"


def on_behalf_of(use_id: str) -> Place:
    """Return the place at which it is stored for whom a seal was used, for the cipher."""
    return Place(table="seal_intent", column="on_behalf_sealed", row=use_id)


def _fulfil(call: Call, use_id: str, seal_id: str, digest: bytes) -> None:
    intended = (SealIntent.use_id == use_id, SealIntent.seal_id == seal_id, SealIntent.digest == digest)
    done = update(SealIntent).where(*intended, SealIntent.done_at.is_(None)).values(done_at=call.now)
    if call.session.execute(done.returning(SealIntent.use_id)).one_or_none() is None:
        raise Problem("conflict", "No such use is intended, or it is done already.")

"""Use a seal on a document that is not a licence (用章), and record it (用章记录).

`intend` and `use` are two verbs because they are two transactions: that a seal is about to be used is on record before
its key is. The document is not kept, its SM3 is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert

from idservice import audit
from idservice.ids import timed_id
from keys.sm2 import sm3
from seals.deeds import Deed
from seals.models import SealUse
from seals.register import find
from seals.stamp import export, stamp
from seals.verify import rehearse

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from seals.stamp import Stamp


@dataclass(frozen=True, slots=True)
class Used:
    """What one use of a seal gave: `digest` is the SM3 of the document as it was handed in.

    `result` is the SES_Signature (DER) that lies beside the document, or the sealed document itself.
    """

    use_id: str
    sealed_at: datetime
    digest: bytes
    result: bytes


def intend(call: Call, *, seal_id: str, document: bytes) -> str:
    """Record that a seal is about to be used on `document`, and return the number of the use.

    Raises:
        Problem: not_found or forbidden.
    """
    find(call, seal_id)
    use_id = timed_id(call.now)
    audit.record(call, Deed.USE_INTENDED, seal=seal_id, use=use_id, digest=sm3(document).hex())
    return use_id


def use(call: Call, *, seal_id: str, use_id: str, document: bytes, purpose: str) -> Used:
    """Seal `document`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: not_found, forbidden, seal_not_in_force or seal_rehearsal_failed; nothing is recorded as done then.
    """
    find(call, seal_id)
    name = property_info(use_id)
    stamped = stamp(call, seal_id=seal_id, document=document, name=name)
    sealed = export(call, stamped, document=document, name=name)
    rehearse(call, sealed, document=document, now=call.now)
    return record(call, use_id, stamped, document=document, purpose=purpose, result=sealed)


def record(call: Call, use_id: str, stamped: Stamp, *, document: bytes, purpose: str, result: bytes) -> Used:
    """Record a use that was made (用章记录), and return it."""
    digest = sm3(document)
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

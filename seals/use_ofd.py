"""Put a seal on an OFD (OFD 用章): the sealed document goes back to the caller, the use into the register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import FieldProblem, Kind, Problem, register
from keys.verdict import Reason, Result
from seals import ofd_writer
from seals.container import ContainerError
from seals.ofd_page import PositionError
from seals.ofd_parts import OfdError
from seals.register import find
from seals.stamp import export, stamp
from seals.use import Used, record
from seals.verify import rehearse, verify

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.ofd_page import Position
    from seals.ofd_writer import Draft

register(
    {
        "document_refused": Kind(422, "这份文件不能加盖印章", "This document cannot be sealed"),
        "document_locked": Kind(409, "文件已锁定，不能再加盖印章", "The document is locked against further seals"),
    }
)


def draft(call: Call, *, seal_id: str, document: bytes, position: Position, lock: bool) -> Draft:
    """Make an OFD ready for a seal of the caller's department; nothing is sealed or recorded yet.

    A document on which an earlier seal does not hold is refused: a new seal would lend it credit.

    Raises:
        Problem: not_found, forbidden, document_refused, document_locked, or invalid for a place not on the page.
    """
    seal = find(call, seal_id)
    try:
        ready = ofd_writer.prepare(document, seal=seal.seal_der, position=position, lock=lock)
    except ofd_writer.LockedError:
        raise Problem("document_locked", "An earlier seal covers the list of seals.") from None
    except (ContainerError, OfdError) as error:
        raise Problem("document_refused", f"{str(error)[:300]}.") from None
    except PositionError as error:
        fault = FieldProblem(f"/{error.field}", "out_of_range", str(error))
        raise Problem("invalid", "The seal does not fit there.", errors=[fault]) from None
    earlier = verify(call, document)
    if any(check.result is Result.FAIL for signature in earlier.signatures for check in signature.checks):
        raise Problem("document_refused", f"An earlier seal does not hold: {', '.join(earlier.reasons)}.")
    if earlier.problems not in ((), (Reason.NOT_SEALED,)):
        raise Problem("document_refused", f"It cannot be verified: {', '.join(earlier.reasons)}.")
    return ready


def use_ofd(call: Call, *, seal_id: str, use_id: str, document: bytes, ready: Draft, purpose: str) -> Used:
    """Seal the OFD that `draft` made `ready`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: not_found, forbidden, document_refused, seal_not_in_force or seal_rehearsal_failed; nothing is
            recorded as done then.
    """
    find(call, seal_id)
    try:
        description = ready.describe(call.now)
    except OfdError as error:
        raise Problem("document_refused", f"{error}.") from None
    stamped = stamp(call, seal_id=seal_id, document=description, name=ready.property_info)
    sealed = ready.finish(description, export(call, stamped, document=description, name=ready.property_info))
    rehearse(call, sealed, now=call.now)
    return record(call, use_id, stamped, document=document, purpose=purpose, result=sealed)

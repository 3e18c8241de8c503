"""Put a seal on an OFD (OFD 用章): the sealed document goes back to the caller, the use into the register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import Problem
from seals import contents, custody, ofd_writer
from seals.container import ContainerError
from seals.ofd_parts import OfdError
from seals.position import PositionError
from seals.refusals import no_such_place, refuse_broken, refused
from seals.register import find
from seals.stamp import export, stamp
from seals.time_stamping import with_time
from seals.use import Made, Used, complete

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.ofd_writer import Draft
    from seals.position import Position


def draft(call: Call, *, seal_id: str, document: bytes, position: Position, lock: bool) -> Draft:
    """Make an OFD ready for a seal of the caller's department; nothing is sealed or recorded yet.

    Raises:
        Problem: not_found, forbidden, document_refused, document_locked, or invalid for a place not on the page.
    """
    seal = find(call, seal_id)
    try:
        ready = ofd_writer.prepare(document, seal=contents.structure(call, seal), position=position, lock=lock)
    except ofd_writer.LockedError:
        raise Problem("document_locked", "An earlier seal covers the list of seals.") from None
    except (ContainerError, OfdError) as error:
        raise refused(error) from None
    except PositionError as error:
        raise no_such_place(error) from None
    refuse_broken(call, document)
    return ready


def use_ofd(call: Call, *, seal_id: str, use_id: str, document: bytes, ready: Draft, purpose: str) -> Used:
    """Seal the OFD that `draft` made `ready`, rehearse, record the use that was intended as `use_id`.

    Raises:
        Problem: not_found, forbidden, document_refused, seal_not_in_force or seal_rehearsal_failed; nothing is
            recorded as done then.
    """
    made = make(call, seal_id=seal_id, ready=ready, purpose=purpose)
    return complete(call, made, use_id=use_id, document=document, purpose=purpose)


def make(call: Call, *, seal_id: str, ready: Draft, purpose: str) -> Made:
    """Seal the OFD that `draft` made `ready`; nothing is written.

    Raises:
        Problem: not_found, forbidden, document_refused, seal_not_in_force or timestamp_unavailable.
    """
    custody.refuse_use(call, find(call, seal_id), purpose)
    try:
        description = ready.describe(call.now)
    except OfdError as error:
        raise refused(error) from None
    stamped = stamp(call, seal_id=seal_id, document=description, name=ready.property_info)
    value = with_time(call, export(call, stamped, document=description, name=ready.property_info))
    return Made(stamped, ready.finish(description, value))

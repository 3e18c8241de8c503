"""Which of a holder's licences proves something: valid now, its seal holds, within what was authorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from keys.verdict import Result
from licences import verify, view
from licences.lifecycle import State
from licences.models import Licence

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.authorisation import Ground


def best(call: Call, ground: Ground, type_code: str) -> Licence | None:
    """Return the licence of a type that is valid now, whose seal holds, and that runs longest, or None."""
    if not ground.reaches(type_code):
        return None
    rows = call.session.scalars(
        select(Licence).where(
            Licence.subject == ground.subject, Licence.type_code == type_code, Licence.state == State.VALID
        )
    )
    held = [row for row in rows if ground.licences is None or row.identifier in ground.licences]
    valid = [row for row in held if view.state(call, row) is State.VALID]
    longest = sorted(
        valid, key=lambda row: (row.valid_until is None, row.valid_until or row.valid_from, row.issued_at), reverse=True
    )
    return next((row for row in longest if verify.seal_check(call, row).result is Result.OK), None)

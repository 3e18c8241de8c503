"""Which of a holder's licences proves something: valid now, its seal holds, within what was authorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from idservice.db import table_of
from idservice.statement import Statement
from keys.verdict import Result
from licences import judging, view
from licences.lifecycle import State
from licences.models import Licence

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.artefacts import Record
    from licences.counter.authorisation import Ground

_licences = table_of(Licence)
_HELD = Statement(
    select(_licences).where(
        _licences.c.subject == bindparam("subject"),
        _licences.c.type_code == bindparam("type_code"),
        _licences.c.state == State.VALID.value,
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """A licence that proves something, with its record, which was opened to judge its seal."""

    licence: Licence
    record: Record


def best(call: Call, ground: Ground, type_code: str) -> Held | None:
    """Return the licence of a type that is valid now, whose seal holds, and that runs longest, or None."""
    if not ground.reaches(type_code):
        return None
    rows = _HELD.rows(call.connection, {"subject": ground.subject, "type_code": type_code})
    held = [row for row in rows if ground.licences is None or row.identifier in ground.licences]
    valid = [row for row in held if view.state(call, row) is State.VALID]
    longest = sorted(
        valid, key=lambda row: (row.valid_until is None, row.valid_until or row.valid_from, row.issued_at), reverse=True
    )
    for row in longest:
        judged = judging.judge(call, row)
        if judged.seal.result is Result.OK:
            return Held(row, judged.record)
    return None

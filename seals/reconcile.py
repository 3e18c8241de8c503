"""Reconcile what a seal's signer counted with what is on record (用章对账).

Each signature counts one, those of the try-out when the seal was made too. On record are that try-out, the uses, and
what other rooms sealed (they say so by `count_also`); a use that was announced and did not end may have signed or not.
More than that, and the key was used behind the register's back; fewer, and the counter was set back or records were
added. A difference that an operator accepted, with his reason, is where the next comparison starts from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from idservice import audit
from idservice.errors import Problem
from idservice.ids import timed_id
from seals.deeds import Deed
from seals.models import Seal, SealIntent, SealReconciliation, SealUse

if TYPE_CHECKING:
    from idservice.call import Call

_TRY_OUT = 1  # the signature of the rehearsal when a seal is made


class Outcome(StrEnum):
    """What a comparison said; all but `ok` is for a person to look into."""

    OK = "ok"
    MORE = "more"  # signed more often than is on record
    FEWER = "fewer"  # signed less often


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a seal is on record in one place: uses that were done, and uses announced that did not end.

    `covered` counts what lies under uses that are on many documents at once; such a use counts one.
    """

    done: int
    unfinished: int
    covered: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One seal's comparison: `counted` by the signer, `recorded` and `unfinished` in the registers.

    `covered` documents share some of the uses on record.
    """

    seal_id: str
    counted: int
    recorded: int
    unfinished: int
    result: Outcome
    covered: int = 0


#: Further places where uses are on record, each as `(call, seal_id) -> Tally`; the rooms right of this one add theirs.
_elsewhere: dict[str, Callable[[Call, str], Tally]] = {}


def count_also(place: str, tally: Callable[[Call, str], Tally]) -> None:
    """Take the uses of another room into account."""
    _elsewhere[place] = tally


def compare(call: Call, seal_id: str) -> Comparison:
    """Compare one seal.

    The counter is read first: what is signed meanwhile is then on record, as announced at least, and never missing.
    """
    counted = call.keys.signatures(seal_id)
    tallies = [_uses(call, seal_id), *(tally(call, seal_id) for tally in _elsewhere.values())]
    recorded = _TRY_OUT + sum(tally.done for tally in tallies)
    unfinished = sum(tally.unfinished for tally in tallies)
    difference = counted - recorded - _accepted(call, seal_id)
    covered = sum(tally.covered for tally in tallies)
    return Comparison(seal_id, counted, recorded, unfinished, _outcome(difference, unfinished), covered)


def reconcile(call: Call, *, accept: str | None = None) -> list[Comparison]:
    """Compare every seal and put each comparison on record; with a reason, accept the differences found.

    Raises:
        Problem: forbidden, unless the operator asks.
    """
    if call.caller.channel != "cli" or not call.caller.all_departments:
        raise Problem("forbidden", "The operator reconciles.")
    found = [compare(call, seal_id) for seal_id in call.session.scalars(select(Seal.seal_id).order_by(Seal.seal_id))]
    for one in found:
        _record(call, one, accept if one.result is not Outcome.OK else None)
    different = [one.seal_id for one in found if one.result is not Outcome.OK]
    audit.record(call, Deed.RECONCILED, seals=len(found), different=different or None, accepted=accept is not None)
    return found


def _outcome(difference: int, unfinished: int) -> Outcome:
    if difference < 0:
        return Outcome.FEWER
    return Outcome.OK if difference <= unfinished else Outcome.MORE


def _uses(call: Call, seal_id: str) -> Tally:
    done = call.session.scalar(select(func.count()).where(SealUse.seal_id == seal_id)) or 0
    open_ones = select(func.count()).where(SealIntent.seal_id == seal_id, SealIntent.done_at.is_(None))
    return Tally(done, call.session.scalar(open_ones) or 0)


def _accepted(call: Call, seal_id: str) -> int:
    """Return the difference that was accepted last."""
    row = call.session.scalars(
        select(SealReconciliation)
        .where(SealReconciliation.seal_id == seal_id, SealReconciliation.reason.is_not(None))
        .order_by(SealReconciliation.reconciliation_id.desc())
        .limit(1)
    ).first()
    return 0 if row is None else row.counted - row.recorded


def _record(call: Call, one: Comparison, reason: str | None) -> None:
    row = {
        "reconciliation_id": timed_id(call.now),
        "seal_id": one.seal_id,
        "counted": one.counted,
        "recorded": one.recorded,
        "unfinished": one.unfinished,
        "result": str(one.result),
        "reason": reason,
        "actor": call.caller.name_for_log,
        "at": call.now,
    }
    call.session.execute(insert(SealReconciliation), row)

"""How often each seal was put on a licence, for the reconciliation of seals (用章对账)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select

from licences import copies
from licences.models import IssueIntent, Licence
from licences.portion_models import SealPortion
from licences.sharing import annotated
from seals.reconcile import Tally

if TYPE_CHECKING:
    from idservice.call import Call


def tally(call: Call, seal_id: str) -> Tally:
    """Return the licences that bear the seal, the portions that do, and the copies of licences that do.

    A portion is one use, over all its licences. An intent does not say which seal it was for, so every one there is,
    none of which ended, may have used this one; a portion says it.
    """
    mine, portions = Licence.seal_id == seal_id, SealPortion.seal_id == seal_id
    done = _count(call, mine, Licence.portion_id.is_(None)) + _count(call, portions, SealPortion.sealed_at.is_not(None))
    done += copies.sealed(call, seal_id) + annotated.sealed(call, seal_id)
    unfinished = call.session.scalar(select(func.count()).select_from(IssueIntent)) or 0
    unfinished += _count(call, portions, SealPortion.sealed_at.is_(None))
    return Tally(done, unfinished, covered=_count(call, mine, Licence.portion_id.is_not(None)))


def _count(call: Call, *wanted: ColumnElement[bool]) -> int:
    return call.session.scalar(select(func.count()).where(*wanted)) or 0

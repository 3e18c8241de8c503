"""How often each seal was put on a licence, for the reconciliation of seals (用章对账)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from licences import copies
from licences.models import IssueIntent, Licence
from seals.reconcile import Tally

if TYPE_CHECKING:
    from idservice.call import Call


def tally(call: Call, seal_id: str) -> Tally:
    """Return the licences that bear the seal, and the copies of licences that do.

    An intent does not say which seal it was for, so every one that never ended may have used this one.
    """
    done = call.session.scalar(select(func.count()).where(Licence.seal_id == seal_id)) or 0
    done += copies.sealed(call, seal_id)
    unfinished = call.session.scalar(select(func.count()).where(IssueIntent.done_at.is_(None))) or 0
    return Tally(done, unfinished)

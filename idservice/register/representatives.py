"""The end of mandates (授权的终止): withdrawn or suspended, with those granted on their strength and with every token.

A mandate stands or falls with the grantor's own, so what ends one suspends all below it; who grants holds his own
mandate's row meanwhile (`grants`), and each statement here waits for it, so that the next one finds what he granted.
A new legal representative (法定代表人变更) takes the old one's place in the same way: what the old one granted rests
until it is confirmed anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from idservice import audit
from idservice.models import Mandate, Organisation, TokenFamily
from idservice.oauth import families
from idservice.register import changes, mandates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call

ROLE: Final = "legal_representative"


def withdraw(call: Call, person: str, mandate_id: str, *, reason: str) -> bool:
    """End a mandate for good and suspend those below it; return whether it had not ended before."""
    ended = call.session.execute(
        update(Mandate)
        .where(Mandate.subject == person, Mandate.mandate_id == mandate_id, Mandate.withdrawn_at.is_(None))
        .values(withdrawn_at=call.now)
        .returning(Mandate.principal, Mandate.role)
    ).one_or_none()
    if ended is None:
        return False
    audit.record(call, audit.Deed.MANDATE_WITHDRAWN, subject=person, mandate=mandate_id, reason=reason)
    _kill(call, person, mandate_id, reason="mandate_withdrawn")
    suspend_below(call, ended.principal, None if ended.role == ROLE else [mandate_id], reason=reason)
    if ended.role == ROLE:
        changes.tell(call, [ended.principal])
    return True


def suspend_below(call: Call, principal: str, parents: Sequence[str] | None, *, reason: str) -> int:
    """Suspend what was granted on the strength of `parents`, and what rests on that; return how many.

    Without `parents` it is everything the organisation has granted: all of it rests on its legal representative.
    """
    resting = Mandate.role != ROLE if parents is None else Mandate.parent_id.in_(parents)
    suspended = call.session.execute(
        update(Mandate)
        .where(
            Mandate.principal == principal,
            resting,
            Mandate.withdrawn_at.is_(None),
            Mandate.suspended_at.is_(None),
        )
        .values(suspended_at=call.now)
        .returning(Mandate.subject, Mandate.mandate_id)
    ).all()
    for person, mandate_id in suspended:
        audit.record(call, audit.Deed.MANDATE_SUSPENDED, subject=person, mandate=mandate_id, reason=reason)
        _kill(call, person, mandate_id, reason="mandate_suspended")
    below = [mandate_id for _person, mandate_id in suspended]
    return len(below) + (suspend_below(call, principal, below, reason=reason) if below else 0)


def change_representative(call: Call, principal: str, person: str) -> None:
    """Make `person` the one legal representative of an organisation; of two changes at once one waits for the other."""
    if person not in _end_representatives(call, principal, but=person):
        mandate_id = mandates.grant(call, person=person, principal=principal, role=ROLE)
        audit.record(call, audit.Deed.REPRESENTATIVE_CHANGED, subject=principal, person=person, mandate=mandate_id)


def leave_without(call: Call, principal: str) -> None:
    """End who led an organisation, where the register names a successor whom nobody here knows yet."""
    _end_representatives(call, principal, but=None)


def _end_representatives(call: Call, principal: str, *, but: str | None) -> set[str]:
    """End an organisation's legal representatives but one; return who they all were."""
    call.session.execute(select(Organisation.subject).where(Organisation.subject == principal).with_for_update())
    leading = call.session.execute(
        select(Mandate.subject, Mandate.mandate_id).where(
            Mandate.principal == principal, Mandate.role == ROLE, Mandate.withdrawn_at.is_(None)
        )
    ).all()
    for leader, mandate_id in leading:
        if leader != but:
            withdraw(call, leader, mandate_id, reason="representative_changed")
    return {leader for leader, _mandate_id in leading}


def end_tokens(call: Call, principal: str, *, reason: str) -> None:
    """End every token with which somebody acts for `principal`."""
    given = select(Mandate.subject, Mandate.mandate_id).where(Mandate.principal == principal)
    for person, mandate_id in call.session.execute(given).all():
        _kill(call, person, mandate_id, reason=reason)


def _kill(call: Call, person: str, mandate_id: str, *, reason: str) -> None:
    """End the token families in which the person acts by this mandate."""
    lived = select(TokenFamily.family_id).where(
        TokenFamily.subject == person, TokenFamily.mandate_id == mandate_id, TokenFamily.revoked_at.is_(None)
    )
    for family_id in call.session.scalars(lived).all():
        families.kill(call, person, family_id, reason=reason)

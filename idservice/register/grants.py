"""Grant a mandate, accept, withdraw or confirm it (授权与撤销).

Nobody acts for another unasked: a mandate is offered and holds once the person named in it accepts. An offer to a
number nobody here bears looks the same to the grantor as one to a person who has not answered, so that granting tells
nobody who is registered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, update

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import random_id
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.models import Mandate
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.numbers.names import mask_name
from idservice.register import grants_choices, grants_rules, guardians, mandates, people, representatives
from idservice.register.grants_choices import Limit
from idservice.register.grants_rules import OFFER_STANDS, Power, Role, State, Wanted
from idservice.register.importing_rows import name_of

if TYPE_CHECKING:
    from idservice.call import Call

MOST_OFFERS = 200  # that wait for an answer, of one principal

register(
    {
        "mandate_state": Kind(409, "授权当前状态不允许此操作", "The mandate's present state does not allow this"),
        "offers_full": Kind(409, "等待接受的授权过多", "Too many offers wait for an answer"),
        "minor": Kind(403, "未满十八周岁，不能授权", "A minor cannot grant a mandate"),
    }
)


@dataclass(frozen=True, slots=True)
class Granting:
    """In whose name and by what power the caller grants: an organisation's by his mandate, or his own."""

    principal: str
    kind: str
    name: str
    power: Power
    mandate_id: str | None


def granting(call: Call, mandate_id: str | None) -> Granting:
    """Return what the caller may grant from: the mandate he names, or himself.

    Raises:
        Problem: forbidden, if the mandate is not his or not in force, or nothing can be granted from it.
    """
    person = call.caller.person
    if person is None:
        raise Problem("forbidden", "Only a person can grant a mandate.")
    if mandate_id is None:
        facts = people.facts(call, person)
        if facts is None:
            raise Problem("forbidden", "Only a person can grant a mandate.")
        return Granting(person, mandates.PERSON, mask_name(facts.name), Power(Role.SELF), None)
    row = call.session.get(Mandate, (person, mandate_id))
    live = mandates.find_live(call, person, mandate_id)
    if row is None or live is None:
        raise Problem("forbidden", "You hold no such mandate.")
    power = Power(
        Role(row.role), row.depth, frozenset(row.licence_types), frozenset(row.matters), until=row.valid_until
    )
    if not power.grants:
        raise Problem("forbidden", "Nothing can be granted from this mandate.")
    return Granting(live.principal, live.principal_kind, live.organisation, power, mandate_id)


def check(call: Call, by: Granting, wanted: Wanted) -> Wanted:
    """Return the mandate as it would be granted, its number in normal form.

    Raises:
        Problem: invalid, with everything that is wrong; minor; or what `step_up` asks for.
    """
    step_up.demand(call, Act.GRANT_MANDATE)
    problems = [FieldProblem(f"/{member}", code, text) for member, code, text in _faults(call, by, wanted)]
    number = wanted.number
    try:
        number = citizen.check(number, today=call.now.date())
    except InvalidNumber as error:
        problems.append(FieldProblem("/number", error.code, str(error)))
    if name_of({"name": wanted.name}) is None:
        problems.append(FieldProblem("/name", "required", "name the person as in his identity card"))
    mine = people.facts(call, call.caller.person or "")
    if mine is not None and number == mine.number:
        problems.append(FieldProblem("/number", "yourself", "this is your own number"))
    if problems:
        raise Problem("invalid", "", errors=problems)
    if by.kind == mandates.PERSON and mine is not None and guardians.is_minor(mine.number, call.now):
        raise Problem("minor", "A guardian acts for you until you are eighteen.")
    limits = grants_rules.chosen(wanted.licence_types), grants_rules.chosen(wanted.matters)
    return Wanted(number, wanted.name, wanted.role, wanted.last_day, *limits)


def offer(call: Call, by: Granting, wanted: Wanted) -> str:
    """Offer a mandate to the person with that number and name, if there is one, and return its identifier.

    Raises:
        Problem: as `check`; offers_full; forbidden, if the caller's own mandate has ended meanwhile.
    """
    wanted = check(call, by, wanted)
    _hold(call, by)
    waiting = select(func.count()).where(
        Mandate.principal == by.principal,
        Mandate.accepted_at.is_(None),
        Mandate.withdrawn_at.is_(None),
        Mandate.valid_from > call.now - OFFER_STANDS,
    )
    if (call.session.scalar(waiting) or 0) >= MOST_OFFERS:
        raise Problem("offers_full", "Withdraw some of the offers that nobody has accepted.")
    mandate_id = random_id()
    mandates.enter(
        call,
        person=_bearer(call, wanted) or random_id(),  # nobody bears a random subject: nobody will accept
        mandate_id=mandate_id,
        principal=by.principal,
        principal_kind=by.kind,
        role=str(wanted.role),
        granted_by=call.caller.person,
        parent_id=by.mandate_id,
        depth=by.power.depth + 1,
        licence_types=list(wanted.licence_types),
        matters=list(wanted.matters),
        grantee_sealed=_seal(call, mandate_id, wanted),
        valid_until=wanted.until,
        accepted_at=None,
    )
    audit.record(call, audit.Deed.MANDATE_OFFERED, subject=by.principal, mandate=mandate_id, role=str(wanted.role))
    return mandate_id


def accept(call: Call, mandate_id: str) -> None:
    """Accept a mandate that was offered to the caller.

    Raises:
        Problem: not_found; mandate_state, if it does not wait for an answer any more.
    """
    row = _own(call, mandate_id)
    taken = call.session.execute(
        update(Mandate)
        .where(
            Mandate.subject == row.subject,
            Mandate.mandate_id == mandate_id,
            Mandate.accepted_at.is_(None),
            Mandate.withdrawn_at.is_(None),
            Mandate.suspended_at.is_(None),
            Mandate.valid_from > call.now - OFFER_STANDS,
            or_(Mandate.valid_until.is_(None), Mandate.valid_until > call.now),
        )
        .values(accepted_at=call.now)
        .returning(Mandate.mandate_id)
    ).one_or_none()
    if taken is None:
        raise Problem("mandate_state", "It was accepted, withdrawn or suspended before, or the offer is too old.")
    audit.record(call, audit.Deed.MANDATE_ACCEPTED, subject=row.subject, mandate=mandate_id)


def give_up(call: Call, mandate_id: str) -> None:
    """Decline a mandate, or give one up, that the caller holds.

    Raises:
        Problem: not_found; mandate_state, if it has ended, or is one that comes from a register.
    """
    row = _own(call, mandate_id)
    if row.role in grants_rules.BY_REGISTER:
        raise Problem("mandate_state", "It comes from a register: have the register changed.")
    if not representatives.withdraw(call, row.subject, mandate_id, reason="given_up"):
        raise Problem("mandate_state", "It was withdrawn before.")


def withdraw(call: Call, by: Granting, mandate_id: str) -> None:
    """Withdraw a mandate of the principal `by`, at once and with everything granted or issued on its strength.

    Raises:
        Problem: not_found, also for one that is not the caller's to withdraw; mandate_state.
    """
    row = _given(call, by, mandate_id)
    if not representatives.withdraw(call, row.subject, mandate_id, reason="withdrawn"):
        raise Problem("mandate_state", "It was withdrawn before.")


def confirm(call: Call, by: Granting, mandate_id: str) -> None:
    """Put a suspended mandate in force again on the strength of the caller's own power.

    Raises:
        Problem: not_found; mandate_state, if it is not suspended; invalid, if the caller could not grant it anew.
    """
    row = _given(call, by, mandate_id)
    if state_of(row, call.now) is not State.SUSPENDED or row.valid_until is None:
        raise Problem("mandate_state", "Only a suspended mandate can be confirmed.")
    last_day = row.valid_until.astimezone(grants_rules.CITY_TIME).date()
    wanted = Wanted("", "", Role(row.role), last_day, tuple(row.licence_types), tuple(row.matters))
    found = grants_rules.faults(by.power, wanted, call.now)
    if wrong := [FieldProblem(f"/{member}", code, text) for member, code, text in found if code != "too_long"]:
        raise Problem("invalid", "", errors=wrong)
    if by.power.until is not None and row.valid_until > by.power.until:
        raise Problem("invalid", "", errors=[FieldProblem("/valid_until", "too_long", "longer than your own mandate")])
    step_up.demand(call, Act.GRANT_MANDATE)
    _hold(call, by)
    confirmed = call.session.execute(
        update(Mandate)
        .where(
            Mandate.subject == row.subject,
            Mandate.mandate_id == mandate_id,
            Mandate.suspended_at.is_not(None),
            Mandate.withdrawn_at.is_(None),
        )
        .values(
            suspended_at=None,
            parent_id=by.mandate_id,
            granted_by=call.caller.person,
            depth=by.power.depth + 1,
        )
        .returning(Mandate.mandate_id)
    ).one_or_none()
    if confirmed is None:
        raise Problem("mandate_state", "It was withdrawn or confirmed meanwhile.")
    audit.record(call, audit.Deed.MANDATE_CONFIRMED, subject=row.subject, mandate=mandate_id)


def received(call: Call) -> list[Mandate]:
    """Return the mandates that name the caller, those that have ended for less than a year included."""
    person = call.caller.person or ""
    return list(call.session.scalars(select(Mandate).where(Mandate.subject == person).order_by(*_ORDER).limit(_MOST)))


def given(call: Call, by: Granting) -> list[Mandate]:
    """Return the mandates of the principal `by`: an administrator sees those that he granted himself."""
    asked = select(Mandate).where(Mandate.principal == by.principal, Mandate.role != representatives.ROLE)
    if by.power.role is Role.ADMINISTRATOR:
        asked = asked.where(Mandate.parent_id == by.mandate_id)
    return list(call.session.scalars(asked.order_by(*_ORDER).limit(_MOST)))


_MOST = 500
_ORDER = (Mandate.withdrawn_at.is_not(None), Mandate.valid_from.desc(), Mandate.mandate_id)


def state_of(row: Mandate, now: datetime) -> State:
    """Return how a mandate stands at an instant."""
    return grants_rules.state(
        now,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        accepted_at=row.accepted_at,
        suspended_at=row.suspended_at,
        withdrawn_at=row.withdrawn_at,
    )


def grantee(call: Call, row: Mandate) -> tuple[str, str]:
    """Return name and number of the person a mandate names, in clear: as the grantor wrote them, or by the register."""
    if row.grantee_sealed is None:
        facts = people.facts(call, row.subject)
        return (facts.name, facts.number) if facts is not None else ("", "")
    place: dict[str, Any] = {"table": "mandate", "column": "grantee_sealed", "row": row.mandate_id}
    found = json.loads(call.cipher.open(row.grantee_sealed, **place))
    return found["name"], found["number"]


def _hold(call: Call, by: Granting) -> None:
    """Keep the mandate that is granted from as it is until this transaction ends: its own end then finds what it gave.

    Without the lock a withdrawal of it that runs at the same time would not see the new row, and leave it in force.
    """
    if by.mandate_id is None:
        return
    held = (
        select(Mandate.mandate_id)
        .where(
            Mandate.subject == call.caller.person,
            Mandate.mandate_id == by.mandate_id,
            *mandates.in_force(call.now),
        )
        .with_for_update()
    )
    if call.session.scalar(held) is None:
        raise Problem("forbidden", "Your own mandate has ended meanwhile.")


def _faults(call: Call, by: Granting, wanted: Wanted) -> list[tuple[str, str, str]]:
    found = grants_rules.faults(by.power, wanted, call.now)
    for limit, asked in ((Limit.LICENCE_TYPES, wanted.licence_types), (Limit.MATTERS, wanted.matters)):
        if not set(asked) <= set(grants_choices.names(call, limit)):
            found.append((str(limit), "unknown", "no such code"))
    return found


def _bearer(call: Call, wanted: Wanted) -> str | None:
    """Return the active person with that number and that name, or None."""
    subject = people.find(call, wanted.number)
    facts = people.facts(call, subject or "")
    if facts is None or facts.status != "active" or facts.name != wanted.name:
        return None
    return subject


def _seal(call: Call, mandate_id: str, wanted: Wanted) -> bytes:
    text = json.dumps({"name": wanted.name, "number": wanted.number}, ensure_ascii=False)
    return call.cipher.seal(text.encode(), table="mandate", column="grantee_sealed", row=mandate_id)


def _own(call: Call, mandate_id: str) -> Mandate:
    row = call.session.get(Mandate, (call.caller.person or "", mandate_id))
    if row is None:
        raise Problem("not_found", "No such mandate names you.")
    return row


def _given(call: Call, by: Granting, mandate_id: str) -> Mandate:
    row = next((row for row in given(call, by) if row.mandate_id == mandate_id), None)
    if row is None or row.role in grants_rules.BY_REGISTER:
        raise Problem("not_found", "You granted no such mandate.")
    return row

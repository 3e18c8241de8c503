"""Mandates (授权委托): for which organisations and persons somebody may act, now, and within which limits.

A mandate comes from a register (`grant`) or from somebody who may grant it (`grants`). Whether it is in force is
judged at every use, from its own row and from the standing of whom it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Select, bindparam, insert, or_, select

from idservice.ids import random_id
from idservice.models import Mandate, Organisation, Person
from idservice.numbers.names import mask_name
from idservice.register import people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call

ORGANISATION, PERSON = "organisation", "person"


@dataclass(frozen=True, slots=True)
class LiveMandate:
    """A mandate in force. `organisation` is the name of whom it is for; that of a person is masked.

    `licence_types` and `matters` name what it is limited to; empty ones limit nothing.
    """

    mandate_id: str
    principal: str
    organisation: str
    credit_code: str
    role: str
    principal_kind: str = ORGANISATION
    licence_types: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Return whether it leaves out some licence types or matters."""
        return bool(self.licence_types or self.matters)


def grant(
    call: Call,
    *,
    person: str,
    principal: str,
    role: str,
    valid_until: datetime | None = None,
    principal_kind: str = ORGANISATION,
) -> str:
    """Enter a mandate that a register knows: `person` acts for `principal` from now on; return its identifier."""
    return enter(
        call, person=person, principal=principal, principal_kind=principal_kind, role=role, valid_until=valid_until
    )


def enter(call: Call, *, person: str, principal: str, role: str, **more: Any) -> str:
    """Add a mandate's row, in force at once unless `more` says otherwise, and return its identifier."""
    row = {
        "subject": person,
        "mandate_id": random_id(),
        "principal": principal,
        "principal_kind": ORGANISATION,
        "role": role,
        "granted_by": None,
        "parent_id": None,
        "depth": 0,
        "licence_types": [],
        "matters": [],
        "grantee_sealed": None,
        "valid_from": call.now,
        "valid_until": None,
        "accepted_at": call.now,
        "suspended_at": None,
        "withdrawn_at": None,
    } | more
    call.session.execute(insert(Mandate), row)
    return str(row["mandate_id"])


def live(call: Call, person: str) -> list[LiveMandate]:
    """Return the mandates `person` may use at this instant: of organisations by name, then of persons."""
    return _live_of_organisations(call, _ALL_OF_ORGANISATIONS, person=person) + _live_of_persons(
        call, _ALL_OF_PERSONS, person=person
    )


def find_live(call: Call, person: str, mandate_id: str) -> LiveMandate | None:
    """Return that mandate if `person` may use it at this instant."""
    this = {"person": person, "mandate_id": mandate_id}
    found = _live_of_organisations(call, _ONE_OF_ORGANISATION, **this) or _live_of_persons(call, _ONE_OF_PERSON, **this)
    return found[0] if found else None


def in_force(now: datetime | BindParameter[Any]) -> Sequence[Any]:
    """Return the conditions that a mandate's own row fulfils while it is in force."""
    return (
        Mandate.withdrawn_at.is_(None),
        Mandate.suspended_at.is_(None),
        Mandate.accepted_at.is_not(None),
        Mandate.valid_from <= now,
        or_(Mandate.valid_until.is_(None), Mandate.valid_until > now),
    )


# Asked at every step of a login: built once.
_MINE = (Mandate.subject == bindparam("person"), *in_force(bindparam("now")))
_OF_ORGANISATIONS = (
    select(Mandate, Organisation)
    .join(Organisation, Organisation.subject == Mandate.principal)
    .where(*_MINE, Mandate.principal_kind == ORGANISATION, Organisation.status == "active")
)
_OF_PERSONS = (
    select(Mandate)
    .join(Person, Person.subject == Mandate.principal)
    .where(*_MINE, Mandate.principal_kind == PERSON, Person.status == "active")
)
_THIS = Mandate.mandate_id == bindparam("mandate_id")
_ALL_OF_ORGANISATIONS = _OF_ORGANISATIONS.order_by(Organisation.name)
_ALL_OF_PERSONS = _OF_PERSONS.order_by(Mandate.mandate_id)
_ONE_OF_ORGANISATION, _ONE_OF_PERSON = _OF_ORGANISATIONS.where(_THIS), _OF_PERSONS.where(_THIS)


def _live_of_organisations(call: Call, query: Select[Mandate, Organisation], **whose: str) -> list[LiveMandate]:
    rows = call.session.execute(query, {**whose, "now": call.now})
    return [_live(m, o.name, o.credit_code) for m, o in rows]


def _live_of_persons(call: Call, query: Select[Mandate], **whose: str) -> list[LiveMandate]:
    rows = call.session.scalars(query, {**whose, "now": call.now}).all()
    named = ((row, people.facts(call, row.principal)) for row in rows)
    return [_live(row, mask_name(facts.name), "") for row, facts in named if facts is not None]


def _live(row: Mandate, name: str, credit_code: str) -> LiveMandate:
    return LiveMandate(
        row.mandate_id,
        row.principal,
        name,
        credit_code,
        row.role,
        row.principal_kind,
        tuple(row.licence_types),
        tuple(row.matters),
    )

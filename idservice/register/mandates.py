"""Mandates (授权委托): for which organisations and persons somebody may act, now, and within which limits.

A mandate comes from a register (`grant`) or from somebody who may grant it (`grants`). Whether it is in force is
judged at every use, from its own row and from the standing of whom it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, and_, bindparam, insert, or_, select

from idservice.db import table_of
from idservice.ids import random_id
from idservice.models import Mandate, Organisation, Person
from idservice.numbers.names import mask_name
from idservice.register import people
from idservice.statement import Statement

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
    return _live(call, _ALL, person=person)


def find_live(call: Call, person: str, mandate_id: str) -> LiveMandate | None:
    """Return that mandate if `person` may use it at this instant."""
    found = _live(call, _ONE, person=person, mandate_id=mandate_id)
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
_mandate, _organisation, _person = table_of(Mandate), table_of(Organisation), table_of(Person)
_OF_ORGANISATION = and_(
    _mandate.c.principal_kind == ORGANISATION,
    _organisation.c.subject == _mandate.c.principal,
    _organisation.c.status == "active",
)
_OF_PERSON = and_(
    _mandate.c.principal_kind == PERSON, _person.c.subject == _mandate.c.principal, _person.c.status == "active"
)
_MINE = (
    select(_mandate, _organisation.c.name, _organisation.c.credit_code)
    .select_from(_mandate.outerjoin(_organisation, _OF_ORGANISATION).outerjoin(_person, _OF_PERSON))
    .where(
        _mandate.c.subject == bindparam("person"),
        *in_force(bindparam("now")),
        or_(_organisation.c.subject.is_not(None), _person.c.subject.is_not(None)),
    )
    .order_by(_organisation.c.subject.is_(None), _organisation.c.name, _mandate.c.mandate_id)
)
_ALL, _ONE = Statement(_MINE), Statement(_MINE.where(_mandate.c.mandate_id == bindparam("mandate_id")))


def _live(call: Call, query: Statement, **whose: str) -> list[LiveMandate]:
    return [
        LiveMandate(
            row.mandate_id,
            row.principal,
            _name(call, row),
            row.credit_code or "",
            row.role,
            row.principal_kind,
            tuple(row.licence_types),
            tuple(row.matters),
        )
        for row in query.rows(call.connection, {**whose, "now": call.now})
    ]


def _name(call: Call, row: Any) -> str:
    """Return the name of whom a mandate is for; that of a person is masked."""
    if row.principal_kind == ORGANISATION:
        return str(row.name)
    facts = people.facts(call, row.principal)
    return mask_name(facts.name) if facts is not None else ""

"""Mandates (授权委托): which organisations a person may act for, now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select

from idservice.ids import random_id
from idservice.models import Mandate, Organisation

if TYPE_CHECKING:
    from idservice.call import Call


@dataclass(frozen=True, slots=True)
class LiveMandate:
    """A mandate in force, with the organisation's name for the page."""

    mandate_id: str
    principal: str
    organisation: str
    credit_code: str
    role: str


def grant(call: Call, *, person: str, principal: str, role: str, valid_until: datetime | None = None) -> str:
    """Let `person` act for the organisation `principal` in `role`, from now on; return the mandate's identifier."""
    mandate_id = random_id()
    call.session.execute(
        insert(Mandate),
        {
            "subject": person,
            "mandate_id": mandate_id,
            "principal": principal,
            "role": role,
            "valid_from": call.now,
            "valid_until": valid_until,
            "withdrawn_at": None,
        },
    )
    return mandate_id


def live(call: Call, person: str) -> list[LiveMandate]:
    """Return the mandates `person` may use at this instant, of organisations still active."""
    rows = call.session.execute(
        select(Mandate, Organisation)
        .join(Organisation, Organisation.subject == Mandate.principal)
        .where(
            Mandate.subject == person,
            Mandate.withdrawn_at.is_(None),
            Mandate.valid_from <= call.now,
            or_(Mandate.valid_until.is_(None), Mandate.valid_until > call.now),
            Organisation.status == "active",
        )
        .order_by(Organisation.name)
    )
    return [LiveMandate(m.mandate_id, o.subject, o.name, o.credit_code, m.role) for m, o in rows]


def find_live(call: Call, person: str, mandate_id: str) -> LiveMandate | None:
    """Return that mandate if `person` may use it at this instant."""
    return next((m for m in live(call, person) if m.mandate_id == mandate_id), None)

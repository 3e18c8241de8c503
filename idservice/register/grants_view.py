"""A mandate as its parties see it: both names, what it is limited to, how it stands; people are masked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from idservice.models import Organisation
from idservice.numbers import citizen
from idservice.numbers.names import mask_name
from idservice.register import grants, mandates, people
from idservice.register.grants_rules import CITY_TIME

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.models import Mandate


def seen(call: Call, row: Mandate) -> dict[str, Any]:
    """Return a mandate in the shape of `MandateSchema`, and the last day on which it holds."""
    name, number = grants.grantee(call, row)
    return {
        "id": row.mandate_id,
        "role": row.role,
        "state": str(grants.state_of(row, call.now)),
        "principal": principal(call, row),
        "person": {"kind": mandates.PERSON, "name": mask_name(name), "number": citizen.mask(number)},
        "licence_types": list(row.licence_types),
        "matters": list(row.matters),
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "last_day": row.valid_until and (row.valid_until - timedelta(seconds=1)).astimezone(CITY_TIME).date(),
    }


def principal(call: Call, row: Mandate) -> dict[str, Any]:
    """Return whom a mandate is for; the name and code of an organisation are public."""
    if row.principal_kind == mandates.ORGANISATION:
        found = call.session.get(Organisation, row.principal)
        name, code = (found.name, found.credit_code) if found is not None else ("", None)
        return {"kind": row.principal_kind, "name": name, "number": code}
    facts = people.facts(call, row.principal)
    name, number = (mask_name(facts.name), citizen.mask(facts.number)) if facts is not None else ("", None)
    return {"kind": row.principal_kind, "name": name, "number": number}

"""Claims about a holder (持有人信息): in clear for an app that may read them, masked for the person who decides.

OpenID Connect Core 1.0 sections 5.1 and 5.5. The citizen's number is no claim: nothing releases it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from idservice.numbers.credit_code import mask as mask_credit_code
from idservice.numbers.names import mask_name, mask_phone
from idservice.oauth import scopes, verified_claims
from idservice.oauth.claims_request import NOTHING, USERINFO
from idservice.register import organisations, people

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.families import Family

_MASKS = {"phone_number": mask_phone, "credit_code": mask_credit_code}


def facts(call: Call, holder: str, *, organisation: bool) -> dict[str, Any]:
    """Return every claim there is about a holder, in clear."""
    if organisation:
        row = organisations.facts(call, holder)
        return {"name": row.name, "credit_code": row.credit_code} if row is not None else {}
    person = people.facts(call, holder)
    if person is None:
        return {}
    return {"name": person.name, "real_name_level": person.level, "phone_number": person.phone}


def masked(name: str, value: Any, *, organisation: bool) -> str:
    """Return a claim's value as the consent page shows it; an organisation's name is public."""
    if name == "name":
        return str(value) if organisation else mask_name(value)
    return _MASKS.get(name, str)(value)


def released(call: Call, app: App, family: Family, target: str, scope: Iterable[str] = ()) -> dict[str, Any]:
    """Return the claims to put into an ID token or a userinfo response, with their values.

    Args:
        call: the call.
        app: that reads them.
        family: by which it may.
        target: of `claims_request.TARGETS`.
        scope: of the access token; at userinfo it releases claims too.
    """
    organisation = family.for_organisation
    claims = family.granted.claims if app.client_id == family.client_id else NOTHING  # another app asked for nothing
    wanted = claims.released(target, app.scope, organisation=organisation)
    names = list(wanted)
    if target == USERINFO:
        names += scopes.claims_of(family.scope & frozenset(scope), organisation=organisation)
    verified = verified_claims.released(call, app, family, target, frozenset(scope))
    if not names:
        return verified
    known = facts(call, family.holder, organisation=organisation)
    return verified | {
        name: known[name]
        for name in dict.fromkeys(names)
        if known.get(name) is not None and (name not in wanted or wanted[name].accepts(known[name]))
    }

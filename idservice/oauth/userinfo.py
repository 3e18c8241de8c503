"""Claims about the holder: in clear for an app that may read them, masked for the person who decides about it.

OpenID Connect Core 1.0 sections 5.1 and 5.3. The citizen's number is no claim: no scope releases it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.errors import Problem
from idservice.numbers.credit_code import mask as mask_credit_code
from idservice.numbers.names import mask_name, mask_phone
from idservice.oauth import bearer, scopes, tokens
from idservice.register import organisations, people

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.bearer import Token

_MASKS = {"phone_number": mask_phone, "credit_code": mask_credit_code}


def claims(call: Call, token: Token) -> dict[str, Any]:
    """Return the userinfo response: the subject as the app knows it, and what the token's scope releases.

    Raises:
        Problem: unauthenticated, if the token has ended or has no person behind it.
    """
    found = bearer.standing(call, token)
    if found is None or found.family is None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem("unauthenticated", "The access token is not that of a person, or has ended.", headers=challenge)
    family = found.family
    known = facts(call, family.holder, organisation=family.for_organisation)
    released = scopes.claims_of(token.scopes & family.scope, organisation=family.for_organisation)
    subject = tokens.subject_claims(call, found.app, family)
    return subject | {name: known[name] for name in released if known.get(name) is not None}


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

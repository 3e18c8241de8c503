"""A holder learns that an app may now read claims about him (读取留痕), whichever grant gave it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from idservice import audit
from idservice.oauth import scopes, verified_claims
from idservice.oauth.claims_request import NOTHING

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.families import Family


def tell_holder(
    call: Call, app: App, family: Family, *, scope: Iterable[str] | None = None, purpose: str = "login"
) -> None:
    """Record for the holder what `app` may read by `scope`, the family's if not stated, and by single claims."""
    granted = family.scope if scope is None else frozenset(scope)
    organisation = family.for_organisation
    claims = family.granted.claims if app.client_id == family.client_id else NOTHING
    single = claims.anywhere(app.scope, organisation=organisation)
    verified = verified_claims.learnt(app, family.granted, granted, organisation=organisation)
    if released := list(dict.fromkeys([*scopes.claims_of(granted, organisation=organisation), *single, *verified])):
        audit.record_access(
            call,
            audit.Deed.CLAIMS_RELEASED,
            subject=family.holder,
            facts={
                "who": app.name,
                "unit": app.unit,
                "purpose": purpose,
                "fields": released,
                "basis": "consent",
            },
            client=app.client_id,
            family=family.family_id,
        )

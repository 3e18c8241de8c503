"""What a person keeps to himself (不提供的信息): single claims of a request that the app did not call essential.

Personal Information Protection Law article 16: nobody is refused a service because he withholds what it can do without.
The request goes on as if the app had asked for less (RFC 6749 section 3.3, OpenID Connect Core 1.0 section 5.5.1), so
consent, receipt, tokens and userinfo all cover the rest alone. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from idservice.oauth import scopes
from idservice.oauth.claims_request import USERINFO, ClaimsRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.oauth.authorization import AuthorizationRequest


def optional(asked: AuthorizationRequest, *, organisation: bool) -> tuple[str, ...]:
    """Return the claims of a request that the app can do without, as far as it says."""
    single = asked.granted.claims.anywhere(asked.app.scope, organisation=organisation)
    names = dict.fromkeys([*scopes.claims_of(frozenset(asked.scope), organisation=organisation), *single])
    return tuple(name for name in names if name not in single or not single[name].is_essential)


def taken_back(asked: AuthorizationRequest, names: Collection[str], *, organisation: bool) -> set[str]:
    """Return the scopes that release those of `names` that are optional: no earlier consent to them holds any more."""
    withheld = set(names).intersection(optional(asked, organisation=organisation))
    return {scopes.releasing(name, organisation=organisation) for name in withheld}


def without(asked: AuthorizationRequest, names: Collection[str], *, organisation: bool) -> AuthorizationRequest:
    """Return the request without those of `names` that are optional.

    A scope that releases one of them falls, and what else it releases is asked for by itself.
    """
    withheld = set(names).intersection(optional(asked, organisation=organisation))
    if not withheld:
        return asked
    released = {name: scopes.claims_of(frozenset({name}), organisation=organisation) for name in asked.scope}
    scope = tuple(name for name in asked.scope if withheld.isdisjoint(released[name]))
    left = [claim for name in asked.scope if name not in scope for claim in released[name] if claim not in withheld]
    members = {
        target: {name: stated for name, stated in claims.items() if name not in withheld}
        for target, claims in asked.granted.claims.members.items()
    }
    if left:
        members[USERINFO] = dict.fromkeys(left) | members.get(USERINFO, {})
    return replace(asked, scope=scope, granted=replace(asked.granted, claims=ClaimsRequest(members)))

"""What a person keeps to himself (不提供的信息): single claims of a request that the app did not call essential.

Personal Information Protection Law article 16: nobody is refused a service because he withholds what it can do without.
The request goes on as if the app had asked for less (RFC 6749 section 3.3, OpenID Connect Core 1.0 section 5.5.1), so
consent, receipt, tokens and userinfo all cover the rest alone. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from idservice.oauth import scopes, verified_claims, verified_request
from idservice.oauth.claims_request import USERINFO, VERIFIED, ClaimsRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.oauth.authorization import AuthorizationRequest

_PREFIX: Final = f"{VERIFIED}."


def optional(asked: AuthorizationRequest, *, organisation: bool) -> tuple[str, ...]:
    """Return the claims of a request that the app can do without, as far as it says.

    Verified ones are named as in records and receipts: `verified_claims.name`.
    """
    app, granted = asked.app, asked.granted
    single = granted.claims.anywhere(app.scope, organisation=organisation)
    names = dict.fromkeys([*scopes.claims_of(frozenset(asked.scope), organisation=organisation), *single])
    essential = {f"{VERIFIED}.{name}" for name in verified_claims.essential(app, granted)}
    verified = verified_claims.learnt(app, granted, asked.scope, organisation=organisation)
    return (
        *(name for name in names if name not in single or not single[name].is_essential),
        *(name for name in verified if name not in essential),
    )


def taken_back(asked: AuthorizationRequest, names: Collection[str], *, organisation: bool) -> set[str]:
    """Return the scopes that release those of `names` that are optional: no earlier consent to them holds any more."""
    return {_releasing(name, organisation=organisation) for name in _withheld(asked, names, organisation=organisation)}


def without(asked: AuthorizationRequest, names: Collection[str], *, organisation: bool) -> AuthorizationRequest:
    """Return the request without those of `names` that are optional.

    A scope that releases one of them falls, and what else it releases is asked for by itself.
    """
    withheld = _withheld(asked, names, organisation=organisation)
    if not withheld:
        return asked
    fallen = {_releasing(name, organisation=organisation) for name in withheld}
    scope = tuple(name for name in asked.scope if name not in fallen)
    members = {
        target: {name: stated for name, stated in claims.items() if name not in withheld}
        for target, claims in asked.granted.claims.members.items()
    }
    released = scopes.claims_of(frozenset(asked.scope) & fallen, organisation=organisation)
    if left := dict.fromkeys(name for name in released if name not in withheld):
        members[USERINFO] = left | members.get(USERINFO, {})
    if verified_claims.SCOPE in fallen.intersection(asked.scope):
        members.setdefault(USERINFO, {}).setdefault(VERIFIED, verified_claims.BY_SCOPE)
    _refuse_verified(members, {name.removeprefix(_PREFIX) for name in withheld if name.startswith(_PREFIX)})
    return replace(asked, scope=scope, granted=replace(asked.granted, claims=ClaimsRequest(members)))


def _refuse_verified(members: dict[str, dict[str, Any]], names: set[str]) -> None:
    """Take those names out of `verified_claims` wherever it is asked for."""
    for claims in members.values():
        if VERIFIED in claims and (left := verified_request.without(claims.pop(VERIFIED), names)) is not None:
            claims[VERIFIED] = left


def _withheld(asked: AuthorizationRequest, names: Collection[str], *, organisation: bool) -> set[str]:
    return set(names).intersection(optional(asked, organisation=organisation)) if names else set()


def _releasing(name: str, *, organisation: bool) -> str:
    return verified_claims.SCOPE if name.startswith(_PREFIX) else scopes.releasing(name, organisation=organisation)

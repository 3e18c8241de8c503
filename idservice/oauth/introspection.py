"""Introspection (RFC 7662): what stands behind a token, told to those it is meant for and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from idservice.oauth import authorization_details, bearer, refreshing, resource_servers, tokens
from idservice.oauth.confirmation import claim_of

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.bearer import Token
    from idservice.oauth.clients import App

INACTIVE: dict[str, Any] = {"active": False}
_WHO = ("iss", "aud", "sub", "act", "may_act", "client_id")
_SHOWN = (*_WHO, "scope", authorization_details.PARAMETER, "jti", "iat", "exp", "auth_time", "acr", "amr", "cnf")


def introspect(call: Call, app: App, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the introspection response for the parameter `token`; whatever is not a live token is inactive."""
    text = form["token"]
    token = bearer.verify_for(call, app, text)
    return _access(call, app, token) if token is not None else _refresh(call, app, text)


def _access(call: Call, app: App, token: Token) -> dict[str, Any]:
    """A caller outside the token's audience, other than the client it was issued to, learns nothing."""
    is_near = app.client_id in {token.client_id, *token.audience}
    is_meant = is_near or resource_servers.is_served_by(call, app, token.audience)
    if not is_meant or bearer.standing(call, token) is None:
        return INACTIVE
    return {"active": True, "token_type": "DPoP" if token.scheme == "dpop" else "Bearer"} | {
        n: token.claims[n] for n in _SHOWN if n in token.claims
    }


def _refresh(call: Call, app: App, text: str) -> dict[str, Any]:
    found = refreshing.look(call, text, app.client_id)
    if found is None:
        return INACTIVE
    return {
        "active": True,
        "iss": call.settings.issuer,
        "client_id": app.client_id,
        "scope": found.get_scope(),
        "exp": int(found.expires_at.timestamp()),
        **tokens.subject_claims(call, app, found.family),
        **({authorization_details.PARAMETER: list(details)} if (details := found.family.granted.details) else {}),
        **({"cnf": claim_of(found.bound_to)} if found.bound_to is not None else {}),
    }

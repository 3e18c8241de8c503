"""The userinfo response (OpenID Connect Core 1.0 section 5.3): what an app may know of a holder, by scope or claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.oauth import bearer, holder_claims, possession, tokens
from idservice.oauth.claims_request import USERINFO

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.bearer import Token


def claims(call: Call, token: Token) -> dict[str, Any]:
    """Return the userinfo response: the subject as the app knows it, and what the token's scope releases.

    Raises:
        Problem: unauthenticated, if the token has ended or has no person behind it.
    """
    found = bearer.standing(call, token)
    if found is None or found.family is None:
        raise possession.refusal(
            "invalid_token", "The access token is not that of a person, or has ended.", token.scheme
        )
    family = found.family
    subject = tokens.subject_claims(call, found.app, family)
    return subject | holder_claims.released(call, found.app, family, USERINFO, token.scopes)

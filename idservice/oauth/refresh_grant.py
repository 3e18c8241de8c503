"""The refresh grant (RFC 6749 section 6): rotation; narrower scopes, resources and details, never wider ones."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as AuthlibGrant

from idservice import audit
from idservice.oauth import refreshing, scopes, target, tokens
from idservice.oauth.codes import Reused
from idservice.oauth.families import Family
from idservice.oauth.refreshing import Refresh


class RefreshGrant(AuthlibGrant):  # type: ignore[misc]
    """A refresh token becomes new tokens, once."""

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """Claim the refresh token for this client."""
        asked = self.request
        wanted = refreshing.wanted(asked.form)
        found = refreshing.claim(asked.call, refresh_token, self.client.client_id, key=asked.key, wanted=wanted)
        if isinstance(found, Reused):
            raise self.request.refuse_reuse(found)
        return found

    def authenticate_user(self, refresh_token: Refresh) -> Family:
        """Return the family of the token."""
        return refresh_token.family

    def generate_token(self, user: Family, scope: str, **_choices: Any) -> dict[str, Any]:
        """Issue new tokens of the family, or give once more what was given a moment ago."""
        request, found = self.request, self.request.refresh_token
        if found.answer is not None:
            audit.record(request.call, audit.Deed.TOKEN_REPEATED, client=self.client.client_id, family=user.family_id)
            return dict(found.answer)
        may_ask = self.client.scope  # by now
        asked = tuple(name for name in scopes.split(scope) or () if name in may_ask)
        if not asked or tokens.OFFLINE not in may_ask:
            raise InvalidScopeError
        answer = tokens.for_person(
            request.call,
            self.client,
            user,
            deed=audit.Deed.TOKEN_REFRESHED,
            scope=asked,
            refresh_until=found.expires_at,
            key=request.key,
            target=target.chosen(request.call, self.client, user.granted, request.form),
        )
        if found.bound_to is not None:
            text, wanted = request.form["refresh_token"], refreshing.wanted(request.form)
            refreshing.remember(request.call, text, answer, wanted=wanted)
        return answer

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """Nothing is left to do: the token was used up when it was claimed."""

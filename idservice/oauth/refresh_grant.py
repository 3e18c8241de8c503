"""The refresh grant (RFC 6749 section 6): rotation, narrower scopes, never wider ones."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant as AuthlibGrant

from idservice import audit
from idservice.oauth import refreshing, scopes, tokens
from idservice.oauth.codes import Reused
from idservice.oauth.families import Family
from idservice.oauth.refreshing import Refresh


class RefreshGrant(AuthlibGrant):  # type: ignore[misc]
    """A refresh token becomes new tokens, once."""

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """Claim the refresh token for this client."""
        found = refreshing.claim(self.request.call, refresh_token, self.client.client_id)
        if isinstance(found, Reused):
            raise self.request.refuse_reuse(found)
        return found

    def authenticate_user(self, refresh_token: Refresh) -> Family:
        """Return the family of the token."""
        return refresh_token.family

    def generate_token(self, user: Family, scope: str, **_choices: Any) -> dict[str, Any]:
        """Issue new tokens of the family."""
        asked = scopes.split(scope)
        if asked is None:
            raise InvalidScopeError
        return tokens.for_person(
            self.request.call,
            self.client,
            user,
            deed=audit.Deed.TOKEN_REFRESHED,
            scope=asked,
            refresh_until=self.request.refresh_token.expires_at,
        )

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """Nothing is left to do: the token was used up when it was claimed."""

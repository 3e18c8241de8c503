"""The grant for a client on its own (RFC 6749 section 4.4)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant as AuthlibGrant

from idservice.oauth import authorization_details, scopes, target, tokens


class ClientCredentialsGrant(AuthlibGrant):  # type: ignore[misc]
    """An access token without a person: only scopes that need none, by default all the client has.

    With authorization details the default is no scope at all: they say what the token is for.
    """

    def validate_token_request(self) -> None:
        """Refuse a client that is not registered for this; Authlib would call hooks around it, and there are none."""
        if not self.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError(f"The client is not authorized to use 'grant_type={self.GRANT_TYPE}'")
        self.validate_requested_scope()

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Return status, body and headers of the answer."""
        return 200, self.generate_token(), self.TOKEN_RESPONSE_HEADER

    def validate_requested_scope(self) -> None:
        """Refuse a scope the client does not have; Authlib would leave it out in silence."""
        allowed = tuple(name for name in self.client.scope if scopes.CATALOGUE[name].machine)
        text = self.request.payload.scope
        self.target = target.of_client(self.request.call, self.client, self.request.form)
        details = self.target.asked if self.target is not None else ()
        if text is None and details:
            self.asked: tuple[str, ...] = ()
            return
        asked = allowed if text is None else scopes.split(text)
        if not asked or not set(asked) <= set(allowed):
            raise InvalidScopeError
        self.asked = authorization_details.without_governed(asked, details) if details else asked

    def generate_token(self, **_choices: Any) -> dict[str, Any]:
        """Issue the token."""
        return tokens.for_client(self.request.call, self.client, self.asked, key=self.request.key, target=self.target)

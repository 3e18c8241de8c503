"""Token exchange at the token endpoint (RFC 8693 section 2.1)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idservice.oauth.exchange import exchange
from idservice.oauth.grant_policy import EXCHANGE_GRANT


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """One token becomes another that can do less."""

    GRANT_TYPE = EXCHANGE_GRANT

    def validate_token_request(self) -> None:
        """Refuse a client that is not registered for it."""
        if not self.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Issue the new token."""
        request = self.request
        return 200, exchange(request.call, self.client, request.form, request.key), self.TOKEN_RESPONSE_HEADER

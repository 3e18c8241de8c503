"""The token endpoint's engine: Authlib dispatches to our grants; storage, keys and client authentication are ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Response

from idservice.http.application import WholeResponse
from idservice.oauth import clients
from idservice.oauth.client_credentials_grant import ClientCredentialsGrant
from idservice.oauth.code_grant import S256, CodeGrant
from idservice.oauth.pending_grant import CibaGrant, DeviceGrant
from idservice.oauth.pre_authorized_grant import PreAuthorizedGrant
from idservice.oauth.refresh_grant import RefreshGrant
from idservice.oauth.token_exchange_grant import TokenExchangeGrant
from keys.compact_json import compact_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.oauth.clients import App
    from idservice.oauth.token_request import TokenRequest


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server over `TokenRequest`."""

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """Return the request as it is: it was read strictly before."""
        return request

    def authenticate_client(self, request: TokenRequest, _methods: Sequence[str], _endpoint: str = "token") -> App:
        """Return the client: `client_authentication` found it before the transaction began."""
        return request.client

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Nothing is left to do: `tokens` stores what it issues."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Send none: nobody listens."""

    def handle_response(self, status_code: int, payload: Any, headers: list[tuple[str, str]]) -> Response:
        """Return the answer as JSON."""
        return WholeResponse(compact_json(payload), status_code, dict(headers))


def _build() -> Server:
    logging.getLogger("authlib.oauth2").setLevel(logging.INFO)  # its debug lines print tokens
    server = Server()
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(CodeGrant, [S256(required=True)])
    server.register_grant(RefreshGrant)
    server.register_grant(DeviceGrant)
    server.register_grant(CibaGrant)
    server.register_grant(TokenExchangeGrant)
    server.register_grant(PreAuthorizedGrant)
    return server


_SERVER = _build()


def answer(request: TokenRequest) -> Response:
    """Serve a token request: 200 with tokens, or the refusal in the form of RFC 6749 section 5.2."""
    if request.payload.grant_type not in clients.GRANT_TYPES:
        return refusal(OAuth2Error("This grant type is not offered.", error="unsupported_grant_type"))
    response: Response = _SERVER.create_token_response(request)
    return response


def refusal(error: OAuth2Error) -> Response:
    """Return an OAuth error as its JSON response."""
    response: Response = _SERVER.handle_error_response(None, error)
    return response

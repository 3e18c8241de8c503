"""A token request as Authlib's grants see it: our call, an authenticated client, a strict form.

Authlib's own request would merge query and body, and let every grant authenticate the client anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import InvalidGrantError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from idservice.oauth.codes import Reused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.confirmation import Key


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """One request at the token endpoint. `reused` is set where a spent code or refresh token came back."""

    def __init__(self, call: Call, app: App, form: Mapping[str, str], key: Key | None = None) -> None:
        # Not Authlib's own: it would take a URL apart to ask about plain http, which the settings have decided.
        self.method, self.uri = "POST", ""
        self.headers: dict[str, str] = {}
        self.user = self.authorization_code = self.refresh_token = self.credential = None
        self._body = self._scope = None
        self.call = call
        self.client = app
        self.key = key  # that the sender has proven to hold: the tokens are bound to it
        self.auth_method = app.auth_method
        self.payload = BasicOAuth2Payload(form)
        self.reused: Reused | None = None
        self.afterwards: Callable[[Call], None] | None = None  # done once a refusal has been rolled back
        self.keeps_refusal = False  # whether what a refusal wrote is kept: a guess that must count at once
        self._form = form

    @property
    def form(self) -> Mapping[str, str]:
        """Return the parameters of the body."""
        return self._form

    def refuse_reuse(self, reused: Reused) -> InvalidGrantError:
        """Note that a family must die once this transaction is rolled back, and return the refusal."""
        self.reused = reused
        return InvalidGrantError("It was used before.")

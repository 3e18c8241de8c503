"""The authorization code grant at the token endpoint (RFC 6749 section 4.1.3) with PKCE (RFC 7636 section 4.6).

Claim, then check: the code is used up first, and a failed check rolls everything back.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant as AuthlibGrant
from authlib.oauth2.rfc7636 import CodeChallenge

from idservice import audit
from idservice.oauth import codes, disclosure, families, target, tokens
from idservice.oauth.clients import App
from idservice.oauth.codes import Code, Reused
from idservice.oauth.families import Family


class S256(CodeChallenge):  # type: ignore[misc]
    """PKCE with S256 and nothing else; every code has a challenge, so every redemption needs the verifier."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    DEFAULT_CODE_CHALLENGE_METHOD = None

    def get_authorization_code_challenge_method(self, _code: Code) -> str:
        """Return the one method."""
        return "S256"


class CodeGrant(AuthlibGrant):  # type: ignore[misc]
    """A code becomes tokens, once."""

    def query_authorization_code(self, code: str, client: App) -> Code:
        """Claim the code for this client."""
        found = codes.claim(self.request.call, code, client.client_id)
        if isinstance(found, Reused):
            raise self.request.refuse_reuse(found)
        if found is None:
            raise InvalidGrantError("The code is unknown, expired or not for this client.")
        if found.bound_to is not None and (self.request.key is None or found.bound_to != self.request.key.text):
            raise InvalidGrantError("The code is bound to another key.")
        return found

    def authenticate_user(self, authorization_code: Code) -> Family | None:
        """Return the family the code belongs to, if its person may still log in."""
        return families.find_alive(self.request.call, authorization_code.subject, authorization_code.family_id)

    def generate_token(self, user: Family, scope: str, **_choices: Any) -> dict[str, Any]:
        """Issue the tokens of the family, and tell the holder what the app may now read."""
        call, app = self.request.call, self.client
        disclosure.tell_holder(call, app, user)
        nonce = self.request.authorization_code.nonce
        return tokens.for_person(
            call,
            app,
            user,
            deed=audit.Deed.TOKEN_ISSUED,
            scope=tuple(scope.split()),
            nonce=nonce,
            key=self.request.key,
            target=target.chosen(call, app, user.granted, self.request.form),
        )

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing is left to do: the code was used up when it was claimed, and is kept to recognise a second use."""

"""What the device grant and CIBA do at the token endpoint: poll until there is an answer, then redeem it once."""

from __future__ import annotations

from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc8628 import AuthorizationPendingError, SlowDownError

from idservice import audit
from idservice.oauth import disclosure, families, pending, target, tokens
from idservice.oauth.grant_policy import CIBA_GRANT, DEVICE_GRANT


class PendingGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """A request that a person answered elsewhere becomes tokens, once."""

    KIND: ClassVar[str]
    PARAMETER: ClassVar[str]

    def validate_token_request(self) -> None:
        """Redeem the request, or say how it stands; whether its person may still log in is asked now, not then."""
        call, app = self.request.call, self.client
        if not app.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        secret = self.request.form.get(self.PARAMETER)
        if secret is None:
            raise InvalidRequestError(f"{self.PARAMETER} is missing.")
        try:
            self.claimed = pending.claim(call, secret, kind=self.KIND, client_id=app.client_id)
        except (AuthorizationPendingError, SlowDownError) as error:
            too_early = isinstance(error, SlowDownError)
            self.request.afterwards = lambda later: pending.note_poll(later, secret, too_early=too_early)
            raise
        family = families.find_alive(call, self.claimed.subject, self.claimed.family_id)
        if family is None:
            raise InvalidGrantError("The person can no longer log in, or took the consent back.")
        self.family = family

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Issue the tokens of the family, and tell the holder what the app may now read."""
        call, app = self.request.call, self.client
        disclosure.tell_holder(call, app, self.family)
        issued = tokens.for_person(
            call,
            app,
            self.family,
            deed=audit.Deed.TOKEN_ISSUED,
            scope=self.claimed.scope,
            key=self.request.key,
            target=target.chosen(call, app, self.family.granted, self.request.form),
        )
        return 200, issued, self.TOKEN_RESPONSE_HEADER


class DeviceGrant(PendingGrant):
    """RFC 8628 section 3.4."""

    GRANT_TYPE = DEVICE_GRANT
    KIND = pending.DEVICE
    PARAMETER = "device_code"


class CibaGrant(PendingGrant):
    """OpenID CIBA Core 1.0 section 10.1."""

    GRANT_TYPE = CIBA_GRANT
    KIND = pending.CIBA
    PARAMETER = "auth_req_id"

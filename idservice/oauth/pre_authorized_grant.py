"""The pre-authorized code grant at the token endpoint: OpenID4VCI 1.0 section 6.1.

The person has allowed it before, on a page of ours; the family of tokens begins here, when it is known which wallet
came with the code. Every code has a second one, so a client that sends none is told so whatever code it has.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idservice import audit
from idservice.oauth import authorization_details, consent_purposes, consents, families, offers, target, tokens
from idservice.oauth.authorization_details import may_ask
from idservice.oauth.detail_types import find
from idservice.oauth.grant_policy import PRE_AUTHORIZED_GRANT

CODE = "pre-authorized_code"
SECOND = "tx_code"
_OFFLINE = "offline_access"


class PreAuthorizedGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """A pre-authorized code becomes tokens, once."""

    GRANT_TYPE = PRE_AUTHORIZED_GRANT

    def validate_token_request(self) -> None:
        """Take the offer; a wrong second code counts at once, before anybody is told."""
        call, app, form = self.request.call, self.client, self.request.form
        if not app.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("This app is not registered for the grant.")
        if CODE not in form or SECOND not in form:
            raise InvalidRequestError(f"{CODE} and {SECOND} are needed.")
        taken = offers.take(call, form[CODE], form[SECOND])
        if taken is None:
            self.request.keeps_refusal = True
            raise InvalidGrantError("The code is unknown, expired, used or locked, or tx_code is wrong.")
        kinds = (find(detail["type"]) for detail in taken.granted.details)
        if not all(kind is not None and may_ask(app, kind) for kind in kinds):
            raise UnauthorizedClientError("This app is not registered for what is offered.")
        self.taken = taken

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Open a family for this app and issue its tokens; the holder finds the app among those he allowed."""
        call, app, taken, form = self.request.call, self.client, self.taken, self.request.form
        scope = (_OFFLINE,) if _OFFLINE in app.scope and app.check_grant_type("refresh_token") else ()
        lines = consent_purposes.beyond_scope(call, app, taken.granted, organisation=False)
        consents.give(call, taken.subject, app.client_id, scope, more=lines)
        family_id = families.start(
            call, app, person=taken.subject, login=taken.login, scope=scope, mandate=None, granted=taken.granted
        )
        family = families.find_alive(call, taken.subject, family_id)
        if family is None:
            raise InvalidGrantError("The person can no longer log in.")
        issued = tokens.for_person(
            call,
            app,
            family,
            deed=audit.Deed.TOKEN_ISSUED,
            scope=scope,
            key=self.request.key,
            target=target.chosen(call, app, taken.granted, form),
        )
        if authorization_details.PARAMETER not in form:
            # Section 6.2: who did not ask by details is not told of them, and names configurations afterwards.
            issued.pop(authorization_details.PARAMETER, None)
        return 200, issued, self.TOKEN_RESPONSE_HEADER

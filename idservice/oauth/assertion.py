"""Client authentication by signed assertion (`private_key_jwt`): RFC 7523 section 3 as RFC 10070 updates it.

The audience is our issuer, alone and as a string: an assertion made for another server can then never be used here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import InvalidClientError

from idservice import replay
from idservice.oauth import client_keys
from keys import claims
from keys.base64url import unb64u
from keys.jws import JWSError
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from idservice.call import House
    from idservice.oauth.clients import App

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPES = frozenset({None, "client-authentication+jwt"})
MAX_SECONDS = 300
MAX_ASSERTION = 8192


def authenticate(house: House, assertion: str, *, now: datetime) -> App:
    """Return the client that signed `assertion`, and remember that it was used, whatever the request comes to.

    Raises:
        InvalidClientError: not a good assertion of a client registered for this method, or used before.
    """
    app = client_keys.learn(house, _claimed_client(assertion), assertion, now)
    if app is None or app.auth_method != "private_key_jwt" or app.jwks is None:
        raise _refusal()
    try:
        payload = client_keys.verified(app, assertion, typ=TYPES, now=now, max_bytes=MAX_ASSERTION).payload
        claims.check(
            payload,
            issuer=app.client_id,
            audience=house.settings.issuer,
            now=now,
            max_lifetime=MAX_SECONDS,
            sole_audience=True,
        )
    except JWSError:
        raise _refusal() from None
    jti = payload.get("jti")
    if payload.get("sub") != app.client_id or not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise _refusal()
    until = datetime.fromtimestamp(payload["exp"], UTC)
    if not replay.first_use(house, "client_assertion", f"{app.client_id}\0{jti}", expires_at=until, now=now):
        raise _refusal()
    return app


def _claimed_client(assertion: str) -> str:
    """Return whom the assertion claims to be from; nothing is believed yet but where to look for the key."""
    parts = assertion.split(".", 3)
    if len(assertion) > MAX_ASSERTION or len(parts) != 3:
        raise _refusal()
    try:
        payload = strict_json(unb64u(parts[1]), max_depth=16)
    except (ValueError, StrictJSONError):
        raise _refusal() from None
    claimed = payload.get("sub") if isinstance(payload, dict) else None
    if not isinstance(claimed, str):
        raise _refusal()
    return claimed


def _refusal() -> InvalidClientError:
    return InvalidClientError("The client assertion is not accepted.", status_code=401)

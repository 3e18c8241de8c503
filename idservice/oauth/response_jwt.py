"""Answers that an app can show to others (签名应答): JARM for the authorization response, RFC 9701 for introspection.

Signed with the key of the ID tokens, which every app can verify; made only where they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from keys.jws import encode
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.authorization import Asker
    from idservice.oauth.clients import App

ALGORITHMS: Final = ("ES256",)
RESPONSE_SECONDS = 600
INTROSPECTION: Final = "application/token-introspection+jwt"


def answer(call: Call, asker: Asker, **members: str) -> str:
    """Return the URL that carries an answer to the app, signed where it asked for that (JARM section 2.3.1)."""
    if not asker.wants_signed:
        return asker.answer(call.settings.issuer, **members)
    payload = {
        "iss": call.settings.issuer,
        "aud": asker.app.client_id,
        "exp": int(call.now.timestamp()) + RESPONSE_SECONDS,
        **({"state": asker.state} if asker.state is not None else {}),
        **members,
    }
    signed = encode(payload, signer=call.keys.signer(Purpose.ID_TOKEN), typ="JWT")
    joint = "&" if "?" in asker.redirect_uri else "?"
    return f"{asker.redirect_uri}{joint}{urlencode({'response': signed})}"


def introspection(call: Call, app: App, found: dict[str, Any]) -> str:
    """Return an introspection response as a signed JWT for `app` (RFC 9701 section 5)."""
    payload = {
        "iss": call.settings.issuer,
        "aud": app.client_id,
        "iat": int(call.now.timestamp()),
        "token_introspection": found,
    }
    return encode(payload, signer=call.keys.signer(Purpose.ID_TOKEN), typ="token-introspection+jwt")

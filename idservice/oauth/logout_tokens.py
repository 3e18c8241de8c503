"""Logout tokens (退出令牌): OpenID Connect Back-Channel Logout 1.0 section 2.4, and `sid`, an app's name of a session.

Each app knows a session by a name of its own, so that two apps cannot tell that one browser uses both. Pure.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from keys.base64url import b64u

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
SECONDS = 120


def session_name(secret: bytes, client_id: str, chain: bytes) -> str:
    """Return the `sid` under which a client knows the session."""
    return b64u(hmac.digest(secret, b"sid|" + client_id.encode() + b"|" + chain, "sha256")[:18])


def payload(issuer: str, client_id: str, facts: Mapping[str, Any], *, issued: int) -> dict[str, Any]:
    """Return the claims of a logout token. There is never a `nonce`: it must not pass for an ID token.

    `facts` hold `jti`, the same at each try so that the app recognises a second one, `sub` and `sid`.
    """
    return {
        "iss": issuer,
        "aud": client_id,
        "iat": issued,
        "exp": issued + SECONDS,
        "jti": facts["jti"],
        "sub": facts["sub"],
        "sid": facts["sid"],
        "events": {EVENT: {}},
    }

"""Security event tokens (安全事件令牌): RFC 8417, Shared Signals Framework 1.0, CAEP 1.0. Pure.

A receiver knows a person by his pairwise subject and a session by its `sid`, as in the ID tokens it already has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TYPE: Final = "secevent+jwt"
SESSION_REVOKED: Final = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
CREDENTIAL_CHANGE: Final = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
VERIFICATION: Final = "https://schemas.openid.net/secevent/ssf/event-type/verification"
OFFERED: Final = (SESSION_REVOKED, CREDENTIAL_CHANGE)  # verification is sent to whoever asks for it

# CAEP 1.0 section 3.3: what changed, and how.
CREDENTIALS: Final = frozenset({"password", "pin", "x509", "fido2-platform", "fido2-roaming", "phone-sms", "app"})
CHANGES: Final = frozenset({"create", "revoke", "update", "delete"})


def person(issuer: str, subject: str) -> dict[str, str]:
    """Return a subject identifier of a person (RFC 9493 section 3.2.5)."""
    return {"format": "iss_sub", "iss": issuer, "sub": subject}


def session_of(user: Mapping[str, str], sid: str) -> dict[str, Any]:
    """Return a complex subject: one session of one person (SSF 1.0 section 3.3)."""
    return {"format": "complex", "user": dict(user), "session": {"format": "opaque", "id": sid}}


def stream(stream_id: str) -> dict[str, str]:
    """Return the subject of a verification event (SSF 1.0 section 8.1.4)."""
    return {"format": "opaque", "id": stream_id}


def payload(issuer: str, audience: str, jti: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a token; there is neither `sub` nor `exp`, so that it passes for no other (SSF 1.0 4.1)."""
    return {
        "iss": issuer,
        "aud": audience,
        "jti": jti,
        "iat": facts["iat"],
        "sub_id": facts["sub_id"],
        "events": {facts["type"]: facts["event"]},
    }

"""ID tokens that come back as a hint: ours by signature, type and issuer; their age does not matter.

OpenID Connect Core 1.0 section 3.1.2.1 and RP-Initiated Logout 1.0 section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.oauth.tokens import ID_TYPE
from keys.jws import JWSError, decode
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call


def read(call: Call, text: str) -> tuple[str, str] | None:
    """Return client and subject of an ID token of ours, or None for anything else."""
    try:
        payload = decode(text, keys=call.keys.public(Purpose.ID_TOKEN), typ=ID_TYPE).payload
    except JWSError:
        return None
    match payload:
        case {"iss": call.settings.issuer, "aud": str(client_id), "sub": str(subject)}:
            return client_id, subject
    return None

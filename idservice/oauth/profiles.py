"""What is demanded of a client (安全要求): by its profile, and by flags of its own beyond that.

`standard` is OAuth 2.1 as `authorization` and the grants keep it for everybody. `fapi2` is the FAPI 2.0 Security
Profile, section 5.3.2: requests are pushed, clients authenticate with keys, tokens are bound to keys. `haip` is the
OpenID4VC High Assurance Interoperability Profile 1.0, section 4, for wallets: the same, and keys are proven by DPoP.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

STANDARD: Final = "standard"
FAPI2: Final = "fapi2"
HAIP: Final = "haip"
PROFILES: Final = (STANDARD, FAPI2, HAIP)
STRICT: Final = frozenset({FAPI2, HAIP})

TLS_METHODS: Final = ("tls_client_auth", "self_signed_tls_client_auth")
FAPI2_METHODS: Final = frozenset({"private_key_jwt", *TLS_METHODS})


class Demand(StrEnum):
    """A flag of a client, by its name in dynamic registration."""

    PUSHED = "require_pushed_authorization_requests"  # RFC 9126 section 6
    DPOP = "dpop_bound_access_tokens"  # RFC 9449 section 5.2
    TLS = "tls_client_certificate_bound_access_tokens"  # RFC 8705 section 3.4
    SIGNED = "require_signed_request_object"  # RFC 9101 section 10.5


def fault(profile: str, auth_method: str, demands: Collection[str]) -> str | None:
    """Return why these do not go together, or None where they do."""
    if profile not in PROFILES:
        return "profile is not one of ours"
    if not set(demands) <= set(Demand):
        return "a demand is not one of ours"
    if {Demand.DPOP, Demand.TLS} <= set(demands):
        return "tokens are bound to one key: by DPoP or by TLS"
    if profile in STRICT and auth_method not in FAPI2_METHODS:
        return f"a {profile} client authenticates by private_key_jwt or mutual TLS"
    if profile == HAIP and Demand.TLS in demands:
        return "tokens of a haip client are bound by DPoP"
    return None

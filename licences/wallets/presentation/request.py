"""What a wallet is asked (出示请求): the authorization request of OpenID4VP 1.0 sections 5 and 8, HAIP 1.0 section 5.

`open` asks wallets of any kind, `haip` those of the high-assurance profile: a signed request under a certificate's
hash, an encrypted answer, ES256, and credentials whose holder proves himself. The request object is a JWT of type
`oauth-authz-req+jwt` (RFC 9101) whose header brings the verifier's certificate.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from keys.base64url import b64u
from licences.wallets.presentation.dcql import MDOC, SD_JWT
from licences.wallets.presentation.response import ALGORITHM, ENCRYPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE: Final = "oauth-authz-req+jwt"
MEDIA_TYPE: Final = f"application/{TYPE}"
#: Whoever the wallet is (section 5.8): a verifier that has not discovered it says so.
ANY_WALLET: Final = "https://self-issued.me/v2"
DIRECT_POST, ENCRYPTED = "direct_post", "direct_post.jwt"
_ES256_COSE: Final = -7
_FORMATS: Final[dict[str, dict[str, list[Any]]]] = {
    SD_JWT: {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]},
    MDOC: {"issuerauth_alg_values": [_ES256_COSE], "deviceauth_alg_values": [_ES256_COSE]},
}


class Profile(StrEnum):
    """By which rules a wallet is asked."""

    OPEN = "open"
    HAIP = "haip"


class Prefix(StrEnum):
    """How the wallet learns who asks (section 5.9.3); the last is a client that the wallet knows beforehand."""

    X509_HASH = "x509_hash"
    X509_SAN_DNS = "x509_san_dns"
    REDIRECT_URI = "redirect_uri"
    PRE_REGISTERED = "pre_registered"


#: The scheme of the link that opens a wallet.
SCHEMES: Final = {Profile.OPEN: "openid4vp", Profile.HAIP: "haip-vp"}


@dataclass(frozen=True, slots=True)
class Stated:
    """All that a request states; `jwk` is the public key for an encrypted answer, with its `kid`."""

    client_id: str
    response_uri: str
    nonce: str
    state: str
    dcql_query: Mapping[str, Any]
    jwk: Mapping[str, str] | None
    client_name: str

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the request."""
        metadata: dict[str, Any] = {"client_name": self.client_name, "vp_formats_supported": _formats(self.dcql_query)}
        if self.jwk is not None:
            key = {**self.jwk, "use": "enc", "alg": ALGORITHM}
            metadata |= {"jwks": {"keys": [key]}, "encrypted_response_enc_values_supported": list(ENCRYPTIONS)}
        return {
            "response_type": "vp_token",
            "response_mode": DIRECT_POST if self.jwk is None else ENCRYPTED,
            "client_id": self.client_id,
            "response_uri": self.response_uri,
            "nonce": self.nonce,
            "state": self.state,
            "dcql_query": self.dcql_query,
            "client_metadata": metadata,
        }

    def link(self, profile: Profile) -> str:
        """Return the link that carries the whole request, unsigned, for a client id that is the response address."""
        parts = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            for name, value in self.parameters().items()
        }
        return f"{SCHEMES[profile]}://?{urlencode(parts)}"


def client_id(prefix: Prefix, *, certificate: bytes, host: str, response_uri: str) -> str:
    """Return the client identifier with its prefix; `certificate` is the DER of the verifier's own."""
    if prefix is Prefix.PRE_REGISTERED:
        return host
    values = {
        Prefix.X509_HASH: b64u(hashlib.sha256(certificate).digest()),
        Prefix.X509_SAN_DNS: host,
        Prefix.REDIRECT_URI: response_uri,
    }
    return f"{prefix}:{values[prefix]}"


def reference(profile: Profile, *, client_id: str, request_uri: str) -> str:
    """Return the link that names a signed request, to be fetched once by POST (section 5.10)."""
    parts = {"client_id": client_id, "request_uri": request_uri, "request_uri_method": "post"}
    return f"{SCHEMES[profile]}://?{urlencode(parts)}"


def _formats(query: Mapping[str, Any]) -> dict[str, Any]:
    asked = {credential["format"] for credential in query["credentials"]}
    return {name: _FORMATS.get(name, {"alg_values": ["ES256"]}) for name in sorted(asked)}

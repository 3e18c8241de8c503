"""The provider's description of itself: OpenID Connect Discovery 1.0 section 3 and RFC 8414. Only what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.oauth import clients, scopes, tokens

if TYPE_CHECKING:
    from idservice.settings import Settings

ASSERTION_ALGORITHMS = ["ES256", "EdDSA", "PS256"]
_TOKEN_CLAIMS = ("sub", "act", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash")
CONFIDENTIAL = [method for method in clients.AUTH_METHODS if method != "none"]


def document(settings: Settings) -> dict[str, Any]:
    """Return the metadata document of this issuer."""
    issuer = settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/end_session",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "service_documentation": f"{issuer}/docs",
        "protected_resources": [tokens.resource(settings)],
        "scopes_supported": list(scopes.CATALOGUE),
        "claims_supported": [*_TOKEN_CLAIMS, *(name for name in scopes.CLAIM_TITLES if name != "sub")],
        "claim_types_supported": ["normal"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(clients.GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent"],
        "acr_values_supported": [tokens.acr(("pwd",))],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": list(clients.AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": list(clients.AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["zh-CN", "en"],
    }

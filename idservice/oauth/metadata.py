"""The provider's description of itself: OpenID Connect Discovery 1.0 section 3 and RFC 8414. Only what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.login import step_up
from idservice.oauth import clients, detail_types, dpop, mtls, response_jwt, rules, scopes, tokens, verified_claims
from idservice.oauth.claims_request import VERIFIED
from idservice.oauth.profiles import TLS_METHODS

if TYPE_CHECKING:
    from idservice.settings import Settings

ASSERTION_ALGORITHMS = ["ES256", "EdDSA", "PS256"]
_TOKEN_CLAIMS = ("sub", "act", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")


def document(settings: Settings) -> dict[str, Any]:
    """Return the metadata document of this issuer."""
    issuer = settings.issuer
    methods = _methods(settings)
    confidential = [method for method in methods if method != "none"]
    return (
        _mutual_tls(settings)
        | _sessions(issuer)
        | verified_claims.metadata()
        | {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
            "require_pushed_authorization_requests": False,
            "userinfo_endpoint": f"{issuer}/oauth/userinfo",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "end_session_endpoint": f"{issuer}/oauth/end_session",
            "device_authorization_endpoint": f"{issuer}/oauth/device_authorization",
            "backchannel_authentication_endpoint": f"{issuer}/oauth/backchannel_authentication",
            "backchannel_token_delivery_modes_supported": ["poll", "ping"],
            "backchannel_user_code_parameter_supported": False,
            "backchannel_binding_code_endpoint": f"{issuer}/oauth/binding_code",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "consent_receipt_jwks_uri": f"{issuer}/.well-known/consent-receipt-jwks.json",
            "service_documentation": f"{issuer}/docs",
            "protected_resources": [tokens.resource(settings)],
            "scopes_supported": list(scopes.CATALOGUE),
            "claims_supported": [*_TOKEN_CLAIMS, *(name for name in scopes.CLAIM_TITLES if name != "sub"), VERIFIED],
            "claim_types_supported": ["normal"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", *sorted(rules.SIGNED_MODES)],
            "authorization_signing_alg_values_supported": list(response_jwt.ALGORITHMS),
            "grant_types_supported": list(clients.GRANT_TYPES),
            "code_challenge_methods_supported": ["S256"],
            "pre-authorized_grant_anonymous_access_supported": False,
            "prompt_values_supported": ["none", "login", "consent"],
            "acr_values_supported": list(step_up.offered(settings)),
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            "introspection_endpoint_auth_methods_supported": confidential,
            "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            "introspection_signing_alg_values_supported": list(response_jwt.ALGORITHMS),
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": True,
            "authorization_details_types_supported": list(detail_types.names()),
            "request_parameter_supported": True,
            "request_object_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            "require_signed_request_object": False,
            "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
            "request_uri_parameter_supported": False,
            "ui_locales_supported": ["zh-CN", "en"],
        }
    )


def _sessions(issuer: str) -> dict[str, Any]:
    """Return what dynamic registration, the logout specifications and Session Management 1.0 add."""
    return {
        "registration_endpoint": f"{issuer}/oauth/register",
        "check_session_iframe": f"{issuer}/oauth/check_session",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }


def _methods(settings: Settings) -> list[str]:
    """Return how clients may authenticate; by certificate only where certificates reach us."""
    with_tls = mtls.is_configured(settings)
    return [method for method in clients.AUTH_METHODS if with_tls or method not in TLS_METHODS]


def _mutual_tls(settings: Settings) -> dict[str, Any]:
    """Return what RFC 8705 sections 3.3 and 5 add."""
    if not mtls.is_configured(settings):
        return {"tls_client_certificate_bound_access_tokens": False}
    found: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": True}
    if settings.mtls_origin is not None:
        found["mtls_endpoint_aliases"] = {
            f"{name}_endpoint": f"{settings.mtls_origin}/oauth/{path}"
            for name, path in (
                ("token", "token"),
                ("pushed_authorization_request", "par"),
                ("introspection", "introspect"),
                ("revocation", "revoke"),
                ("userinfo", "userinfo"),
            )
        }
    return found

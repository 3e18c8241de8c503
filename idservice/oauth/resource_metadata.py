"""Protected resource metadata (受保护资源元数据): RFC 9728. Where callers learn whose tokens our API takes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.oauth import detail_types, scopes, tokens

if TYPE_CHECKING:
    from idservice.settings import Settings

PATH = "/.well-known/oauth-protected-resource"
NO_SCOPES_OF_THE_API = frozenset({"openid", "profile", "phone", "offline_access"})  # what these give is in the ID token


def address(settings: Settings) -> str:
    """Return where the metadata of our API is, as RFC 9728 section 3.1 builds it, for `WWW-Authenticate`."""
    return f"{settings.issuer}{PATH}{tokens.resource(settings).removeprefix(settings.issuer)}"


def document(settings: Settings) -> dict[str, Any]:
    """Return the metadata of our own API."""
    return {
        "resource": tokens.resource(settings),
        "authorization_servers": [settings.issuer],
        "scopes_supported": [name for name in scopes.CATALOGUE if name not in NO_SCOPES_OF_THE_API],
        "authorization_details_types_supported": list(detail_types.names()),
        "bearer_methods_supported": ["header"],
        "resource_name": "One Number Access",
        "resource_name#zh-CN": "一号通行",
        "resource_documentation": f"{settings.issuer}/docs",
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "PS256"],
        "dpop_bound_access_tokens_required": False,
    }

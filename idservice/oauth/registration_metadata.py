"""Client metadata (客户端元数据) as a stranger states it: RFC 7591 section 2, OpenID Connect Registration 1.0.

Read into what `clients.checked` takes, which holds the rules of every client. What would not be honoured is refused
where that could hurt, and left out of the answer otherwise. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idservice.oauth import registration_uris
from idservice.oauth.clients import AUTH_METHODS, LOGOUT_URIS
from idservice.oauth.profiles import PROFILES, STANDARD, Demand
from idservice.oauth.redirects import MAX_LENGTH

SIGNED_BY_US = "ES256"
SIGNED_BY_THEM = frozenset({"ES256", "EdDSA", "PS256"})
SHOWN_URIS = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")
SESSION_REQUIRED = ("backchannel_logout_session_required", "frontchannel_logout_session_required")
# The value these may have; any other would be silently broken later.
FIXED: Mapping[str, frozenset[Any]] = {
    "subject_type": frozenset({"pairwise"}),
    "id_token_signed_response_alg": frozenset({SIGNED_BY_US}),
    "authorization_signed_response_alg": frozenset({SIGNED_BY_US}),
    "introspection_signed_response_alg": frozenset({SIGNED_BY_US}),
    "token_endpoint_auth_signing_alg": SIGNED_BY_THEM,
    "request_object_signing_alg": SIGNED_BY_THEM,
    "application_type": frozenset({"web", "native"}),
    "token_endpoint_auth_method": frozenset(AUTH_METHODS),
    "profile": frozenset(PROFILES),
}
TOLD_AGAIN = (
    "contacts",
    "software_id",
    "software_version",
    *(FIXED.keys() - {"token_endpoint_auth_method", "profile"}),
)


class MetadataRefused(ValueError):
    """The metadata is not acceptable: `error` is a code of RFC 7591 section 3.2.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True, slots=True)
class Stated:
    """What a registration states, ready for `clients.checked` but for its keys and its sector."""

    values: Mapping[str, Any]
    jwks: Mapping[str, Any] | None
    jwks_uri: str | None
    sector_identifier_uri: str | None


def read(members: Any, *, unit: str, default_scope: str, loopback: bool) -> Stated:
    """Return what the members of a registration request state.

    Args:
        members: the JSON body.
        unit: who answers for the client: the owner of the initial access token.
        default_scope: where none is stated.
        loopback: whether this machine may be told of logouts.

    Raises:
        MetadataRefused: invalid_client_metadata, invalid_redirect_uri or invalid_software_statement.
    """
    if not isinstance(members, dict):
        raise _refused("The body is a JSON object.")
    if "software_statement" in members:
        raise MetadataRefused("invalid_software_statement", "Software statements are not taken here.")
    _check_fixed(members)
    if _texts(members, "response_types") not in ([], ["code"]):
        raise _refused("response_types is code alone.")
    auth_method = _text(members, "token_endpoint_auth_method", "client_secret_basic")
    jwks, jwks_uri = members.get("jwks"), _uri(members, "jwks_uri")
    if jwks is not None and (jwks_uri is not None or not isinstance(jwks, dict)):
        raise _refused("Send jwks, a JWK Set, or jwks_uri, not both.")
    about = {name: uri for name in SHOWN_URIS if (uri := _uri(members, name)) is not None}
    about |= {name: members[name] for name in TOLD_AGAIN if name in members}
    sector_identifier_uri = _uri(members, "sector_identifier_uri")
    if sector_identifier_uri is not None:
        about["sector_identifier_uri"] = sector_identifier_uri
    values = {
        "name": _name(members),
        "unit": unit,
        "auth_method": auth_method,
        "grant_types": _texts(members, "grant_types") or ["authorization_code"],
        "scope": _text(members, "scope", default_scope),
        "redirect_uris": _texts(members, "redirect_uris"),
        "post_logout_redirect_uris": _texts(members, "post_logout_redirect_uris"),
        "profile": _text(members, "profile", STANDARD),
        "demands": [str(demand) for demand in Demand if _flag(members, demand)],
        "certificate": {n: v for n, v in members.items() if n.startswith("tls_client_auth_")} or None,
        "about": about or None,
        "logout": _logout(members, loopback=loopback),
        "authorization_details_types": _texts(members, "authorization_details_types"),
    }
    return Stated(values, jwks, jwks_uri, sector_identifier_uri)


def _check_fixed(members: Mapping[str, Any]) -> None:
    for name, allowed in FIXED.items():
        if name in members and (not isinstance(members[name], str) or members[name] not in allowed):
            raise _refused(f"{name} is one of: {', '.join(sorted(allowed))}.")
    encrypted = next((name for name in members if name.endswith(("_encrypted_response_alg", "_encryption_alg"))), None)
    if encrypted is not None or "userinfo_signed_response_alg" in members:
        raise _refused("Answers are not encrypted, and userinfo is not signed.")
    _texts(members, "contacts")
    for name in ("software_id", "software_version"):
        _text(members, name, "")


def _logout(members: Mapping[str, Any], *, loopback: bool) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for name in LOGOUT_URIS:
        uri = members.get(name)
        if uri is None:
            continue
        if not isinstance(uri, str) or not registration_uris.may_be_told(uri, loopback=loopback):
            raise _refused(f"{name} is an https URI of a public host.")
        found[name] = uri
    found |= {name: _flag(members, name) for name in SESSION_REQUIRED if name in members}
    return found or None


def _name(members: Mapping[str, Any]) -> str:
    name = _text(members, "client_name", "").strip()
    if not name or len(name) > 128 or not name.isprintable():
        raise _refused("client_name is what people read at consent: 1 to 128 printable characters.")
    return name


def _uri(members: Mapping[str, Any], name: str) -> str | None:
    uri = members.get(name)
    if uri is None:
        return None
    if not isinstance(uri, str) or not registration_uris.is_public(uri):
        raise _refused(f"{name} is an https URI of a public host.")
    return uri


def _text(members: Mapping[str, Any], name: str, default: str) -> str:
    value = members.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_LENGTH or "\0" in value:
        raise _refused(f"{name} is a text.")
    return value


def _texts(members: Mapping[str, Any], name: str) -> list[str]:
    values = members.get(name, [])
    if not isinstance(values, list) or len(values) > 32 or not all(isinstance(v, str) for v in values):
        raise _refused(f"{name} is an array of at most 32 texts.")
    if any(len(value) > MAX_LENGTH or "\0" in value for value in values):
        raise _refused(f"{name} holds a text that is too long.")
    return values


def _flag(members: Mapping[str, Any], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise _refused(f"{name} is true or false.")
    return value


def _refused(description: str) -> MetadataRefused:
    return MetadataRefused("invalid_client_metadata", description)

"""Signed authorization requests (签名请求对象): JAR, RFC 9101, as FAPI 2.0 Message Signing section 5.3.1 narrows it.

Signed with a registered key of the app, never unsigned or encrypted, for us, for an hour at most. What stands in the
object is the whole request; of what stands beside it only `client_id` is read, to know whose key it must be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from idservice.oauth import client_keys, clients, resource_servers
from keys import claims
from keys.jws import JWSError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from idservice.oauth.par import Pairs

TYPES = frozenset({None, "oauth-authz-req+jwt"})
MAX_SECONDS = 3600  # from `nbf` until `exp`, and since `nbf`
_OF_THE_JWT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})


class RequestObjectRefused(Exception):
    """The signed request does not hold."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def opened(call: Call, sent: Pairs) -> Pairs:
    """Return the parameters within the `request` that was sent, or those that were sent where there is none.

    Raises:
        RequestObjectRefused: `invalid_request_object`; or `request_not_supported` of an app without keys.
    """
    objects = [value for name, value in sent if name == "request"]
    if not objects:
        return sent
    client_ids = [value for name, value in sent if name == "client_id"]
    if len(objects) != 1 or len(client_ids) != 1:
        raise _refused("request and client_id are needed, once each.")
    app = clients.find(call, client_ids[0])
    if app is None or app.jwks is None:
        raise RequestObjectRefused("request_not_supported", "No keys are registered for this app.")
    try:
        payload = client_keys.verified(app, objects[0], typ=TYPES, now=call.now).payload
        claims.check(payload, issuer=app.client_id, audience=call.settings.issuer, now=call.now)
    except JWSError as error:
        raise _refused(f"The request object is refused: {error.code}.") from None
    _in_time(payload, call.now.timestamp())
    if payload.get("client_id") != app.client_id or payload.get("sub") == app.client_id:
        raise _refused("client_id is not that of the request object, or it reads like a client assertion.")
    if not payload.keys().isdisjoint({"request", "request_uri"}):
        raise _refused("A request object holds no other one.")
    return [
        (name, _text(value))
        for name, member in payload.items()
        if name not in _OF_THE_JWT
        for value in _values(name, member)
        if value != ""
    ]


def _in_time(payload: Mapping[str, Any], moment: float) -> None:
    if "nbf" not in payload:
        raise _refused("nbf is missing.")
    if payload["exp"] - payload["nbf"] > MAX_SECONDS or moment - payload["nbf"] > MAX_SECONDS:
        raise _refused("A request object is good for an hour at most.")


def _values(name: str, member: Any) -> list[Any]:
    """Return a member once, or each element of the one that may be sent more than once (RFC 8707 section 2)."""
    return member if name == resource_servers.PARAMETER and isinstance(member, list) else [member]


def _text(value: Any) -> str:
    """Return a member as the parameter it stands for (RFC 9101 section 4)."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refused(description: str) -> RequestObjectRefused:
    return RequestObjectRefused("invalid_request_object", description)

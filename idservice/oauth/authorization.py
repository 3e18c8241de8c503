"""An authorization request (授权请求), however it comes: in the URL, in a signed object, or pushed ahead.

RFC 6749 section 4.1.1, RFC 9101 section 6, RFC 9126 section 4. Until client and redirect URI are known to belong
together, a fault is shown on our own page: an answer sent to an address nobody vouches for is an open redirector. From
then on every fault goes back to the app, with `state` and `iss` (RFC 9207).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from idservice.errors import Kind, Problem, register
from idservice.oauth import (
    authorization_details,
    clients,
    granted,
    offers,
    par,
    request_object,
    resource_servers,
    scopes,
)
from idservice.oauth.granted import Granted
from idservice.oauth.profiles import Demand
from idservice.oauth.request_object import RequestObjectRefused
from idservice.oauth.rules import RULES, SIGNED_MODES, is_text

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.par import Pairs, Pushed

PATH = "/oauth/authorize"
register(
    {"authorization_request": Kind(400, "应用发来的登录请求不正确", "The app sent a login request that is not valid")}
)


class AuthorizationRefused(Exception):
    """The request is refused; the app is told at its validated redirect URI."""

    def __init__(self, asked: Asker, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.asked = asked
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks and where the answer goes: both validated. `wants_signed` asks for a signed answer (JARM)."""

    app: App
    redirect_uri: str
    state: str | None
    wants_signed: bool = False

    def answer(self, issuer: str, **members: str) -> str:
        """Return the redirect URI with `members`, `state` and `iss` added to its query."""
        query = {**members, **({"state": self.state} if self.state is not None else {}), "iss": issuer}
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every rule. `digest` stands for its exact parameters."""

    asker: Asker
    scope: tuple[str, ...]
    code_challenge: str
    nonce: str | None
    prompt: frozenset[str]
    max_age: int | None
    id_token_hint: str | None
    digest: str
    acr_values: tuple[str, ...] = ()
    ui_locales: str = ""
    granted: Granted = granted.NOTHING  # what it asks for beyond the scope
    dpop_jkt: str | None = None  # thumbprint of the key that must redeem the code
    pushed: Pushed | None = None
    issuer_state: str | None = None  # of an offer that the wallet was given

    @property
    def app(self) -> App:
        """Return the client that asks."""
        return self.asker.app


def read(call: Call, pairs: Iterable[tuple[str, str]]) -> AuthorizationRequest:
    """Return the request of the authorization endpoint that these parameters make or name.

    Raises:
        Problem: authorization_request, where nobody can be told but the visitor.
        AuthorizationRefused: where the app can be told.
    """
    sent = [(name, value) for name, value in pairs if value]
    digest = hashlib.sha256(json.dumps(sent).encode()).hexdigest()
    pushed = par.named(call, sent)
    if pushed is not None:
        return check(call, pushed.parameters, digest=digest, pushed=pushed)
    try:
        opened = request_object.opened(call, sent)
    except RequestObjectRefused as refused:
        raise AuthorizationRefused(find_asker(call, sent), refused.code, refused.description) from None
    asked = check(call, opened, digest=digest)
    if asked.app.must_push:
        raise AuthorizationRefused(asked.asker, "invalid_request", "This app must push its requests (RFC 9126).")
    refuse_unsigned(asked, is_signed=opened is not sent)
    return asked


def check(call: Call, sent: Pairs, *, digest: str = "", pushed: Pushed | None = None) -> AuthorizationRequest:
    """Return the request made of these parameters if it passes every rule; raises as `read` does.

    `digest` is that of the parameters of the URL, `pushed` what they name.
    """
    asker = find_asker(call, sent)
    try:
        sent = resource_servers.folded(sent)
    except ValueError as error:
        raise AuthorizationRefused(asker, "invalid_target", f"{error}.") from None
    parameters = dict(sent)
    for rule in RULES:
        fault = rule(call, asker.app, parameters)
        if fault is not None:
            raise AuthorizationRefused(asker, *fault)
    if len(parameters) != len(sent):
        raise AuthorizationRefused(asker, "invalid_request", "A parameter is sent more than once.")
    more = granted.asked(call, asker.app, parameters, with_claims=True)
    asked_scope = scopes.split(parameters.get("scope")) or ()
    return AuthorizationRequest(
        asker=asker,
        scope=authorization_details.without_governed(asked_scope, more.details),
        code_challenge=parameters["code_challenge"],
        nonce=parameters.get("nonce"),
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else None,
        id_token_hint=parameters.get("id_token_hint"),
        digest=digest,
        acr_values=_acr_values(more, parameters),
        granted=more,
        ui_locales=parameters.get("ui_locales", ""),
        dpop_jkt=parameters.get("dpop_jkt"),
        pushed=pushed,
        issuer_state=parameters.get(offers.PARAMETER),
    )


def _acr_values(more: Granted, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the classes of login that will do: those of the claims parameter, where it names some, else acr_values."""
    acr = more.claims.acr
    named = tuple(str(value) for value in acr.values) if acr is not None else ()
    return named or tuple(parameters.get("acr_values", "").split())


def refuse_unsigned(asked: AuthorizationRequest, *, is_signed: bool) -> None:
    """Hold an app to signing its requests where it is registered so (RFC 9101 section 10.5)."""
    if not is_signed and Demand.SIGNED in asked.app.demands:
        raise AuthorizationRefused(asked.asker, "invalid_request", "This app must sign its requests (RFC 9101).")


def find_asker(call: Call, sent: Pairs) -> Asker:
    """Return client and redirect URI if they belong together; Problem otherwise, and never a redirect."""
    found: dict[str, list[str]] = {}
    for name, value in sent:
        found.setdefault(name, []).append(value)
    client_ids, uris, states = (found.get(name, []) for name in ("client_id", "redirect_uri", "state"))
    if len(client_ids) != 1 or len(uris) != 1:
        raise Problem("authorization_request", "client_id and redirect_uri are needed, once each.")
    app = clients.find(call, client_ids[0])
    if app is None or not app.check_grant_type("authorization_code"):
        raise Problem("authorization_request", "The app is not registered here, or not for logging people in.")
    if not app.check_redirect_uri(uris[0]):
        raise Problem("authorization_request", "The redirect_uri is not one the app has registered.")
    state = states[0] if len(states) == 1 and is_text(states[0]) else None
    wants_signed = any(name == "response_mode" and value in SIGNED_MODES for name, value in sent)
    return Asker(app, uris[0], state, wants_signed)


def asker_of(call: Call, local_url: str) -> Asker | None:
    """Return who asks in the authorization request that a local URL leads back to, or None where it leads elsewhere."""
    path, _, query = local_url.partition("?")
    if path != PATH:
        return None
    try:
        sent = [(name, value) for name, value in parse_qsl(query, max_num_fields=64) if value]
        pushed = par.named(call, sent)
        return find_asker(call, request_object.opened(call, sent) if pushed is None else pushed.parameters)
    except (Problem, RequestObjectRefused, ValueError):
        return None

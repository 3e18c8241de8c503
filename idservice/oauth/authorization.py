"""An authorization request (授权请求) and the rules it must pass, in order.

RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2, OpenID Connect Core 1.0 section 3.1.2.1. Until client
and redirect URI are known to belong together, a fault is shown on our own page: an answer sent to an address nobody
vouches for is an open redirector. From then on every fault goes back to the app, with `state` and `iss` (RFC 9207).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from idservice.errors import Kind, Problem, register
from idservice.oauth import clients, scopes, tokens

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App

PATH = "/oauth/authorize"
MAX_VALUE = 2048
MAX_NONCE = 512
PROMPTS = frozenset({"none", "login", "consent"})

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # base64url of a SHA-256

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
    """Who asks and where the answer goes: both validated."""

    app: App
    redirect_uri: str
    state: str | None

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

    @property
    def app(self) -> App:
        """Return the client that asks."""
        return self.asker.app


Parameters = Mapping[str, str]


def read(call: Call, pairs: Iterable[tuple[str, str]]) -> AuthorizationRequest:
    """Return the request made of these parameters.

    Raises:
        Problem: authorization_request, where nobody can be told but the visitor.
        AuthorizationRefused: where the app can be told.
    """
    sent = [(name, value) for name, value in pairs if value]
    asker = find_asker(call, sent)
    parameters = dict(sent)
    for rule in RULES:
        fault = rule(call, asker.app, parameters)
        if fault is not None:
            raise AuthorizationRefused(asker, *fault)
    if len(parameters) != len(sent):
        raise AuthorizationRefused(asker, "invalid_request", "A parameter is sent more than once.")
    return AuthorizationRequest(
        asker=asker,
        scope=scopes.split(parameters["scope"]) or (),
        code_challenge=parameters["code_challenge"],
        nonce=parameters.get("nonce"),
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else None,
        id_token_hint=parameters.get("id_token_hint"),
        digest=hashlib.sha256(urlencode(sent).encode()).hexdigest(),
    )


def find_asker(call: Call, sent: list[tuple[str, str]]) -> Asker:
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
    state = states[0] if len(states) == 1 and _is_text(states[0]) else None
    return Asker(app, uris[0], state)


def asker_of(call: Call, local_url: str) -> Asker | None:
    """Return who asks in the authorization request that a local URL leads back to, or None where it leads elsewhere."""
    path, _, query = local_url.partition("?")
    if path != PATH:
        return None
    try:
        return find_asker(call, [(name, value) for name, value in parse_qsl(query, max_num_fields=64) if value])
    except (Problem, ValueError):
        return None


def _is_text(value: str) -> bool:
    return len(value) <= MAX_VALUE and value.isprintable()


# --- the rules, each one question; the first fault is the answer ----------------------------------------------------

Fault = tuple[str, str] | None


def every_value_is_text(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Bound every value, and keep control characters out of the database and the logs."""
    is_sound = all(_is_text(value) or name == "id_token_hint" for name, value in sent.items())
    return None if is_sound else ("invalid_request", "A parameter is too long or holds control characters.")


def no_request_object(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Refuse what would replace these parameters by others (OpenID Connect Core 1.0 section 3.1.2.6)."""
    for name in ("request", "request_uri", "registration"):
        if name in sent:
            return f"{name}_not_supported", f"{name} is not supported."
    return None


def response_is_a_code(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Answer with a code in the query and nothing else (RFC 9700 section 2.1.2)."""
    if "response_type" not in sent:
        return "invalid_request", "response_type is missing."
    if sent["response_type"] != "code":
        return "unsupported_response_type", "Only response_type code is offered."
    if sent.get("response_mode", "query") != "query":
        return "invalid_request", "Only response_mode query is offered."
    return None


def scope_is_the_apps(_call: Call, app: App, sent: Parameters) -> Fault:
    """Refuse a scope that does not exist or is not the app's; none is dropped in silence."""
    asked = scopes.split(sent.get("scope"))
    if not asked or not set(asked) <= set(app.scope):
        return "invalid_scope", "scope is missing, unknown, or not registered for this app."
    return None


def challenge_is_s256(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Demand PKCE with S256 of every client (RFC 9700 section 2.1.1)."""
    if sent.get("code_challenge_method") != "S256":
        return "invalid_request", "code_challenge_method S256 is required."
    if not _CHALLENGE.match(sent.get("code_challenge", "")):
        return "invalid_request", "code_challenge is missing or malformed."
    return None


def nonce_is_short(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Bound what is carried into the ID token."""
    return ("invalid_request", "nonce is too long.") if len(sent.get("nonce", "")) > MAX_NONCE else None


def prompt_is_known(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Accept `none` alone, or `login` and `consent`."""
    prompts = frozenset(sent.get("prompt", "").split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        return "invalid_request", "prompt is none, or of login and consent."
    return None


def max_age_is_seconds(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Accept a whole number of seconds."""
    text = sent.get("max_age", "0")
    is_seconds = text.isascii() and text.isdecimal() and len(text) <= 9
    return None if is_seconds else ("invalid_request", "max_age is a number of seconds.")


def resource_is_ours(call: Call, _app: App, sent: Parameters) -> Fault:
    """Accept our own API as the resource (RFC 8707 section 2)."""
    own = tokens.resource(call.settings)
    return None if sent.get("resource", own) == own else ("invalid_target", "This resource is not served here.")


RULES: tuple[Callable[[Call, App, Parameters], Fault], ...] = (
    every_value_is_text,
    no_request_object,
    response_is_a_code,
    scope_is_the_apps,
    challenge_is_s256,
    nonce_is_short,
    prompt_is_known,
    max_age_is_seconds,
    resource_is_ours,
)

"""The rules an authorization request must pass (授权请求规则), each one question; the first fault is the answer.

RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2, RFC 9396 section 3, RFC 9449 section 10, OpenID
Connect Core 1.0 sections 3.1.2.1 and 5.5. They are the same for a request in the URL, signed and pushed ahead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from idservice.login import step_up
from idservice.oauth import authorization_details, granted, offers, scopes
from idservice.oauth.granted import NotGrantable

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App

MAX_VALUE = 2048
MAX_NONCE = 512
PROMPTS = frozenset({"none", "login", "consent"})
SIGNED_MODES = frozenset({"jwt", "query.jwt"})  # JARM section 2.3: for a code, `jwt` is `query.jwt`

BOUNDED_ELSEWHERE = frozenset({"id_token_hint", authorization_details.PARAMETER, granted.CLAIMS})  # where they are read

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # base64url of a SHA-256

Parameters = Mapping[str, str]
Fault = tuple[str, str] | None


def is_text(value: str) -> bool:
    """Return whether a value is short and without control characters."""
    return len(value) <= MAX_VALUE and value.isprintable()


def every_value_is_text(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Bound every value, and keep control characters out of the database and the logs."""
    is_sound = all(is_text(value) or name in BOUNDED_ELSEWHERE for name, value in sent.items())
    return None if is_sound else ("invalid_request", "A parameter is too long or holds control characters.")


def no_request_object(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Refuse a request object that was not opened before: fetched from somewhere, or one within another."""
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
    if sent.get("response_mode", "query") not in {"query", *SIGNED_MODES}:
        return "invalid_request", "response_mode is query or query.jwt."
    return None


def scope_is_the_apps(_call: Call, app: App, sent: Parameters) -> Fault:
    """Refuse a scope that does not exist or is not the app's; none is dropped in silence. Details need no scope."""
    if "scope" not in sent and authorization_details.PARAMETER in sent:
        return None
    asked = scopes.split(sent.get("scope"))
    if not asked or not set(asked) <= set(app.scope):
        return "invalid_scope", "scope is missing, unknown, or not registered for this app."
    return None


def challenge_is_s256(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Demand PKCE with S256 of every client (RFC 9700 section 2.1.1)."""
    if sent.get("code_challenge_method") != "S256":
        return "invalid_request", "code_challenge_method S256 is required."
    if not _THUMBPRINT.match(sent.get("code_challenge", "")):
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


def the_rest_can_be_granted(call: Call, app: App, sent: Parameters) -> Fault:
    """Read authorization details, resources and claims, and refuse what could never be granted."""
    try:
        asked = granted.asked(call, app, sent, with_claims=True)
    except NotGrantable as error:
        return error.error, error.description
    acr = asked.claims.acr
    if acr is not None and acr.is_essential and acr.values and step_up.reachable(call, acr.values) is None:
        return "unmet_authentication_requirements", "None of the essential values of acr can be reached here."
    return None


def offer_is_alive(call: Call, _app: App, sent: Parameters) -> Fault:
    """Accept the name of an offer that was made here and still stands (OpenID4VCI 1.0 section 5.1.3)."""
    state = sent.get(offers.PARAMETER)
    if state is None or offers.invited(call, state) is not None:
        return None
    return "invalid_request", "The offer named by issuer_state is unknown or has expired."


def key_is_a_thumbprint(_call: Call, _app: App, sent: Parameters) -> Fault:
    """Accept the thumbprint of a key, which alone may redeem the code."""
    is_sound = _THUMBPRINT.match(sent.get("dpop_jkt", "A" * 43)) is not None
    return None if is_sound else ("invalid_request", "dpop_jkt is the SHA-256 thumbprint of a key.")


RULES: tuple[Callable[[Call, App, Parameters], Fault], ...] = (
    every_value_is_text,
    no_request_object,
    response_is_a_code,
    scope_is_the_apps,
    challenge_is_s256,
    nonce_is_short,
    prompt_is_known,
    max_age_is_seconds,
    the_rest_can_be_granted,
    offer_is_alive,
    key_is_a_thumbprint,
)

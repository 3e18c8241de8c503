"""A logout request of an app, OpenID Connect RP-Initiated Logout 1.0 section 2: whose is it, where does it lead?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from idservice.errors import Kind, Problem, register
from idservice.oauth import clients, id_token_hint

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")

register({"logout_request": Kind(400, "应用发来的退出请求不正确", "The app sent a logout request that is not valid")})


@dataclass(frozen=True, slots=True)
class Leaving:
    """A logout request: the app that sent it, and where to go afterwards; None where that is nobody's word."""

    app: App | None
    redirect_uri: str | None


def read(call: Call, sent: Mapping[str, str]) -> Leaving:
    """Return what the request may have.

    A redirect needs an ID token of ours as its voucher and a registered URI, compared exactly.

    Raises:
        Problem: logout_request, if it contradicts itself; nobody is logged out by it, or sent anywhere.
    """
    text = sent.get("id_token_hint")
    hint = id_token_hint.read(call, text) if text else None
    client_id = sent.get("client_id") or (hint[0] if hint else None)
    if (text and hint is None) or (hint and client_id != hint[0]):
        raise Problem("logout_request", "The id_token_hint is not an ID token of ours for this app.")
    app = clients.find(call, client_id) if client_id else None
    uri, state = sent.get("post_logout_redirect_uri"), sent.get("state", "")
    if not uri or hint is None or app is None:
        return Leaving(app, None)
    if uri not in app.post_logout_redirect_uris or len(state) > 2048:
        raise Problem("logout_request", "The post_logout_redirect_uri is not one the app has registered.")
    return Leaving(app, f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}" if state else uri)

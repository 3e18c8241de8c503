"""Front-channel logout (前端退出通知): OpenID Connect Front-Channel Logout 1.0 section 3, by pages in frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from idservice.oauth.logout_tokens import session_name
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App


def frames(call: Call, apps: Iterable[App], chain: bytes) -> list[str]:
    """Return the addresses that the browser must visit so that these apps end their own sessions."""
    secret = call.keys.secret(Purpose.SUBJECT)
    found = []
    for app in apps:
        uri = app.logout.get("frontchannel_logout_uri")
        if uri is not None:
            told = {"iss": call.settings.issuer, "sid": session_name(secret, app.client_id, chain)}
            found.append(f"{uri}{'&' if '?' in uri else '?'}{urlencode(told)}")
    return found

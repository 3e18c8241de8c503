"""Back-channel logout (后端退出通知): OpenID Connect Back-Channel Logout 1.0. Written at logout, sent later."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from idservice import outbound
from idservice.events import outbox
from idservice.events.delivery import Sent
from idservice.oauth import clients, logout_tokens
from idservice.oauth.subjects import pairwise
from keys.jws import encode
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call, House
    from idservice.events.outbox import Waiting
    from idservice.oauth.clients import App

KIND = "logout"
KEPT = timedelta(hours=12)  # no session lasts longer by default: what an app still holds then is its own


def put(call: Call, app: App, holder: str, chain: bytes) -> None:
    """Leave a notice for `app` that a session has ended, if it wants to hear of it.

    `holder` is whom its ID token was about: the person, or whoever he acted for.
    """
    if app.logout.get("backchannel_logout_uri") is None:
        return
    secret = call.keys.secret(Purpose.SUBJECT)
    facts = {
        "jti": secrets.token_urlsafe(16),
        "sub": pairwise(secret, app.sector, holder),
        "sid": logout_tokens.session_name(secret, app.client_id, chain),
    }
    outbox.put(call, KIND, app.client_id, facts, keep=KEPT)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Sign a logout token and post it to the app (section 2.5)."""
    app = clients.find_outside(house, notice.target, now)
    uri = app.logout.get("backchannel_logout_uri") if app is not None else None
    if app is None or uri is None:
        return Sent.NEVER
    issued = int(now.timestamp())
    claims = logout_tokens.payload(house.settings.issuer, app.client_id, notice.facts, issued=issued)
    token = encode(claims, signer=house.keys.signer(Purpose.ID_TOKEN), typ=logout_tokens.TYPE)
    try:
        answer = outbound.post(uri, form={"logout_token": token}, loopback=house.settings.insecure_loopback)
    except outbound.OutboundRefused:
        return Sent.AGAIN
    if answer.status in {200, 204}:
        return Sent.DONE
    return Sent.NEVER if answer.status == 400 else Sent.AGAIN  # section 2.8: 400 says that the token was refused

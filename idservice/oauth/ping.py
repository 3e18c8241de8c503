"""The ping of CIBA Core 1.0 section 10.2: once there is an answer, the app is told that it may fetch it.

Written with the answer, sent after its commit. It is a courtesy: whatever becomes of it the app may still poll, and no
redirect, refusal or body of its endpoint changes anything here.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from idservice import outbound
from idservice.events import outbox
from idservice.events.delivery import Sent
from idservice.oauth import clients
from idservice.oauth.grant_policy import PING
from idservice.oauth.models import PendingRequest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call, House
    from idservice.events.outbox import Waiting
    from idservice.oauth.pending import Pending

KIND = "ping"
TABLE, COLUMN = "pending_request", "notice_sealed"
MAX_ANSWER = 4096


def put(call: Call, answered: Pending) -> None:
    """Leave a notice for the app that its request was answered, if it wants to be told."""
    if answered.app.policy.delivery == PING and answered.notice is not None:
        left = answered.expires_at - call.now
        outbox.put(call, KIND, answered.app.client_id, {"request": answered.name}, keep=left)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Post the request's identifier to the app, with the token that it gave for this."""
    app = clients.find_outside(house, notice.target, now)
    endpoint = app.policy.notification_endpoint if app is not None else None
    sealed = house.database.run(lambda session: _sealed(session, notice.facts["request"]), write=False)
    if endpoint is None or sealed is None:
        return Sent.NEVER
    opened = house.cipher.open(sealed, table=TABLE, column=COLUMN, row=notice.facts["request"])
    known = json.loads(opened)
    try:
        status = outbound.post(
            endpoint,
            body={"auth_req_id": known["auth_req_id"]},
            headers={"Authorization": f"Bearer {known['token']}"},
            loopback=house.settings.insecure_loopback,
            max_bytes=MAX_ANSWER,
        ).status
    except outbound.OutboundRefused as refused:
        return Sent.AGAIN if refused.code in {"unreachable", "timeout"} else Sent.NEVER
    if status in {200, 204}:
        return Sent.DONE
    return Sent.AGAIN if status >= 500 else Sent.NEVER


def _sealed(session: Session, name: str) -> bytes | None:
    row = session.get(PendingRequest, bytes.fromhex(name))
    return row.notice_sealed if row is not None else None

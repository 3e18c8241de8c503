"""Push delivery of security events: RFC 8935. One token a post; the receiver answers 202, or says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from idservice import outbound
from idservice.events import security_events
from idservice.events.delivery import Sent
from idservice.events.models import EventStream
from idservice.oauth import clients
from keys.jws import encode
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.events.outbox import Waiting

MEDIA_TYPE = "application/secevent+jwt"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    authorization: str | None
    flows: bool


def signed(house: House, client_id: str, notice_id: str, facts: Mapping[str, object]) -> str:
    """Return the security event token of a notice; its `jti` is the notice's name, the same at each try."""
    payload = security_events.payload(house.settings.issuer, client_id, notice_id, facts)
    return encode(payload, signer=house.keys.signer(Purpose.ID_TOKEN), typ=security_events.TYPE)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Post one event to the receiver's endpoint; an app that was disabled hears nothing more."""
    if clients.find_outside(house, notice.target, now) is None:
        return Sent.NEVER
    endpoint = house.database.run(lambda session: _endpoint(house, session, notice.target), write=False)
    if endpoint is None:
        return Sent.NEVER
    if not endpoint.flows:
        return Sent.AGAIN
    headers = {"Content-Type": MEDIA_TYPE, "Accept": "application/json"}
    if endpoint.authorization is not None:
        headers["Authorization"] = endpoint.authorization
    body = signed(house, notice.target, notice.notice_id, notice.facts).encode()
    try:
        answer = outbound.post(endpoint.url, body=body, headers=headers, loopback=house.settings.insecure_loopback)
    except outbound.OutboundRefused:
        return Sent.AGAIN
    if answer.status in {200, 202, 204}:
        return Sent.DONE
    return Sent.NEVER if answer.status == 400 else Sent.AGAIN  # section 2.3: 400 says that it will never be taken


def _endpoint(house: House, session: Session, client_id: str) -> _Endpoint | None:
    row = session.scalars(select(EventStream).where(EventStream.client_id == client_id)).one_or_none()
    if row is None or row.endpoint_url is None:
        return None
    secret = row.authorization_sealed
    if secret is not None:
        secret = house.cipher.open(secret, table="event_stream", column="authorization_sealed", row=client_id)
    return _Endpoint(row.endpoint_url, secret.decode() if secret else None, row.status == "enabled")

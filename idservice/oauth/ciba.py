"""Backchannel authentication (反向通道认证), OpenID CIBA Core 1.0: an app asks the bearer of a number to log in.

Modes poll and ping. A number that is unknown here, or whose bearer is locked, is answered as any other: the request
then waits for nobody until it expires. Signed requests, `login_hint_token` and `id_token_hint` are not offered;
a client that must sign its requests is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from sqlalchemy import bindparam, select, update

from idservice import audit
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.models import Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.oauth import binding, pending, scopes
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.grant_policy import CIBA_GRANT, PING
from idservice.oauth.models import PendingRequest
from idservice.oauth.profiles import Demand
from idservice.register import people
from idservice.statement import Statement
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.pending import Pending

LIFE = timedelta(minutes=5)
LONGEST = timedelta(minutes=10)
MAX_MESSAGE = 64
NUMBER_LIMIT = "10/minute"  # of one number: nobody shall be worn down by requests
NOBODY = "pending_request.nobody"
HINTS = ("login_hint", "login_hint_token", "id_token_hint")

_people = table_of(Person).c
_STATUS = Statement(select(_people.status).where(_people.subject == bindparam("subject")))
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,1024}=*\Z")  # section 7.1: what a bearer token may be
_SECONDS = re.compile(r"[1-9][0-9]{0,5}\Z")


def start(call: Call, app: App, form: Mapping[str, str]) -> dict[str, Any]:
    """Enter a request and return the authentication request acknowledgement (section 7.3).

    Raises:
        OAuth2Error: of section 13.
        Problem: too_many_requests, of known and unknown numbers alike.
    """
    asked, more = pending.beyond_scope(call, app, _scope(app, form), form)
    notice_token = _refuse_malformed(app, form)
    number = _fold(form["login_hint"])
    who = hashlib.sha256(number.encode()).hexdigest()
    call.house.limiter.check(NUMBER_LIMIT, what="ciba.number", who=who, address=call.caller.address)
    auth_req_id = secrets.token_urlsafe(32)
    life = min(LONGEST, timedelta(seconds=int(form.get("requested_expiry", LIFE.total_seconds()))))
    request_hash = pending.add(
        call,
        auth_req_id,
        kind=pending.CIBA,
        app=app,
        scope=asked,
        life=life,
        subject=_bearer(call, number),
        acr_values=form.get("acr_values"),
        message=form.get("binding_message"),
        granted=more,
        notice=json.dumps({"auth_req_id": auth_req_id, "token": notice_token}) if notice_token else None,
    )
    return {
        "auth_req_id": auth_req_id,
        "expires_in": int(life.total_seconds()),
        "interval": pending.POLL_SECONDS,
        **_shown(call, request_hash),
    }


def binding_code(call: Call, app: App, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the code that the app's screen has to show now, alone and as the text of a QR code.

    Raises:
        OAuth2Error: invalid_grant, where no such request of this app waits.
    """
    waiting = pending.find_waiting(call, secret_hash(form["auth_req_id"]))
    if waiting is None or waiting.kind != pending.CIBA or waiting.app.client_id != app.client_id:
        raise InvalidGrantError("No such request waits.")
    return _shown(call, waiting.request_hash)


def take_code(call: Call, asked: Pending, given: str) -> int | None:
    """Take the code a person entered: None if it is that of the screen, else how many tries are left."""
    live = call.keys.secrets(Purpose.SESSION).values()  # the screen may show a code of before a rotation
    is_right = binding.holds(live, asked.request_hash, call.now, given)
    outcome = "done" if is_right else "refused"
    trace = pending.trace(asked.request_hash)
    audit.record(call, GrantDeed.BINDING_CODE_ENTERED, outcome=outcome, subject=call.caller.person, request=trace)
    if is_right:
        return None
    wrong = call.session.scalar(
        update(PendingRequest)
        .where(PendingRequest.request_hash == asked.request_hash)
        .values(wrong_codes=PendingRequest.wrong_codes + 1)
        .returning(PendingRequest.wrong_codes)
        .execution_options(synchronize_session=False)
    )
    return max(0, binding.MAX_WRONG - (wrong or 0))


def _scope(app: App, form: Mapping[str, str]) -> tuple[str, ...]:
    if not app.check_grant_type(CIBA_GRANT):
        raise UnauthorizedClientError("This app is not registered for CIBA.")
    asked = scopes.split(form.get("scope"))
    if not asked or "openid" not in asked or not set(asked) <= set(app.scope):
        raise InvalidScopeError("scope holds openid, and nothing that is not registered for this app.")
    return asked


def _refuse_malformed(app: App, form: Mapping[str, str]) -> str | None:
    """Refuse what section 7.2 refuses, and return the token with which the app wants to be notified, if any."""
    if "request" in form or Demand.SIGNED in app.demands:
        raise InvalidRequestError("Signed authentication requests are not offered.")
    hints = [name for name in HINTS if name in form]
    if len(hints) != 1:
        raise InvalidRequestError("Send exactly one hint.")
    if hints != ["login_hint"]:
        raise InvalidRequestError("The hint offered here is login_hint: an identity number.")
    if not _SECONDS.match(form.get("requested_expiry", "1")):
        raise InvalidRequestError("requested_expiry is a positive number of seconds.")
    if len(form.get("acr_values", "")) > 256 or not form.get("acr_values", "").isprintable():
        raise InvalidRequestError("acr_values is too long.")
    message = form.get("binding_message", "")
    if len(message) > MAX_MESSAGE or not message.isprintable():
        raise OAuth2Error(
            f"binding_message is at most {MAX_MESSAGE} printable characters.", error="invalid_binding_message"
        )
    if app.policy.delivery != PING:
        return None
    token = form.get("client_notification_token", "")
    if not _TOKEN.match(token):
        raise InvalidRequestError("client_notification_token is missing or malformed.")
    return token


def _fold(number: str) -> str:
    try:
        return citizen.normalise(number)
    except InvalidNumber:
        return ""


def _bearer(call: Call, number: str) -> str:
    """Return the subject who may log in by this number, else one that nobody has: the row costs the same to write."""
    nobody = call.cipher.index(NOBODY, number).hex()[:32]
    found = people.find_kind(call, number)
    subject = found[0] if found is not None and found[1] == "person" else ""
    row = _STATUS.first(call.connection, {"subject": subject})
    return subject if row is not None and row.status == "active" else nobody


def _shown(call: Call, request_hash: bytes) -> dict[str, Any]:
    code = binding.code(call.keys.secret(Purpose.SESSION), request_hash, call.now)
    return {
        "binding_code": code,
        "binding_code_expires_in": binding.seconds_left(call.now),
        "binding_qr_text": f"{call.settings.issuer}/me/approvals/{request_hash.hex()}?code={code}",
    }

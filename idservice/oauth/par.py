"""Pushed authorization requests (推送授权请求), RFC 9126: the app sends a request ahead, the browser brings its name.

A name is good for 90 seconds, for its app, in the browser that opens it first; that browser may open it again until
the app is answered, and then it is spent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from idservice import audit
from idservice.errors import Kind, Problem, register
from idservice.ids import secret_hash
from idservice.oauth.models import PushedRequest

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFE = timedelta(seconds=90)
TABLE, COLUMN = "pushed_request", "parameters_sealed"

Pairs = Sequence[tuple[str, str]]

register(
    {
        "authorization_request_gone": Kind(
            400, "登录请求已失效，请回到应用重新开始", "This login request is no longer good: start again in the app"
        )
    }
)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed request that waits for its person."""

    request_hash: bytes
    parameters: Pairs
    browser_hash: bytes | None
    expires_at: datetime


def keep(call: Call, app: App, parameters: Pairs) -> str:
    """Enter a request that passed every rule, and return its name."""
    name = secrets.token_urlsafe(32)
    request_hash = secret_hash(name)
    body = json.dumps(list(parameters)).encode()
    call.session.execute(
        insert(PushedRequest),
        {
            "request_hash": request_hash,
            "client_id": app.client_id,
            "parameters_sealed": call.cipher.seal(body, table=TABLE, column=COLUMN, row=request_hash.hex()),
            "browser_hash": None,
            "expires_at": call.now + LIFE,
            "used_at": None,
        },
    )
    audit.record(call, audit.Deed.REQUEST_PUSHED, client=app.client_id, request=request_hash.hex()[:16])
    return PREFIX + name


def named(call: Call, sent: Pairs) -> Pushed | None:
    """Return the request that `request_uri` names, or None where these parameters name none of ours.

    Raises:
        Problem: authorization_request_gone, if it is unknown, spent or another app's: the visitor must start again.
    """
    uris = [value for name, value in sent if name == "request_uri"]
    clients = [value for name, value in sent if name == "client_id"]
    if len(uris) != 1 or len(clients) != 1 or not uris[0].startswith(PREFIX):
        return None
    request_hash = secret_hash(uris[0].removeprefix(PREFIX))
    query = select(PushedRequest.parameters_sealed, PushedRequest.browser_hash, PushedRequest.expires_at).where(
        PushedRequest.request_hash == request_hash,
        PushedRequest.client_id == clients[0],
        PushedRequest.used_at.is_(None),
    )
    row = call.session.execute(query).one_or_none()
    if row is None:
        raise _gone()
    body = call.cipher.open(row.parameters_sealed, table=TABLE, column=COLUMN, row=request_hash.hex())
    parameters = [(name, value) for name, value in json.loads(body)]
    return Pushed(request_hash, parameters, row.browser_hash, row.expires_at)


def admit(call: Call, pushed: Pushed, *, browser: str, has_begun: bool) -> None:
    """Let a browser open the request: in time, and no other browser before it.

    Args:
        call: the call.
        pushed: as `named` found it.
        browser: the random name of this browser.
        has_begun: whether this browser opened it in time before: a login may take longer than 90 seconds.

    Raises:
        Problem: authorization_request_gone.
    """
    if not has_begun and call.now >= pushed.expires_at:
        raise _gone()
    browser_hash = hashlib.sha256(browser.encode()).digest()
    opened_by = pushed.browser_hash
    if opened_by is None:
        call.session.execute(
            update(PushedRequest)
            .where(PushedRequest.request_hash == pushed.request_hash, PushedRequest.browser_hash.is_(None))
            .values(browser_hash=browser_hash)
            .execution_options(synchronize_session=False)
        )
        known = select(PushedRequest.browser_hash).where(PushedRequest.request_hash == pushed.request_hash)
        opened_by = call.session.execute(known).scalar_one()
    if opened_by is None or not hmac.compare_digest(opened_by, browser_hash):
        raise _gone()


def use(call: Call, pushed: Pushed) -> None:
    """Spend the request, in one statement, so that of parallel answers to the app exactly one is given.

    Raises:
        Problem: authorization_request_gone, if it was spent before.
    """
    if not end(call, pushed):
        raise _gone()


def end(call: Call, pushed: Pushed) -> bool:
    """Spend the request if it is not, and return whether it was not."""
    spent = (
        update(PushedRequest)
        .where(PushedRequest.request_hash == pushed.request_hash, PushedRequest.used_at.is_(None))
        .values(used_at=call.now)
        .returning(PushedRequest.request_hash)
        .execution_options(synchronize_session=False)
    )
    return call.session.execute(spent).first() is not None


def _gone() -> Problem:
    return Problem("authorization_request_gone", "The request_uri is unknown, expired or used.")

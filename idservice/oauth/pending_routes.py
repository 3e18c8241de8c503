"""The endpoints at which apps start requests that a person answers on another device, and ask for a binding code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, Response, request

from idservice.errors import Problem
from idservice.oauth import ciba, device
from idservice.oauth.backchannel import backchannel, call_of
from idservice.oauth.server import refusal

if TYPE_CHECKING:
    from idservice.call import Call, House
    from idservice.oauth.clients import App

blueprint = Blueprint("oauth_pending", __name__)

ADDRESS_LIMIT = "60/minute"  # anybody may say he is a public client


@blueprint.post("/oauth/device_authorization")
@backchannel(public=True, needs="scope")
def device_authorization(home: House, app: App, form: dict[str, str]) -> Response:
    """Begin a login on a device without a keyboard (RFC 8628 section 3.1)."""
    address = request.remote_addr

    def deed(call: Call) -> dict[str, Any]:
        if app.is_public:
            home.limiter.check(ADDRESS_LIMIT, what="device.start", who=address or "-", address=address)
        return device.start(call, app, form, origin=address)

    return _answer(home, app, deed, write=True)


@blueprint.post("/oauth/backchannel_authentication")
@backchannel(public=False, needs="scope")
def backchannel_authentication(home: House, app: App, form: dict[str, str]) -> Response:
    """Begin the login of a person the app knows by his number (CIBA Core 1.0 section 7)."""
    return _answer(home, app, lambda call: ciba.start(call, app, form), write=True)


@blueprint.post("/oauth/binding_code")
@backchannel(public=False, needs="auth_req_id")
def binding_code(home: House, app: App, form: dict[str, str]) -> Response:
    """Return the rotating code that the app's screen has to show."""
    return _answer(home, app, lambda call: ciba.binding_code(call, app, form), write=False)


def _answer(home: House, app: App, deed: Callable[[Call], dict[str, Any]], *, write: bool) -> Response:
    try:
        answer = home.database.run(lambda session: deed(call_of(home, session, app)), write=write)
    except OAuth2Error as error:
        return refusal(error)
    except Problem as problem:
        if problem.code != "too_many_requests":
            raise
        response = refusal(OAuth2Error("Too many requests.", error="temporarily_unavailable", status_code=429))
        response.headers.update(problem.headers)
        return response
    response = Response(json.dumps(answer), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response

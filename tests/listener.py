"""A receiver of security events: its program, and what a library of others makes of the tokens it gets."""

from __future__ import annotations

from typing import Any

import jwt
from sqlalchemy import delete

from idservice.call import Call
from idservice.events.models import EventStream, Notice, StreamSubject
from idservice.models import Client
from idservice.oauth import clients
from tests.builders import act
from tests.identity import CALLBACK, ISSUER, SECRET, City, Flow, basic, bearer, claims_of, token
from tests.receiver import Receiver

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED, CREDENTIAL_CHANGE = CAEP + "session-revoked", CAEP + "credential-change"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
STREAMS = "/v1/ssf/streams"


class Api:
    """A receiver's program: a client with a token of its own."""

    def __init__(self, city: City, client_id: str = "listener", scope: str = "ssf.manage") -> None:
        form = {"grant_type": "client_credentials", "scope": scope}
        self.headers = bearer(token(city.app, form, basic(client_id)).json["access_token"])
        self.client = city.app.test_client()

    def __call__(self, method: str, path: str, members: Any = None, **more: Any) -> Any:
        return self.client.open(path, method=method, json=members, headers=self.headers, **more)

    def stream(self, receiver: Receiver | None = None, *events: str) -> dict[str, Any]:
        delivery = {"method": POLL}
        if receiver is not None:
            delivery = {
                "method": PUSH, "endpoint_url": f"{receiver.origin}/events", "authorization_header": "Bearer of-mine"
            }  # fmt: skip
        wanted = {"delivery": delivery, "events_requested": list(events or (SESSION_REVOKED, CREDENTIAL_CHANGE))}
        answer = self("POST", STREAMS, wanted)
        assert answer.status_code == 201, answer.text
        return answer.json


def enter_receivers(city: City) -> None:
    """Register two apps that log people in and receive events."""
    values: dict[str, Any] = {
        "unit": "滨州市示范单位",
        "auth_method": "client_secret_basic",
        "secret": SECRET,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid offline_access ssf.manage matters.read",
        "redirect_uris": [CALLBACK],
    }

    def enter(call: Call) -> None:
        for client_id in ("listener", "stranger"):
            if call.session.get(Client, client_id) is None:
                clients.register(call, client_id=client_id, name=client_id, **values)

    act(city.house, enter)


def forget_streams(city: City) -> None:
    def clear(call: Call) -> None:
        for model in (Notice, EventStream, StreamSubject):
            call.session.execute(delete(model))

    act(city.house, clear)


def verified(city: City, text: str, audience: str = "listener") -> dict[str, Any]:
    """What a stranger's library makes of a token, with our published keys."""
    keys = jwt.PyJWKSet.from_dict(city.app.test_client().get("/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(text)
    assert header["typ"] == "secevent+jwt"
    claims = jwt.decode(text, keys[header["kid"]].key, algorithms=["ES256"], audience=audience, issuer=ISSUER)
    assert not {"sub", "exp", "nonce"} & set(claims)
    return claims


def log_in(city: City, client_id: str = "listener") -> tuple[Any, dict[str, Any]]:
    flow, browser = Flow(client_id), city.browser()
    code = browser.code(flow)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": flow.verifier}
    return browser, claims_of(token(city.app, form, basic(client_id)).json["id_token"])


def log_out(browser: Any) -> None:
    browser.submit(browser.open("/logout"))


def poll(api: Api, **members: Any) -> Any:
    answer = api("POST", "/v1/ssf/poll", {"returnImmediately": True, **members})
    assert answer.status_code == 200, answer.text
    return answer.json

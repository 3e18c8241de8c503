"""The doors at which somebody can hand in a JWT, and what it takes to make one by hand."""

import base64
import json
from collections.abc import Callable
from typing import Any

from idservice.oauth.assertion import ASSERTION_TYPE
from tests.identity import City, basic, bearer, token

Door = Callable[[City, str], Any]


def _assertion(city: City, text: str) -> Any:
    form = {"token": "x", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return token(city.app, form, path="/oauth/introspect")


def _access_token(city: City, text: str) -> Any:
    return city.app.test_client().get("/oauth/userinfo", headers=bearer(text))


def _request_object(city: City, text: str) -> Any:
    form = {"client_id": "basic", "request": text}
    return token(city.app, form, basic("basic"), "/oauth/par")


def _proof(city: City, text: str) -> Any:
    return token(city.app, {"grant_type": "client_credentials"}, basic("counter") | {"DPoP": text})


def _hint(city: City, text: str) -> Any:
    return city.app.test_client().post("/oauth/end_session", data={"id_token_hint": text})


def _introspected(city: City, text: str) -> Any:
    return token(city.app, {"token": text}, basic("basic"), "/oauth/introspect")


def _exchanged(city: City, text: str) -> Any:
    kinds = dict.fromkeys(("subject_token_type", "x"), "urn:ietf:params:oauth:token-type:access_token")
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": text, **kinds}
    return token(city.app, form, basic("basic"))


DOORS: dict[str, Door] = {
    "assertion": _assertion,
    "access_token": _access_token,
    "request_object": _request_object,
    "dpop_proof": _proof,
    "id_token_hint": _hint,
    "introspection": _introspected,
    "exchange": _exchanged,
}


def encoded(value: object) -> str:
    return raw(json.dumps(value).encode())


def raw(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

"""Signed requests of an app whose keys stand behind `jwks_uri`: RFC 9101, OpenID Connect Core 1.0 section 10.1.1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from sqlalchemy import select, update

from idservice import outbound
from idservice.models import Client
from idservice.oauth import client_keys, clients
from tests.builders import act
from tests.fapi import Fapi, new_key, register, signed
from tests.functional.test_fapi2_message_signing import push, request_of
from tests.identity import ISSUER, SECRET, City, answer_of, basic, now, public_jwk, query_of, token

URI = "https://rotating.example/jwks.json"
NEW = {"kid": "k2"}


class Published:
    """What stands at the app's address, and how often it was asked for."""

    def __init__(self, city: City) -> None:
        self.city, self.asked, self.document = city, 0, {"keys": [public_jwk(city.key)]}

    def get_json(self, url: str, **_options: Any) -> Any:
        self.asked += 1
        assert url == URI
        # Nobody is kept waiting meanwhile: a transaction that writes would hold up this one for ten seconds.
        self.city.house.database.run(lambda session: session.scalar(select(Client.client_id).limit(1)), write=True)
        if self.document is None:
            raise outbound.OutboundRefused("status")
        return self.document

    def rotate(self, key: Any) -> None:
        self.document = {"keys": [public_jwk(key) | NEW]}


@pytest.fixture(scope="module")
def app(city: City) -> Fapi:
    keys = {"keys": [public_jwk(city.key)]}
    register(city, "rotating", jwks=keys, jwks_uri=URI, demands=["require_signed_request_object"])
    return Fapi(city, "rotating")


@pytest.fixture
def published(app: Fapi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    """The app's page; its keys as first registered, and asked for long ago."""
    page = Published(app.city)
    monkeypatch.setattr(outbound, "get_json", page.get_json)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    first = {"keys": [public_jwk(app.city.key)]}
    known = (
        update(Client)
        .where(Client.client_id == app.client_id)
        .values(jwks=first, jwks_fetched_at=long_ago, jwks_read_at=datetime.now(UTC))
    )
    act(app.city.house, lambda call: call.session.execute(known) and None)
    clients.forget(app.city.house, app.client_id)
    yield page
    clients.forget(app.city.house, app.client_id)


def pushed(app: Fapi, key: Any, **headers: Any) -> Any:
    """Push a request that one key has signed, authenticated by an assertion of the same key."""
    flow = app.flow()
    claims = {"iss": app.client_id, "sub": app.client_id, "aud": ISSUER, "iat": now(), "exp": now() + 60}
    assertion = signed(key, {**claims, "jti": flow.state}, {"kid": "k1", "typ": None, **headers})
    form = request_of(app, flow, key=key, headers=headers) | {"client_assertion": assertion}
    return push(app, form)


def test_a_known_key_asks_nobody(app: Fapi, published: Published) -> None:
    assert pushed(app, app.city.key).status_code == 201
    assert published.asked == 0


def test_a_new_key_is_asked_for_when_a_request_is_pushed(app: Fapi, published: Published) -> None:
    key = new_key()
    published.rotate(key)
    form = request_of(app, app.flow(), key=key, headers=NEW)
    assert push(app, form).status_code == 201, "the assertion is of a key that was known when it was read"
    assert published.asked == 1
    assert pushed(app, key, **NEW).status_code == 201
    assert pushed(app, app.city.key).status_code == 401, "what is not published any more is not trusted any more"


def test_a_new_key_is_asked_for_at_the_authorization_endpoint(app: Fapi, published: Published) -> None:
    key = new_key()
    published.rotate(key)
    flow = app.flow()
    form = request_of(app, flow, key=key, headers=NEW)
    page = app.answer(f"/oauth/authorize?{urlencode(form)}")
    answer = answer_of(page)
    assert (answer["state"], "code" in answer) == (flow.state, True)
    assert published.asked == 1


def test_an_unknown_key_makes_us_ask_once_a_minute_and_no_more(app: Fapi, published: Published) -> None:
    flow = app.flow()
    stranger = request_of(app, flow, key=new_key(), headers={"kid": "k9"})
    beside = {"redirect_uri": flow.redirect_uri, "state": flow.state}
    for _ in range(3):
        page = app.city.browser().open(f"/oauth/authorize?{urlencode(stranger | beside)}")
        assert answer_of(page)["error"] == "invalid_request_object"
        assert push(app, stranger).json["error"] == "invalid_request_object"
    assert published.asked == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=True):
        assert push(app, request_of(app, flow, key=new_key(), headers={"kid": "k9"})).status_code == 400
    assert published.asked == 2


def test_a_key_that_was_taken_down_is_not_trusted_any_more(app: Fapi, published: Published) -> None:
    published.rotate(new_key())
    assert pushed(app, app.city.key).status_code == 201, "what was found a moment ago is not asked for again"
    assert published.asked == 0
    age(app, client_keys.FRESH)
    assert pushed(app, app.city.key).status_code == 401
    assert published.asked == 1


def test_keys_are_asked_for_again_after_a_while(app: Fapi, published: Published) -> None:
    age(app, client_keys.FRESH)
    assert [pushed(app, app.city.key).status_code for _ in range(2)] == [201, 201]
    assert published.asked == 1


def test_keys_outlive_their_page_for_a_day(app: Fapi, published: Published) -> None:
    published.document = None
    age(app, client_keys.GRACE - timedelta(minutes=1))
    assert pushed(app, app.city.key).status_code == 201
    age(app, client_keys.GRACE)
    assert pushed(app, app.city.key).status_code == 401
    flow = app.flow()
    beside = {"redirect_uri": flow.redirect_uri, "state": flow.state}
    page = app.city.browser().open(f"/oauth/authorize?{urlencode(request_of(app, flow) | beside)}")
    assert answer_of(page)["error"] == "invalid_request_object"
    published.document = {"keys": [public_jwk(app.city.key)]}
    age(app, client_keys.GRACE)
    assert pushed(app, app.city.key).status_code == 201, "once they are found again"


def age(app: Fapi, by: timedelta) -> None:
    """Let the app's keys have been found, and been asked for, that long ago."""
    then = datetime.now(UTC) - by
    known = update(Client).where(Client.client_id == app.client_id).values(jwks_read_at=then, jwks_fetched_at=then)
    act(app.city.house, lambda call: call.session.execute(known) and None)
    clients.forget(app.city.house, app.client_id)


def test_a_page_that_is_gone_changes_nothing(app: Fapi, published: Published) -> None:
    published.document = None
    refused = push(app, request_of(app, app.flow(), key=new_key(), headers=NEW))
    assert refused.json["error"] == "invalid_request_object"
    assert pushed(app, app.city.key).status_code == 201


def test_a_key_that_another_process_learned_is_known_here_at_once(app: Fapi, published: Published) -> None:
    key, home = new_key(), app.city.house
    clients.find_outside(home, app.client_id, datetime.now(UTC))  # this process keeps the old keys for two seconds
    learned = {"keys": [public_jwk(key) | NEW]}
    elsewhere = update(Client).where(Client.client_id == app.client_id)
    values = {"jwks": learned, "jwks_fetched_at": datetime.now(UTC)}
    home.database.run(lambda session: session.execute(elsewhere.values(**values)) and None, write=True)
    token = request_of(app, app.flow(), key=key, headers=NEW)["request"]
    found = client_keys.learn(home, app.client_id, token, datetime.now(UTC))
    assert found is not None
    assert found.jwks == learned
    assert published.asked == 0


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "W10.x.y", "." * 50, "e30.x.y"])
def test_what_is_no_token_is_judged_and_not_a_fault(app: Fapi, published: Published, token: str) -> None:
    form = {"client_id": app.client_id, "request": token, **dict(query_of(app.flow().url()))}
    assert push(app, form).status_code == 400
    assert app.city.browser().open(f"/oauth/authorize?{urlencode(form)}").status in {303, 400}
    assert published.asked <= 1


def test_an_app_with_a_secret_signs_its_requests_too(city: City, published: Published) -> None:
    """Its keys are good for that alone: it still proves itself by its secret."""
    keys = {"keys": [public_jwk(city.key)]}
    register(city, "secret-signer", auth_method="client_secret_basic", secret=SECRET, jwks=keys, jwks_uri=URI)
    app = Fapi(city, "secret-signer")
    form = request_of(app, app.flow())
    assert token(city.app, form, basic("secret-signer"), "/oauth/par").status_code == 201
    stranger = request_of(app, app.flow(), key=new_key())
    refused = token(city.app, stranger, basic("secret-signer"), "/oauth/par")
    assert refused.json["error"] == "invalid_request_object"
    assert push(app, form).status_code == 401, "an assertion is not its method"
    assert published.asked == 0


def test_a_public_app_publishes_no_keys(city: City) -> None:
    keys = {"keys": [public_jwk(city.key)]}
    with pytest.raises(clients.RegistrationRefused, match="jwks"):
        register(city, "public-signer", auth_method="none", jwks=keys, jwks_uri=URI)

"""What is kept of a pushed request, and what is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2.rfc6749 import OAuth2Error

from idservice.call import Call, House
from idservice.oauth import clients, par, pushing
from idservice.oauth.confirmation import Key
from idservice.oauth.par import Pushed
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import CALLBACK, SECRET, Flow, query_of

KEY = Key("jkt", "A" * 43)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    app = {"client_id": "app", "name": "a", "unit": "u", "auth_method": "client_secret_post", "secret": SECRET}
    grants = {"grant_types": ["authorization_code"], "scope": "openid", "redirect_uris": [CALLBACK]}
    act(built, lambda call: clients.register(call, **app, **grants))
    yield built
    built.database.engine.dispose()


def push(call: Call, key: Key | None = None, **more: str) -> dict[str, Any]:
    app = clients.find(call, "app")
    assert app is not None
    return pushing.push(call, app, dict(query_of(Flow("app").url())) | more, key)


def kept(call: Call, answer: dict[str, Any]) -> Pushed:
    found = par.named(call, [("client_id", "app"), ("request_uri", answer["request_uri"])])
    assert found is not None
    return found


def test_the_secret_of_the_client_is_not_kept(house: House) -> None:
    secrets = {"client_secret": SECRET, "client_assertion": "x", "client_assertion_type": "y"}
    found = act(house, lambda call: kept(call, push(call, **secrets)))
    assert not secrets.keys() & dict(found.parameters).keys()
    assert dict(found.parameters)["redirect_uri"] == CALLBACK


def test_the_key_of_the_proof_is_kept_once(house: House) -> None:
    for more in ({}, {"dpop_jkt": KEY.thumbprint}):
        found = act(house, lambda call, more=more: kept(call, push(call, KEY, **more)))  # type: ignore[misc]
        assert [value for name, value in found.parameters if name == "dpop_jkt"] == [KEY.thumbprint]
    with pytest.raises(OAuth2Error, match="invalid_dpop_proof"):
        act(house, lambda call: push(call, KEY, dpop_jkt="B" * 43))


def test_a_refused_request_leaves_nothing(house: House) -> None:
    with pytest.raises(OAuth2Error, match="invalid_scope"):
        act(house, lambda call: push(call, scope="openid phone"))
    with pytest.raises(OAuth2Error, match="invalid_request"):
        act(house, lambda call: push(call, redirect_uri="https://evil.example"))


def test_a_name_is_good_for_ninety_seconds_and_two_have_nothing_in_common(house: House) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    one, two = (act(house, push, now=now) for _ in range(2))
    assert one["expires_in"] == 90
    assert one["request_uri"] != two["request_uri"]
    assert act(house, lambda call: kept(call, one)).expires_at == now + par.LIFE

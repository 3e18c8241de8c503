"""A client library nobody here wrote logs in by device code and CIBA, and exchanges a token, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
from requests_oauth2client import BearerToken, ClientSecretBasic, DPoPToken, OAuth2Client, PublicApp
from requests_oauth2client.exceptions import AccessDenied, AuthorizationPending, InvalidGrant, InvalidTarget
from werkzeug.serving import make_server

from tests import identity
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.grants import enter_code, local, open_logged_in, register_apps
from tests.identity import ALICE, SECRET, City, Flow, build_city, claims_of, logged_in
from tests.ports import free_port


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder, port = tmp_path_factory.mktemp("others"), free_port()
    built = build_city(folder, SqliteDatabases(folder).fresh(migrate), issuer=f"http://127.0.0.1:{port}")
    register_apps(built)
    server = make_server("127.0.0.1", port, built.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield built
    server.shutdown()
    thread.join(timeout=10)
    built.house.database.engine.dispose()


def client_of(city: City, client_id: str) -> OAuth2Client:
    how = PublicApp(client_id) if client_id == "tv" else ClientSecretBasic(client_id, SECRET)
    issuer = city.house.settings.issuer
    found = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
    return OAuth2Client.from_discovery_document(
        found,
        issuer=issuer,
        auth=how,
        device_authorization_endpoint=found["device_authorization_endpoint"],  # 1.8.0 does not look for these two
        backchannel_authentication_endpoint=found["backchannel_authentication_endpoint"],
        id_token_signed_response_alg="ES256",
        testing=True,  # plain http, on this machine
    )


def test_requests_oauth2client_logs_a_screen_in(city: City) -> None:
    client = client_of(city, "tv")
    started = client.authorize_device(scope="openid profile")
    with pytest.raises(AuthorizationPending):
        client.device_code(started)
    browser = city.browser()
    browser.submit(enter_code(browser, started.user_code), decision="allow")
    got = client.device_code(started)
    assert isinstance(got, BearerToken)
    me = requests.get(f"{city.house.settings.issuer}/oauth/userinfo", auth=got, timeout=10).json()
    assert me["name"] == "王小明"
    with pytest.raises(InvalidGrant):
        client.device_code(started)


def test_a_screens_tokens_are_bound_to_its_key(city: City) -> None:
    client = client_of(city, "tv")
    started = client.authorize_device(scope="openid profile offline_access")
    browser = city.browser()
    browser.submit(enter_code(browser, started.user_code), decision="allow")
    got = client.device_code(started, dpop=True)
    assert isinstance(got, DPoPToken)
    place = f"{city.house.settings.issuer}/oauth/userinfo"
    assert requests.get(place, auth=got, timeout=10).status_code == 200
    stolen = {"Authorization": f"Bearer {got.access_token}"}
    assert requests.get(place, headers=stolen, timeout=10).status_code == 401
    assert claims_of(str(got.access_token))["cnf"].keys() == {"jkt"}


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_requests_oauth2client_asks_the_bearer_of_a_number(city: City, decision: str) -> None:
    client = client_of(city, "desk")
    started = client.backchannel_authentication_request(
        scope="openid profile", login_hint=ALICE, binding_message="窗口 3 号"
    )
    with pytest.raises(AuthorizationPending):
        client.ciba(started)
    browser = city.browser()
    page = open_logged_in(browser, local(started.binding_qr_text))
    browser.submit(page, decision=decision)
    if decision == "deny":
        with pytest.raises(AccessDenied):
            client.ciba(started)
        return
    got = client.ciba(started)
    assert got.id_token is not None
    assert got.scope == "openid profile"


def test_requests_oauth2client_exchanges_a_token(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = city.house.settings.issuer
    monkeypatch.setattr(identity, "ISSUER", issuer)
    given = logged_in(city, Flow("front", scope="openid profile"))["access_token"]
    gateway = client_of(city, "gateway")
    own = gateway.client_credentials(scope="matters.read")
    access = "urn:ietf:params:oauth:token-type:access_token"
    got = gateway.token_exchange(
        subject_token=given,
        subject_token_type=access,
        actor_token=str(own.access_token),
        actor_token_type=access,
        scope="openid profile",
    )
    assert claims_of(str(got.access_token))["act"] == {"sub": "gateway"}
    assert requests.get(f"{issuer}/oauth/userinfo", auth=got, timeout=10).json()["name"] == "王小明"
    with pytest.raises(InvalidTarget):
        gateway.token_exchange(
            subject_token=given,
            subject_token_type=access,
            actor_token=str(own.access_token),
            actor_token_type=access,
            audience="vault",
        )

"""Resource indicators (RFC 8707): for whom a token is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idservice.models import Client
from idservice.oauth import clients, grant_policy, resource_servers
from idservice.oauth.grant_policy import DEVICE_GRANT, GrantPolicy
from tests.audiences import (
    DARK,
    DATA,
    HEADERS,
    KEY,
    MAPS,
    OWN,
    error_of,
    got_for,
    machine,
    post,
    refreshed,
    register_apis,
    several,
    walk,
)
from tests.builders import act
from tests.grants import ACCESS, exchange, open_logged_in
from tests.identity import (
    ISSUER,
    City,
    Flow,
    answer_of,
    basic,
    bearer,
    claims_of,
    introspect,
    logged_in,
    query_of,
    redeem,
    token,
    userinfo_status,
)


@pytest.fixture(scope="module", autouse=True)
def apis(city: City) -> None:
    register_apis(city)


# --- whose tokens


def test_the_audience_is_the_resource_that_was_asked_for(city: City) -> None:
    got = got_for(city, DATA)
    claims = claims_of(got["access_token"])
    assert claims["aud"] == DATA
    assert set(claims["scope"].split()) == {"openid", "offline_access", "licences.read"}, "what means something there"
    assert got["scope"] == claims["scope"]
    assert "id_token" in got


def test_without_a_resource_it_is_our_own_api(city: City) -> None:
    assert claims_of(logged_in(city)["access_token"])["aud"] == OWN
    assert claims_of(got_for(city, OWN)["access_token"])["aud"] == OWN


def test_of_several_a_token_request_picks(city: City) -> None:
    got = got_for(city, DATA, MAPS, OWN)
    assert claims_of(got["access_token"])["aud"] == DATA, "the first, where it picks none"
    both = refreshed(city, got, MAPS, DATA).json
    assert claims_of(both["access_token"])["aud"] == [MAPS, DATA]
    ours = refreshed(city, both, OWN).json
    assert claims_of(ours["access_token"])["aud"] == OWN
    assert userinfo_status(city, ours["access_token"]) == 200


def test_a_code_is_redeemed_for_one_of_those_that_were_granted(city: City) -> None:
    flow = Flow("shop", "openid")
    code = walk(city, flow, DATA, MAPS)
    assert error_of(redeem(city.app, flow, code, resource=DARK)) == (400, "invalid_target")
    assert claims_of(redeem(city.app, flow, code, resource=MAPS).json["access_token"])["aud"] == MAPS


def test_a_refresh_never_reaches_further(city: City) -> None:
    got = got_for(city, DATA)
    for wider in (MAPS, OWN, "https://other.example"):
        assert error_of(refreshed(city, got, wider)) == (400, "invalid_target")
    plain = logged_in(city, Flow("shop", "openid offline_access"))
    assert error_of(refreshed(city, plain, DATA)) == (400, "invalid_target")


def test_our_own_api_shares_a_token_with_nobody(city: City) -> None:
    got = got_for(city, DATA, OWN)
    assert error_of(refreshed(city, got, OWN, DATA)) == (400, "invalid_target")
    assert error_of(machine(city, OWN, DATA)) == (400, "invalid_target")


def test_a_token_for_another_api_is_good_at_no_door_of_ours(city: City) -> None:
    got = got_for(city, DATA)["access_token"]
    assert userinfo_status(city, got) == 401
    assert city.app.test_client().get("/v1/licences", headers=bearer(got)).status_code == 401
    dark = got_for(city, DARK)["access_token"]
    assert userinfo_status(city, dark) == 401


def test_a_machine_asks_for_a_resource(city: City) -> None:
    assert claims_of(machine(city).json["access_token"])["aud"] == OWN
    got = machine(city, DATA).json
    assert (claims_of(got["access_token"])["aud"], got["scope"]) == (DATA, "licences.read")
    assert claims_of(machine(city, DATA, MAPS).json["access_token"])["aud"] == [DATA, MAPS]


# --- who may ask

STRANGE = {
    "unknown": "https://other.example",
    "not this app's": DATA,
    "with a fragment": f"{MAPS}#x",
    "other case": MAPS.upper(),
    "slash more": f"{MAPS}/",
    "two in one": f"{MAPS} {MAPS}",
    "no URI": "maps",
}


@pytest.mark.parametrize("resource", STRANGE.values(), ids=STRANGE.keys())
def test_a_resource_that_is_not_the_apps_is_invalid_target_everywhere(city: City, resource: str) -> None:
    flow = Flow("few")
    answer = answer_of(city.browser().open(flow.url(resource=resource)))
    assert (answer["error"], answer["state"]) == ("invalid_target", flow.state)
    pushed = post(city, [*query_of(flow.url()), ("resource", resource)], "few", "/oauth/par")
    assert error_of(pushed) == (400, "invalid_target")
    if resource != DATA:
        assert error_of(machine(city, resource)) == (400, "invalid_target")
        started = post(city, several(resource, scope="openid"), "screen", "/oauth/device_authorization")
        assert error_of(started) == (400, "invalid_target")
        assert error_of(exchange(city, "x", "system", resource=resource))[0] == 400


def test_too_many_are_refused(city: City) -> None:
    flow = Flow("shop")
    page = city.browser().open(flow.url() + "&" + urlencode(several(*[f"{MAPS}/{n}" for n in range(9)])))
    assert answer_of(page)["error"] == "invalid_target"


def test_only_resource_may_stand_more_than_once(city: City) -> None:
    answer = post(
        city, [*several(DATA, MAPS, grant_type="client_credentials"), ("scope", "x"), ("scope", "y")], "system"
    )
    assert error_of(answer) == (400, "invalid_request")


def test_a_resource_server_that_was_disabled_gets_no_more_tokens(city: City) -> None:
    gone = "https://gone.example"
    words = {"name": "旧平台", "name_en": "Old", "scope": "", "is_opaque": False, "client_id": None}
    act(city.house, lambda call: resource_servers.register(call, gone, **words))

    def allow(call: Any) -> None:
        call.session.get(Client, "shop").resources = [DATA, MAPS, DARK, gone]
        clients.forget(call.house, "shop")

    act(city.house, allow)
    got = got_for(city, gone)
    assert act(city.house, lambda call: resource_servers.disable(call, gone))
    assert not act(city.house, lambda call: resource_servers.disable(call, gone))
    assert error_of(refreshed(city, got)) == (400, "invalid_target")


# --- pushed, signed, elsewhere


def test_pushed_and_signed_requests_name_several(city: City) -> None:
    flow = Flow("shop", "openid offline_access")
    pushed = post(city, [*query_of(flow.url()), *several(DATA, MAPS)], "shop", "/oauth/par").json
    browser = city.browser()
    page = browser.log_in(browser.open(f"/oauth/authorize?client_id=shop&request_uri={pushed['request_uri']}"))
    assert "数据平台" in page.text
    assert DATA in page.text
    got = redeem(city.app, flow, answer_of(browser.submit(page, decision="allow"))["code"]).json
    assert claims_of(refreshed(city, got, MAPS).json["access_token"])["aud"] == MAPS

    flow, moment = Flow("signs", "openid"), int(datetime.now(UTC).timestamp())
    inside = dict(query_of(flow.url())) | {"iss": "signs", "aud": ISSUER, "nbf": moment, "exp": moment + 60}
    for named, reached in ((MAPS, True), ([DATA, MAPS], True), (["https://other.example"], False), ([1], False)):
        signed = jwt.encode(inside | {"resource": named}, KEY, algorithm="ES256", headers=HEADERS)
        browser = city.browser()
        page = browser.open(flow.url(request=signed))
        assert page.asks_to_log_in is reached
        assert reached or answer_of(page)["error"] == "invalid_target"


def test_the_apis_of_others_are_consented_to_each_time(city: City) -> None:
    browser, flow = city.browser(), Flow("shop", "openid")
    browser.code(flow)
    assert "code" in answer_of(browser.open(Flow("shop", "openid").url(prompt="none")))
    silent = answer_of(browser.open(Flow("shop", "openid").url(prompt="none", resource=DATA)))
    assert silent["error"] == "consent_required"
    assert "code" in answer_of(browser.open(Flow("shop", "openid").url(prompt="none", resource=OWN)))


def test_a_device_asks_for_a_resource(city: City) -> None:
    started = post(city, several(DATA, scope="openid licences.read"), "screen", "/oauth/device_authorization").json
    browser = city.browser()
    page = browser.submit(open_logged_in(browser, "/device"), user_code=started["user_code"])
    browser.submit(page, decision="allow")
    poll = {"grant_type": DEVICE_GRANT, "device_code": started["device_code"]}
    refused = token(city.app, poll | {"resource": MAPS}, basic("screen"))
    assert error_of(refused) == (400, "invalid_target")
    assert claims_of(token(city.app, poll, basic("screen")).json["access_token"])["aud"] == DATA


def test_a_resource_server_exchanges_what_it_was_sent(city: City) -> None:
    """The API that a token is for asks for one of its own with it: for our API, as far as its own scope goes."""
    sent = got_for(city, DATA)["access_token"]
    got = exchange(city, sent, "data-api")
    assert got.status_code == 200, got.text
    assert (claims_of(got.json["access_token"])["aud"], got.json["scope"]) == (OWN, "licences.read")
    assert error_of(exchange(city, sent, "maps-api"))[0] == 400, "it is not for everybody"
    assert error_of(exchange(city, sent, "data-api", resource=MAPS)) == (400, "invalid_target")


def test_an_exchange_is_for_a_resource_of_the_client(city: City) -> None:
    sent = logged_in(city, Flow("shop", "openid licences.read"))["access_token"]
    act(city.house, lambda call: _may_act(call, "shop", "system"))
    sent = logged_in(city, Flow("shop", "openid licences.read"))["access_token"]
    actor = {"actor_token": machine(city).json["access_token"], "actor_token_type": ACCESS}
    got = exchange(city, sent, "system", resource=DATA, **actor)
    assert got.status_code == 200, got.text
    assert claims_of(got.json["access_token"])["aud"] == DATA
    opaque = exchange(city, sent, "system", resource=DARK, **actor).json["access_token"]
    assert introspect(city, opaque, "dark-api")["act"] == {"sub": "system"}
    assert error_of(exchange(city, sent, "system", resource=DATA, audience="shop", **actor)) == (400, "invalid_target")


def _may_act(call: Any, client_id: str, actor: str) -> None:
    grant_policy.add(call.session, client_id, GrantPolicy(actor=actor))
    clients.forget(call.house, client_id)


# --- introspection is for those it is meant for


def test_introspection_tells_the_resource_server_and_the_client_and_nobody_else(city: City) -> None:
    got = got_for(city, DATA, MAPS)["access_token"]
    told = introspect(city, got, "data-api")
    assert told["active"] is True
    assert told["aud"] == DATA
    assert introspect(city, got, "shop")["active"] is True
    for stranger in ("maps-api", "basic", "few"):
        assert introspect(city, got, stranger) == {"active": False}

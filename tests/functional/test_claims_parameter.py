"""The claims parameter (OpenID Connect Core 1.0 section 5.5): single claims, where they are wanted; essential acr."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from idservice.oauth import clients
from tests.builders import act
from tests.factors import TWO_FACTOR, forget_factors, give_app, now_code
from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    ISSUER,
    SECRET,
    Browser,
    City,
    Flow,
    answer_of,
    basic,
    bearer,
    claims_of,
    query_of,
    redeem,
    refresh,
    token,
)

PASSWORD_ACR = "urn:ona:acr:password"


@pytest.fixture(scope="module", autouse=True)
def narrow_app(city: City) -> None:
    def register(call: Any) -> None:
        clients.register(
            call, client_id="narrow", name="窄应用", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid profile", redirect_uris=[CALLBACK],
        )  # fmt: skip

    act(city.house, register)


def asking(**targets: Any) -> dict[str, str]:
    return {"claims": json.dumps(targets, ensure_ascii=False)}


def got_with(
    city: City,
    *,
    client_id: str = "basic",
    scope: str = "openid",
    number: str = ALICE,
    acting: str = "self",
    **targets: Any,
) -> Any:
    flow = Flow(client_id, scope)
    answer = redeem(city.app, flow, city.browser().code(flow, number=number, acting=acting, **asking(**targets)))
    assert answer.status_code == 200, answer.text
    return answer.json


def userinfo(city: City, got: Any) -> Any:
    return city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json


def consent(city: City, browser: Browser, *, language: str = "zh", **targets: Any) -> str:
    page = browser.log_in(browser.open(Flow().url(**asking(**targets))))
    return browser.open(f"{page.url}&lang={language}").text


# --- what is released, and where


def test_claims_are_released_where_they_are_wanted_and_nowhere_else(city: City) -> None:
    got = got_with(city, userinfo={"name": None}, id_token={"phone_number": {"essential": True}})
    assert userinfo(city, got).keys() == {"sub", "name"}
    inside = claims_of(got["id_token"])
    assert inside["phone_number"] == "13800001234"
    assert "name" not in inside
    assert "phone_number" not in claims_of(got["access_token"])


def test_scope_and_claims_add_up(city: City) -> None:
    got = got_with(city, scope="openid profile", userinfo={"phone_number": None})
    assert userinfo(city, got).keys() == {"sub", "name", "real_name_level", "phone_number"}


def test_a_claim_beyond_the_scopes_of_the_app_is_not_released(city: City) -> None:
    got = got_with(city, client_id="narrow", userinfo={"phone_number": {"essential": True}, "name": None})
    assert userinfo(city, got).keys() == {"sub", "name"}


def test_what_nobody_here_knows_is_left_out_in_silence(city: City) -> None:
    wanted = {"website": None, "name#ja": {"essential": True}, "http://x.example/r": {"values": ["a"]}, "number": None}
    got = got_with(city, userinfo=wanted, id_token=wanted)
    assert userinfo(city, got).keys() == {"sub"}
    assert not wanted.keys() & claims_of(got["id_token"]).keys()


def test_other_members_mean_nothing(city: City) -> None:
    assert userinfo(city, got_with(city, other={"name": None}, userinfo=None)).keys() == {"sub"}


@pytest.mark.parametrize(
    ("stated", "is_released"),
    [
        ({"value": 3}, True),
        ({"value": 2}, False),
        ({"values": [2, 3]}, True),
        ({"values": [1, 2]}, False),
        ({"value": "3"}, False),
        ({"essential": True, "value": 2}, False),
    ],
    ids=str,
)
def test_a_claim_is_released_with_a_value_that_was_asked_for_alone(city: City, stated: Any, is_released: bool) -> None:
    got = got_with(city, userinfo={"real_name_level": stated})
    assert ("real_name_level" in userinfo(city, got)) is is_released


def test_an_organisation_has_claims_of_its_own(city: City) -> None:
    wanted = {"credit_code": None, "phone_number": None}
    got = got_with(city, number=AGENT, acting=city.mandate, userinfo=wanted, id_token={"name": None})
    assert userinfo(city, got).keys() == {"sub", "act", "credit_code"}
    assert claims_of(got["id_token"])["name"] == "滨州示范食品有限公司"


def test_a_refresh_releases_the_same(city: City) -> None:
    got = got_with(city, scope="openid offline_access", id_token={"name": None}, userinfo={"phone_number": None})
    after = refresh(city, got["refresh_token"]).json
    assert claims_of(after["id_token"])["name"] == "王小明"
    assert userinfo(city, after)["phone_number"] == "13800001234"


def test_the_holder_reads_which_claims_were_released(city: City) -> None:
    scope = "openid accesses.read"
    got = got_with(city, scope=scope, id_token={"name": None}, userinfo={"phone_number": None})
    latest = city.app.test_client().get("/v1/accesses", headers=bearer(got["access_token"])).json["items"][0]
    assert sorted(latest["fields"]) == ["name", "phone_number"]


# --- consent


@pytest.mark.parametrize(
    ("language", "name", "required"), [("zh", "手机号码", "办理必需"), ("en", "Phone number", "Required")]
)
def test_the_person_reads_each_claim_and_which_are_essential(
    city: City, language: str, name: str, required: str
) -> None:
    text = consent(
        city, city.browser(), language=language, userinfo={"name": None}, id_token={"phone_number": {"essential": True}}
    )
    assert text.count(name) == 1
    assert "138****1234" in text
    assert text.count(required) == 1
    assert "王**" in text or "王*" in text


def test_a_claim_is_asked_about_unless_its_scope_was_consented_to(city: City) -> None:
    browser = city.browser()
    browser.code(Flow("other", "openid"))
    silent = browser.open(Flow("other").url(prompt="none", **asking(userinfo={"name": None})))
    assert answer_of(silent)["error"] == "consent_required"
    browser.code(Flow("other", "openid profile"))
    covered = browser.open(Flow("other").url(prompt="none", **asking(userinfo={"name": None})))
    assert "code" in answer_of(covered)


# --- acr


@pytest.fixture
def app_of_alice(city: City) -> Iterator[Any]:
    yield give_app(city, city.alice)
    forget_factors(city)


def test_an_essential_acr_leads_to_a_second_factor_and_stands_in_the_id_token(city: City, app_of_alice: Any) -> None:
    browser, flow = city.browser(), Flow()
    essential = asking(id_token={"acr": {"essential": True, "values": [TWO_FACTOR]}})
    page = browser.log_in(browser.open(flow.url(acr_values=PASSWORD_ACR, **essential)))
    assert "/login/second" in page.url, "and acr_values does not make it less"
    page = browser.submit(page, code=now_code(app_of_alice))
    page = browser.submit(page, decision="allow") if page.status == 200 else page
    got = redeem(city.app, flow, answer_of(page)["code"]).json
    assert claims_of(got["id_token"])["acr"] == TWO_FACTOR
    again = Flow()
    page = browser.open(again.url(**asking(id_token={"acr": {"essential": True, "values": [PASSWORD_ACR]}})))
    got = redeem(city.app, again, answer_of(page)["code"]).json
    assert claims_of(got["id_token"])["acr"] == PASSWORD_ACR, "the class that was asked for, which it is as good as"
    assert claims_of(got["access_token"])["acr"] == TWO_FACTOR


def test_who_does_not_reach_an_essential_acr_is_not_logged_in(city: City, app_of_alice: Any) -> None:
    assert app_of_alice is not None
    browser, flow = city.browser(), Flow()
    essential = asking(id_token={"acr": {"essential": True, "value": TWO_FACTOR}})
    page = browser.log_in(browser.open(flow.url(**essential)))
    refusal = html.unescape(page.text.split('action="/oauth/decision')[1].split('"')[0])
    answer = answer_of(browser.open(f"/oauth/decision{refusal}", {**page.form["values"], "decision": "deny"}))
    assert (answer["error"], answer["state"]) == ("unmet_authentication_requirements", flow.state)
    silent = browser.open(Flow().url(prompt="none", **essential))
    assert answer_of(silent)["error"] == "login_required"


def test_an_essential_acr_that_cannot_be_reached_fails(city: City) -> None:
    for values in (["urn:example:loa4"], ["urn:ona:acr:passkey"], [1]):
        flow = Flow()
        page = city.browser().open(flow.url(**asking(id_token={"acr": {"essential": True, "values": values}})))
        answer = answer_of(page)
        assert (answer["error"], answer["state"]) == ("unmet_authentication_requirements", flow.state)


def test_a_voluntary_acr_is_a_wish(city: City) -> None:
    got = got_with(city, id_token={"acr": {"values": ["urn:example:loa4"]}})
    assert claims_of(got["id_token"])["acr"] == PASSWORD_ACR
    got = got_with(city, id_token={"acr": None})
    assert claims_of(got["id_token"])["acr"] == PASSWORD_ACR


# --- sub


def test_a_named_subject_must_be_who_logs_in(city: City) -> None:
    mine = claims_of(got_with(city)["id_token"])["sub"]
    for target in ("id_token", "userinfo"):
        got = got_with(city, **{target: {"sub": {"value": mine}}})
        assert claims_of(got["id_token"])["sub"] == mine
        browser, flow = city.browser(), Flow()
        page = browser.log_in(browser.open(flow.url(**asking(**{target: {"sub": {"value": "somebody-else"}}}))))
        assert answer_of(page)["error"] == "login_required"


# --- refused requests

BAD = {
    "no JSON": "{",
    "an array": "[]",
    "target is a text": '{"userinfo":"name"}',
    "target is an array": '{"id_token":["name"]}',
    "claim is a text": '{"userinfo":{"name":"x"}}',
    "claim is true": '{"userinfo":{"name":true}}',
    "essential is a text": '{"userinfo":{"name":{"essential":"true"}}}',
    "values is a text": '{"userinfo":{"name":{"values":"x"}}}',
    "no values": '{"userinfo":{"name":{"values":[]}}}',
    "value and values": '{"userinfo":{"name":{"value":"x","values":["x"]}}}',
    "a nested value": '{"userinfo":{"name":{"value":{"x":1}}}}',
    "duplicated": '{"userinfo":{"name":null,"name":null}}',
    "too deep": '{"userinfo":{"name":{"x":' + "[" * 20 + "]" * 20 + "}}}",
    "too many": json.dumps({"userinfo": {f"claim{n}": None for n in range(65)}}),
    "too long": json.dumps({"userinfo": {"name": {"value": "x" * 9000}}}),
    "lone surrogate": '{"userinfo":{"name":{"value":"\\ud800"}}}',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_malformed_is_refused_and_the_app_is_told(city: City, text: str) -> None:
    flow = Flow()
    answer = answer_of(city.browser().open(flow.url(claims=text)))
    assert (answer["error"], answer["state"]) == ("invalid_request", flow.state)


def test_two_copies_are_refused(city: City) -> None:
    answer = answer_of(city.browser().open(Flow().url(claims="{}") + "&claims={}"))
    assert answer["error"] == "invalid_request"


def test_pushed_and_signed_requests_carry_claims(city: City) -> None:
    flow, browser = Flow(), city.browser()
    pairs = dict(query_of(flow.url(**asking(userinfo={"name": None}))))
    pushed = token(city.app, pairs, basic("basic"), "/oauth/par").json
    page = browser.log_in(browser.open(f"/oauth/authorize?client_id=basic&request_uri={pushed['request_uri']}"))
    page = browser.submit(page, decision="allow") if page.status == 200 else page
    assert "name" in userinfo(city, redeem(city.app, flow, answer_of(page)["code"]).json)
    bad = token(city.app, pairs | {"claims": "[]"}, basic("basic"), "/oauth/par")
    assert (bad.status_code, bad.json["error"]) == (400, "invalid_request")

    flow, moment = Flow("jwt"), int(datetime.now(UTC).timestamp())
    payload = dict(query_of(flow.url())) | {"iss": "jwt", "aud": ISSUER, "nbf": moment, "exp": moment + 60}
    payload["claims"] = {"id_token": {"phone_number": None}}  # an object, as RFC 9101 section 4 has it
    signed = jwt.encode(payload, city.key, algorithm="ES256", headers={"kid": "k1", "typ": "oauth-authz-req+jwt"})
    text = city.browser()
    page = text.log_in(text.open(flow.url(request=signed)))
    assert "手机号码" in page.text

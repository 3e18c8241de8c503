"""Walk A: a citizen logs in to an app; an agent logs in for his company."""

import pytest
from sqlalchemy import func, select

from idservice.models import AccessToken, AuthorizationCode, Client, RefreshToken
from idservice.oauth import tokens
from keys.jws import decode
from keys.ring import Purpose
from tests.builders import act
from tests.identity import (
    AGENT,
    COMPANY,
    ISSUER,
    SECRET,
    City,
    Flow,
    answer_of,
    basic,
    bearer,
    claims_of,
    header_of,
    introspect,
    redeem,
    token,
)

EVERYTHING = "openid profile phone offline_access accesses.read"


def test_a_citizen_logs_in_and_the_app_learns_what_he_agreed_to(city: City) -> None:
    browser, flow = city.browser(), Flow(scope=EVERYTHING)

    login = browser.open(flow.url())
    assert "应用 basic" in login.text
    assert login.headers["Content-Security-Policy"].endswith("form-action 'self' http://127.0.0.1:4001")

    consent = browser.log_in(login)
    for masked in ("王**", "138****1234", "滨州市示范单位"):
        assert masked in consent.text
    for secret in ("王小明", "13800001234"):
        assert secret not in consent.text

    answer = answer_of(browser.submit(consent, decision="allow"))
    assert answer.keys() == {"code", "state", "iss", "session_state"}
    assert (answer["state"], answer["iss"]) == (flow.state, ISSUER)

    response = redeem(city.app, flow, answer["code"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    got = response.json
    id_token = claims_of(got["id_token"])
    assert id_token["iss"] == ISSUER
    assert id_token["aud"] == "basic"
    assert id_token["nonce"] == flow.nonce
    assert id_token["amr"] == ["pwd"]
    assert id_token["acr"] == "urn:ona:acr:password"
    assert {"auth_time", "at_hash", "exp", "iat"} <= id_token.keys()
    access = claims_of(got["access_token"])
    assert header_of(got["access_token"])["typ"] == "at+jwt"
    assert access["aud"] == tokens.resource(city.house.settings)
    assert access["sub"] == id_token["sub"]

    claims = city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json
    assert claims == {"sub": id_token["sub"], "name": "王小明", "real_name_level": 3, "phone_number": "13800001234"}

    seen = city.app.test_client().get("/v1/accesses", headers=bearer(got["access_token"])).json["items"][0]
    assert (seen["who"], seen["unit"]) == ("应用 basic", "滨州市示范单位")
    assert seen["fields"] == ["name", "real_name_level", "phone_number"]


def test_tokens_verify_against_the_published_keys(city: City) -> None:
    flow = Flow()
    got = redeem(city.app, flow, city.browser().code(flow)).json
    published = city.app.test_client().get("/.well-known/jwks.json")
    assert published.headers["Cache-Control"].startswith("public")
    by_kid = {key["kid"]: key for key in published.json["keys"]}
    assert not any({"d", "p", "q", "k"} & key.keys() for key in by_kid.values())
    for text, purpose, typ in (("id_token", Purpose.ID_TOKEN, "JWT"), ("access_token", Purpose.ACCESS_TOKEN, "at+jwt")):
        assert by_kid[header_of(got[text])["kid"]]["alg"] == "ES256"
        decode(got[text], keys=city.house.keys.public(purpose), typ=typ)


@pytest.mark.parametrize("client_id", ["basic", "post", "public"])
def test_each_kind_of_client_walks_through(city: City, client_id: str) -> None:
    flow = Flow(client_id)
    assert redeem(city.app, flow, city.browser().code(flow)).json["scope"] == "openid"


def test_consent_is_asked_once_and_again_when_the_app_wants_more(city: City) -> None:
    browser = city.browser()
    browser.code(Flow("post"))
    assert browser.open(Flow("post").url()).status == 303, "covered by the consent given before"
    assert browser.open(Flow("post", scope="openid accesses.read").url()).status == 200
    assert browser.open(Flow("post").url(prompt="consent")).status == 200


def test_a_person_who_declines_sends_the_app_away_with_state_and_iss(city: City) -> None:
    browser, flow = city.browser(), Flow("sector-a")
    page = browser.submit(browser.log_in(browser.open(flow.url())), decision="deny")
    assert answer_of(page) | {"error_description": ""} == {
        "error": "access_denied",
        "error_description": "",
        "state": flow.state,
        "iss": ISSUER,
    }


def test_a_form_sent_without_a_decision_shows_the_page_again(city: City) -> None:
    browser = city.browser()
    page = browser.log_in(browser.open(Flow("sector-b").url()))
    again = browser.submit(page)
    assert again.status == 200
    assert "授权确认" in again.text


def test_an_agent_acts_for_his_company(city: City) -> None:
    browser, flow = city.browser(), Flow(scope="openid profile phone offline_access")
    choice = browser.log_in(browser.open(flow.url()), number=AGENT)
    assert "滨州示范食品有限公司" in choice.text
    consent = browser.submit(choice, acting=city.mandate)
    assert "滨州示范食品有限公司" in consent.text
    answer = answer_of(browser.submit(consent, decision="allow"))
    got = redeem(city.app, flow, answer["code"]).json

    as_self = Flow(scope="openid profile")
    own = redeem(city.app, as_self, city.browser().code(as_self, number=AGENT)).json
    person, company = claims_of(own["id_token"])["sub"], claims_of(got["id_token"])["sub"]
    assert person != company
    shown = introspect(city, got["access_token"])
    userinfo = city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json
    for claims in (claims_of(got["id_token"]), claims_of(got["access_token"]), shown, userinfo):
        assert (claims["sub"], claims["act"]) == (company, {"sub": person})
    assert userinfo.keys() == {"sub", "act", "name", "credit_code"}
    assert userinfo["credit_code"] == COMPANY
    assert "act" not in claims_of(own["id_token"])

    refreshed = token(
        city.app, {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}, basic("basic")
    ).json
    assert claims_of(refreshed["access_token"])["act"] == {"sub": person}


def test_the_choice_of_whom_to_act_for_is_asked_at_each_login_to_an_app(city: City) -> None:
    browser = city.browser()
    browser.code(Flow(), number=AGENT)
    assert 'name="acting"' in browser.open(Flow().url()).text


def test_one_person_is_another_to_every_app_unless_a_sector_joins_them(city: City) -> None:
    subjects = {}
    for client_id in ("basic", "post", "public", "sector-a", "sector-b"):
        flow = Flow(client_id)
        subjects[client_id] = claims_of(redeem(city.app, flow, city.browser().code(flow)).json["id_token"])["sub"]
    assert len(set(subjects.values())) == 4
    assert subjects["sector-a"] == subjects["sector-b"]
    assert city.alice not in subjects.values()


def test_no_secret_is_stored_in_clear(city: City) -> None:
    flow = Flow(scope="openid offline_access")
    code = city.browser().code(flow)
    got = redeem(city.app, flow, code).json

    def everything(call):
        return [
            bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
            for table in (Client, AuthorizationCode, RefreshToken, AccessToken)
            for row in call.session.execute(select(*table.__table__.columns))
            for value in row
        ]

    stored = b"|".join(act(city.house, everything))
    jti = claims_of(got["access_token"])["jti"]
    for secret in (SECRET, code, got["refresh_token"], got["access_token"], jti):
        assert secret.encode() not in stored


def test_a_clients_own_token_leaves_no_row(city: City) -> None:
    count = select(func.count()).select_from(AccessToken)
    before = act(city.house, lambda call: call.session.scalar(count))
    assert token(city.app, {"grant_type": "client_credentials"}, basic("counter")).status_code == 200
    assert act(city.house, lambda call: call.session.scalar(count)) == before

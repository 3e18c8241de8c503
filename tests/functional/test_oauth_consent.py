"""Taking things back: consents on the page and through the API, logout by hand and by an app."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from idservice.models import Consent
from idservice.register import mandates
from tests.builders import act
from tests.identity import (
    AFTER_LOGOUT,
    AGENT,
    Browser,
    City,
    Flow,
    Page,
    answer_of,
    basic,
    bearer,
    introspect,
    redeem,
    token,
)
from tests.identity import claims_of as payload_of

OFFLINE = "openid profile offline_access consents.manage"


def tokens_of(city: City, browser, client_id: str = "basic", scope: str = OFFLINE, **walk: str) -> dict[str, str]:
    flow = Flow(client_id, scope=scope)
    return redeem(city.app, flow, browser.code(flow, **walk)).json


def revoke_button(text: str, client_id: str, key: str = "self") -> bool:
    return f'name="revoke" value="{key}.{client_id}"' in text


def test_a_consent_withdrawn_on_the_page_ends_the_apps_tokens_at_once(city: City) -> None:
    browser = city.browser()
    got, others = tokens_of(city, browser), tokens_of(city, browser, "other")
    page = browser.open("/me/apps")
    assert revoke_button(page.text, "basic")
    after = browser.submit(page, revoke="self.basic")
    assert not revoke_button(after.text, "basic")
    assert not introspect(city, got["access_token"])["active"]
    assert introspect(city, others["access_token"], "other")["active"]
    refused = token(city.app, {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}, basic("basic"))
    assert refused.json["error"] == "invalid_grant"
    assert browser.open(Flow(scope=OFFLINE).url()).status == 200, "consent is asked for again"


@pytest.mark.parametrize("value", ["", "self.", "self.nobody", "x.basic", "0" * 32 + ".basic", "."])
def test_a_consent_that_is_not_there_cannot_be_withdrawn(city: City, value: str) -> None:
    browser = city.browser()
    tokens_of(city, browser)
    assert browser.submit(browser.open("/me/apps"), revoke=value).status == 404


def test_an_agent_sees_and_withdraws_what_his_company_allowed(city: City) -> None:
    browser = city.browser()
    got = tokens_of(city, browser, number=AGENT, acting=city.mandate)
    own = tokens_of(city, browser, number=AGENT)
    page = browser.open("/me/apps")
    assert "滨州示范食品有限公司" in page.text
    browser.submit(page, revoke=f"{city.mandate}.basic")
    assert not introspect(city, got["access_token"])["active"]
    assert introspect(city, own["access_token"])["active"]
    citizen = city.browser()
    citizen.code(Flow())
    refused = citizen.submit(citizen.open("/me/apps"), revoke=f"{city.mandate}.basic")
    assert refused.status == 404, "nobody withdraws for an organisation he has no mandate of"


@pytest.mark.parametrize(
    "limits", [{"role": "agent", "licence_types": ["T1"]}, {"role": "administrator", "matters": ["M1"]}]
)
def test_a_limited_mandate_does_not_reach_the_companys_consents(city: City, limits: dict[str, Any]) -> None:
    narrow = act(city.house, lambda call: mandates.enter(call, person=city.alice, principal=city.company, **limits))
    browser = city.browser()
    got = tokens_of(city, browser, acting=narrow)
    page = browser.open("/me/apps")
    assert "滨州示范食品有限公司" not in page.text
    assert browser.submit(page, revoke=f"{narrow}.basic").status == 404
    client, headers = city.app.test_client(), bearer(got["access_token"])
    for answer in (
        client.get("/v1/consents", headers=headers),
        client.get("/v1/consent-receipts", headers=headers),
        client.post("/v1/consents/basic/withdrawals", headers=headers),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert introspect(city, got["access_token"])["active"]


def test_consents_through_the_api(city: City) -> None:
    browser = city.browser()
    got, others = tokens_of(city, browser), tokens_of(city, browser, "other", "openid")
    client = city.app.test_client()
    listed = client.get("/v1/consents", headers=bearer(got["access_token"])).json
    found = {item["client_id"]: item for item in listed["items"]}
    assert found["other"].keys() == {"client_id", "name", "unit", "scope", "given_at", "receipt"}
    assert listed["next_cursor"] is None
    taken = client.post("/v1/consents/other/withdrawals", headers=bearer(got["access_token"]))
    assert (taken.status_code, taken.json["client_id"]) == (201, "other")
    assert not introspect(city, others["access_token"], "other")["active"]
    assert client.post("/v1/consents/other/withdrawals", headers=bearer(got["access_token"])).status_code == 404
    assert client.get("/v1/consents").status_code == 401
    assert client.get("/v1/consents", headers=bearer(others["access_token"])).status_code == 403


def test_an_app_sees_nobody_elses_consents(city: City) -> None:
    alices = tokens_of(city, city.browser())
    agents = tokens_of(city, city.browser(), "other", number=AGENT)
    stmt = (
        update(Consent)
        .where(Consent.subject == city.agent, Consent.client_id != "other")
        .values(withdrawn_at=datetime.now(UTC))
    )
    act(city.house, lambda call: call.session.execute(stmt) and None)
    items = city.app.test_client().get("/v1/consents", headers=bearer(agents["access_token"])).json["items"]
    assert [item["client_id"] for item in items] == ["other"]
    items = city.app.test_client().get("/v1/consents", headers=bearer(alices["access_token"])).json["items"]
    assert "basic" in {item["client_id"] for item in items}


# --- logout


def test_logging_out_ends_the_session_and_what_was_to_last_as_long(city: City) -> None:
    browser = city.browser()
    session_bound, kept = tokens_of(city, browser, scope="openid"), tokens_of(city, browser)
    page = browser.open("/logout")
    assert introspect(city, session_bound["access_token"])["active"], "looking at the page does nothing"
    assert "已安全退出" in browser.submit(page, decision="logout").text
    assert "/login" in browser.open("/me/apps").url
    assert not introspect(city, session_bound["access_token"])["active"]
    assert introspect(city, kept["access_token"])["active"], "offline_access is for when the person is away"


def end_session(**parameters: str) -> str:
    from urllib.parse import urlencode

    return "/oauth/end_session?" + urlencode(parameters)


def test_an_app_sends_a_person_to_log_out_and_gets_him_back(city: City) -> None:
    browser = city.browser()
    hint = tokens_of(city, browser)["id_token"]
    page = browser.open(end_session(id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="s&1"))
    assert "应用 basic" in page.text
    assert page.headers["Content-Security-Policy"].endswith("http://127.0.0.1:4001")
    assert "/login" not in browser.open("/me/apps").url, "nothing ends before the person says so"
    left = browser.submit(page, decision="logout")
    assert (left.status, left.url.split("?")[0]) == (303, AFTER_LOGOUT)
    assert answer_of(left) == {"state": "s&1"}
    assert "/login" in browser.open("/me/apps").url
    again = browser.open(end_session(id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT))
    assert (again.status, again.url) == (303, AFTER_LOGOUT), "who is logged out already is sent on"


def test_a_logout_request_may_come_as_a_post(city: City) -> None:
    browser = city.browser()
    hint = tokens_of(city, browser)["id_token"]
    page = browser.open("/oauth/end_session", {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT})
    assert browser.submit(page, decision="logout").url == AFTER_LOGOUT


@pytest.mark.parametrize(
    "uri",
    [
        "http://evil.example/",
        AFTER_LOGOUT + "/",
        AFTER_LOGOUT + "?x=1",
        "javascript:alert(1)",
        "http://127.0.0.1:4001/cb",
    ],
)
def test_nobody_is_sent_to_an_unregistered_uri_after_logout(city: City, uri: str) -> None:
    browser = city.browser()
    hint = tokens_of(city, browser)["id_token"]
    page = browser.open(end_session(id_token_hint=hint, post_logout_redirect_uri=uri))
    assert page.status == 400
    assert "/login" not in browser.open("/me/apps").url
    form = browser.open("/logout").form["values"]
    posted = browser.open("/logout", {**form, "id_token_hint": hint, "post_logout_redirect_uri": uri})
    assert posted.status == 400


def test_without_a_voucher_there_is_no_redirect(city: City) -> None:
    browser = city.browser()
    got = tokens_of(city, browser)
    for parameters in (
        {},
        {"post_logout_redirect_uri": AFTER_LOGOUT},
        {"client_id": "basic", "post_logout_redirect_uri": AFTER_LOGOUT},
    ):
        page = browser.open(end_session(**parameters))
        assert page.status == 200
        assert "http://127.0.0.1:4001" not in page.headers["Content-Security-Policy"]
    for hint in (got["access_token"], got["id_token"][:-4] + "AAAA", "x"):
        assert browser.open(end_session(id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)).status == 400
    mismatch = end_session(id_token_hint=got["id_token"], client_id="other", post_logout_redirect_uri=AFTER_LOGOUT)
    assert browser.open(mismatch).status == 400
    assert browser.open("/oauth/end_session?state=1&state=2").status == 400


def test_another_site_cannot_log_a_person_out(city: City) -> None:
    browser = city.browser()
    tokens_of(city, browser)
    assert browser.open("/logout", {"decision": "logout"}).status == 403
    assert "/login" not in browser.open("/me/apps").url


# --- what a person keeps to himself


def without(browser: Browser, flow: Flow, claim: str, **changes: str) -> Page:
    """Allow all but one claim, for himself."""
    page = browser.open(flow.url(prompt="consent", **changes))
    page = browser.log_in(page) if page.asks_to_log_in else page
    page = browser.submit(page, acting="self") if 'name="acting"' in page.text else page
    return browser.submit(page, decision="allow", withhold=claim)


def withheld(city: City, browser: Browser, flow: Flow, claim: str, **changes: str) -> Any:
    """Return what an app gets that was allowed all but one claim, and what userinfo tells it."""
    page = without(browser, flow, claim, **changes)
    got = redeem(city.app, flow, answer_of(page)["code"]).json
    return got, city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json


def test_what_a_person_withholds_the_app_does_not_get(city: City) -> None:
    browser, scope = city.browser(), "openid profile phone consents.manage"
    browser.code(Flow(scope=scope))
    assert "code" in answer_of(browser.open(Flow(scope=scope).url(prompt="none")))
    got, told = withheld(city, browser, Flow(scope=scope), "phone_number")
    assert got["scope"].split() == ["openid", "profile", "consents.manage"]
    assert told.keys() == {"sub", "name", "real_name_level"}
    silent = answer_of(browser.open(Flow(scope=scope).url(prompt="none")))
    assert silent["error"] == "consent_required", "and the consent from before covers it no more"
    assert "code" in answer_of(browser.open(Flow(scope="openid profile").url(prompt="none")))
    receipts = city.app.test_client().get("/v1/consent-receipts?limit=1", headers=bearer(got["access_token"])).json
    receipt = payload_of(
        city.app.test_client()
        .get(f"/v1/consent-receipts/{receipts['items'][0]['id']}", headers=bearer(got["access_token"]))
        .text
    )
    assert "phone" not in {purpose["name"] for purpose in receipt["purposes"]}


def test_of_a_scope_that_releases_two_claims_one_can_be_withheld(city: City) -> None:
    got, told = withheld(city, city.browser(), Flow(scope="openid profile"), "name")
    assert got["scope"] == "openid"
    assert told.keys() == {"sub", "real_name_level"}


def test_what_the_app_calls_essential_is_given_or_refused_with_all(city: City) -> None:
    essential = {"claims": '{"userinfo": {"name": {"essential": true}}}'}
    _got, told = withheld(city, city.browser(), Flow(scope="openid profile"), "name", **essential)
    assert told.keys() == {"sub", "name", "real_name_level"}


def test_who_withholds_all_has_declined(city: City) -> None:
    browser, flow = city.browser(), Flow(scope="phone")
    answer = answer_of(without(browser, flow, "phone_number"))
    assert (answer["error"], answer["state"]) == ("access_denied", flow.state)


def test_what_is_withheld_ends_what_an_older_login_was_given(city: City) -> None:
    """The receipt says that the telephone number is not consented to: tokens from before must not read it either."""
    browser, scope = city.browser(), "openid profile phone"
    before = Flow(scope=scope)
    older = redeem(city.app, before, browser.code(before)).json
    assert "phone_number" in city.app.test_client().get("/oauth/userinfo", headers=bearer(older["access_token"])).json
    got, _told = withheld(city, browser, Flow(scope=scope), "phone_number")
    assert city.app.test_client().get("/oauth/userinfo", headers=bearer(older["access_token"])).status_code == 401
    assert city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).status_code == 200


def test_a_single_claim_that_is_withheld_is_asked_for_again(city: City) -> None:
    browser, single = city.browser(), {"claims": '{"userinfo": {"name": null, "real_name_level": null}}'}
    browser.code(Flow(scope="openid profile"))
    _got, told = withheld(city, browser, Flow(scope="openid"), "name", **single)
    assert told.keys() == {"sub", "real_name_level"}
    silent = answer_of(browser.open(Flow(scope="openid").url(prompt="none", **single)))
    assert silent.get("error") == "consent_required"

"""A second factor where an app asks for one: what it asks, what it gets, and what tokens then say."""

import html
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from idservice.login import session
from idservice.login.models import Lock
from idservice.login.second_pages import WRONG
from idservice.models import LoginSession
from tests.builders import act
from tests.factors import PASSKEY, TWO_FACTOR, asked_for_more, forget_factors, give_app, now_code
from tests.identity import (
    OFFLINE,
    City,
    Flow,
    answer_of,
    bearer,
    claims_of,
    introspect,
    logged_in,
    redeem,
    refresh,
)


@pytest.fixture(autouse=True)
def clean(city: City) -> Iterator[None]:
    yield
    forget_factors(city)


def tokens_of(city: City, flow: Flow, page) -> dict[str, str]:
    answer = redeem(city.app, flow, answer_of(page)["code"])
    assert answer.status_code == 200, answer.text
    return answer.json


def test_without_acr_values_no_second_factor_is_asked(city: City) -> None:
    give_app(city, city.alice)
    got = logged_in(city)
    for token in (got["id_token"], got["access_token"]):
        assert claims_of(token)["acr"] == "urn:ona:acr:password"
        assert claims_of(token)["amr"] == ["pwd"]


def test_acr_values_lead_to_the_app_by_way_of_a_second_factor(city: City) -> None:
    app, browser, flow = give_app(city, city.alice), city.browser(), Flow("other", scope=OFFLINE)
    page = asked_for_more(browser, flow)
    assert "应用 other" in page.text
    assert "http://127.0.0.1:4001" in page.headers["Content-Security-Policy"]
    consent = browser.submit(page, code=now_code(app))
    answer = browser.submit(consent, decision="allow")
    got = tokens_of(city, flow, answer)
    told = introspect(city, got["access_token"], "other")
    for claims in (claims_of(got["id_token"]), claims_of(got["access_token"]), told):
        assert (claims["acr"], claims["amr"]) == (TWO_FACTOR, ["pwd", "otp", "mfa"])
        assert abs(claims["auth_time"] - datetime.now(UTC).timestamp()) < 60
    again = refresh(city, got["refresh_token"], "other").json
    assert claims_of(again["access_token"])["acr"] == TWO_FACTOR, "a refresh claims no more and no less"


def test_a_session_made_stronger_serves_the_next_app_too(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    browser.submit(asked_for_more(browser, Flow("other")), code=now_code(app))
    page = browser.open(Flow("sector-a").url(acr_values=TWO_FACTOR))
    assert "/oauth/authorize" in page.url


def test_the_second_factor_gives_a_new_session_and_ends_the_old_one(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    page = asked_for_more(browser, Flow("other"))
    before = browser.client.get_cookie(session.COOKIE).value
    rows = act(city.house, lambda call: {r.id_hash: r.auth_time for r in call.session.scalars(select(LoginSession))})
    browser.submit(page, code=now_code(app))
    after = browser.client.get_cookie(session.COOKIE).value
    assert after != before
    thief = city.browser()
    thief.client.set_cookie(session.COOKIE, before)
    assert "/login?" in thief.open("/me/apps").url
    new = act(city.house, lambda call: session_row(call, after))
    assert new.auth_time in rows.values(), "a second factor makes a login stronger, not younger"
    assert new.chain in rows


def session_row(call, cookie: str) -> LoginSession:
    from idservice.ids import secret_hash

    return call.session.get_one(LoginSession, secret_hash(cookie))


def test_prompt_none_is_told_that_the_login_is_too_weak(city: City) -> None:
    give_app(city, city.alice)
    browser, flow = city.browser(), Flow()
    browser.code(flow)
    answer = answer_of(browser.open(Flow().url(acr_values=TWO_FACTOR, prompt="none")))
    assert answer["error"] == "login_required"


@pytest.mark.parametrize(
    "acr_values", ["urn:mace:silver", "urn:ona:acr:password urn:ona:acr:passkey", "urn:ona:acr:passkey", "1 2"]
)
def test_oidcc_ensure_request_with_acr_values_succeeds(city: City, acr_values: str) -> None:
    flow = Flow()
    got = redeem(city.app, flow, city.browser().code(flow, acr_values=acr_values)).json
    assert claims_of(got["id_token"])["acr"] == "urn:ona:acr:password"


def test_who_does_not_want_to_goes_back_to_the_app_with_an_error(city: City) -> None:
    give_app(city, city.alice)
    browser, flow = city.browser(), Flow("other")
    page = asked_for_more(browser, flow)
    refusal = html.unescape(page.text.split('class="ona-refusal" method="post" action="')[1].split('"')[0])
    token = page.form["values"]["csrf_token"]
    answer = answer_of(browser.open(refusal, {"csrf_token": token, "decision": "deny"}))
    assert (answer["error"], answer["state"]) == ("unmet_authentication_requirements", flow.state)
    allowed = browser.open(refusal, {"csrf_token": token, "decision": "allow"})
    assert "/login/second" in allowed.url, "nothing else gets past"


def test_somebody_without_a_second_factor_is_shown_where_to_add_one(city: City) -> None:
    page = asked_for_more(city.browser(), Flow("other"))
    assert 'href="/me/security?to=%2Foauth%2Fauthorize%3F' in page.text, "and how to come back"
    assert 'name="code"' not in page.text


def test_an_app_does_not_count_as_a_passkey(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    page = browser.log_in(browser.open(f"/login/second?acr={PASSKEY}&to=/me/apps"))
    assert "/login/second" in page.url
    assert 'name="code"' not in page.text
    form = {"way": "totp", "code": now_code(app), "acr": PASSKEY, "to": "/me/apps"}
    form["csrf_token"] = browser.open("/login").form["values"]["csrf_token"]
    assert "/login/second" in browser.open("/login/second", form).url


def test_a_code_is_good_once(city: City) -> None:
    app, browser, other = give_app(city, city.alice), city.browser(), city.browser()
    page, same = asked_for_more(browser, Flow("other")), asked_for_more(other, Flow("other"))
    code = now_code(app)
    assert browser.submit(page, code=code).status != 400
    again = other.submit(same, code=code)
    assert again.status == 400
    assert WRONG[0] in again.text
    assert code not in again.text


def test_another_language_is_chosen_after_a_wrong_code(city: City) -> None:
    app, browser, flow = give_app(city, city.alice), city.browser(), Flow("other")
    refused = browser.submit(asked_for_more(browser, flow, prompt="consent"), code="wrong")
    assert refused.status == 400
    page = browser.open(refused.in_language("en"))
    assert '<html lang="en"' in page.text
    consent = browser.submit(page, code=now_code(app))
    assert tokens_of(city, flow, browser.submit(consent, decision="allow"))["id_token"]


def test_of_parallel_uses_of_one_code_one_succeeds(city: City) -> None:
    app = give_app(city, city.alice)
    pages = [(browser := city.browser(), asked_for_more(browser, Flow("other"))) for _ in range(4)]
    code = now_code(app)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda pair: pair[0].submit(pair[1], code=code).status, pages))
    assert sorted(status != 400 for status in found) == [False, False, False, True]


def test_five_wrong_codes_lock_and_a_right_password_does_not_unlock(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    page = asked_for_more(browser, Flow("other"))
    for _ in range(5):
        page = browser.submit(page, code="000000" if now_code(app) != "000000" else "000001")
        assert page.status == 400
    assert browser.submit(page, code=now_code(app)).status == 400
    other = city.browser()
    page = asked_for_more(other, Flow("other"))
    assert other.submit(page, code=now_code(app)).status == 400, "another login of the same person is locked too"
    row = act(city.house, lambda call: call.session.get_one(Lock, (city.alice, "second")))
    assert row.failures == 5, "a locked gate counts no further"
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=False):
        assert other.submit(page, code=now_code(app)).status != 400


def test_the_owner_gets_through_on_his_own_device_while_somebody_else_guesses(city: City) -> None:
    app, home = give_app(city, city.alice), city.browser()
    home.submit(asked_for_more(home, Flow("other")), code=now_code(app))
    thief = city.browser()
    page = asked_for_more(thief, Flow("other"))
    for _ in range(6):
        page = thief.submit(page, code="wrong")
    locked = act(city.house, lambda call: call.session.get_one(Lock, (city.alice, "second")).locked_until)
    assert locked is not None
    assert thief.submit(page, code=now_code(app, steps=1)).status == 400
    home.client.delete_cookie(session.COOKIE)
    page = asked_for_more(home, Flow("other"))
    assert home.submit(page, code=now_code(app, steps=1)).status != 400


def test_nobody_guesses_on_on_a_device_of_the_owner(city: City) -> None:
    """Neither by logging in anew: the device keeps its name, and what is counted by it."""
    app, stolen = give_app(city, city.alice), city.browser()
    stolen.submit(asked_for_more(stolen, Flow("other")), code=now_code(app))
    for _ in range(2):
        stolen.client.delete_cookie(session.COOKIE)
        page = asked_for_more(stolen, Flow("other"))
        for _ in range(3):
            page = stolen.submit(page, code="wrong")
    assert stolen.submit(page, code=now_code(app, steps=1)).status == 400
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=False):
        assert stolen.submit(page, code=now_code(app, steps=1)).status != 400


def test_the_access_token_of_a_password_is_challenged_where_an_act_needs_more(city: City) -> None:
    from idservice.call import Caller
    from idservice.errors import Problem
    from idservice.login import step_up
    from idservice.login.levels import Act
    from idservice.oauth import bearer as bearers

    got = logged_in(city)
    header = bearer(got["access_token"])["Authorization"]
    token = bearers.verify(city.house, header.split()[1], now=datetime.now(UTC))

    def demand(call) -> None:
        call.caller = bearers.caller(call, token, address=None)
        assert call.caller.amr == ("pwd",)
        step_up.demand(call, Act.ADMINISTER)

    with pytest.raises(Problem) as raised:
        act(city.house, demand, caller=Caller(channel="api"))
    assert raised.value.code == "insufficient_user_authentication"
    assert TWO_FACTOR in raised.value.headers["WWW-Authenticate"]


def test_max_age_demands_the_password_again_before_the_second_factor(city: City) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    browser.submit(asked_for_more(browser, Flow("other")), code=now_code(app))
    past = datetime.now(UTC) - timedelta(hours=1)
    act(city.house, lambda call: call.session.execute(update(LoginSession).values(auth_time=past)) and None)
    page = browser.open(Flow("other").url(acr_values=TWO_FACTOR, max_age="600"))
    assert page.asks_to_log_in
    page = browser.log_in(page)
    assert "/login/second" in page.url
    assert browser.submit(page, code=now_code(app, steps=1)).status != 400


ODD = {
    "empty": {"code": ""},
    "long": {"code": "1" * 5000},
    "other_digits": {"code": "١٢٣٤٥٦"},
    "not_text": {"code": b"\xed\xa0\x80".decode("latin-1")},
    "no_such_form": {"way": "sms", "code": "123456", "form": "x" * 5000},
    "no_such_way": {"way": "nothing", "code": "1"},
}


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD.keys())
def test_odd_answers_are_wrong_answers(city: City, sent: dict[str, str]) -> None:
    give_app(city, city.alice)
    browser = city.browser()
    assert browser.submit(asked_for_more(browser, Flow("other")), **sent).status == 400


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil"])
def test_nobody_leaves_the_site_by_the_second_factor(city: City, to: str) -> None:
    app, browser = give_app(city, city.alice), city.browser()
    page = asked_for_more(browser, Flow("other"))
    sent = {**page.form["values"], "to": to, "code": now_code(app)}
    answer = browser.client.post("/login/second", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")

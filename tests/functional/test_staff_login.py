"""Whoever acts by a post shows a second factor: at every desk, through every token, and he is led to one he lacks."""

import html
import re
from collections.abc import Iterator

import pyotp
import pytest
from sqlalchemy import delete

from idservice.http.page import PAGES, POSTS, Who
from idservice.login import activation
from idservice.login.models import ActivationCode, Lock, Totp
from tests.factors import TWO_FACTOR, give_app, now_code
from tests.identity import Browser, Flow, Page, answer_of, basic, bearer, redeem, token
from tests.town import ALICE, CIVIL, CLERK, HOLDER_SCOPE, OFFICER, SECURITY, STAFF_SCOPE, Town, order_for

CHALLENGE = f'Bearer error="insufficient_user_authentication", acr_values="{TWO_FACTOR}"'
DESKS = {Who.CLERK: CLERK, Who.OFFICER: OFFICER}
SECOND = "/login/second?acr=urn%3Aona%3Aacr%3Atwo-factor&to="


@pytest.fixture(autouse=True)
def clean(town: Town) -> Iterator[None]:
    yield
    town.forget_tokens()
    for table in (Totp, Lock, ActivationCode):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def code_for(town: Town) -> str:
    """A code by which the clerk may add his first second factor."""
    code = activation.new_code()
    town.act(lambda call: activation.enter(call, town.subjects[CLERK], activation.hash_of(code)))
    return code


def by_password(town: Town, number: str) -> Browser:
    browser = Browser(town.app)
    assert browser.log_in(number=number).status == 200
    return browser


def test_no_page_for_staff_opens_by_a_password(town: Town) -> None:
    browsers = {who: by_password(town, number) for who, number in DESKS.items()}
    whose = {name: who for name, _rule, who in PAGES if who in POSTS}
    rules = [rule for rule in town.app.url_map.iter_rules() if rule.endpoint in whose and "GET" in (rule.methods or ())]
    assert len(rules) > 20
    for rule in rules:
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        answer = browsers[whose[rule.endpoint]].client.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Location"][: len(SECOND)]) == (303, SECOND), path
    assert browsers[Who.OFFICER].open("/assists/asked").url.startswith(SECOND), "a page for officers and clerks"


def test_a_post_is_of_no_use_to_a_form_that_was_open_before(town: Town) -> None:
    desk = town.browser(CLERK)
    page, weak = desk.open("/counter"), by_password(town, CLERK)
    sent = {**page.form["values"], "csrf_token": weak.open("/verify").form["values"]["csrf_token"], "text": "x"}
    assert weak.open(page.form["action"] or "/counter", sent).url == f"{SECOND}%2Fcounter"


def test_the_code_of_his_app_leads_a_clerk_to_his_desk(town: Town) -> None:
    app, browser = give_app(town, town.subjects[CLERK]), Browser(town.app)
    page = browser.log_in(browser.open("/counter"), number=CLERK)
    assert page.url == f"{SECOND}%2Fcounter"
    refused = browser.submit(page, code="000000" if now_code(app) != "000000" else "111111")
    assert refused.status == 400
    arrived = browser.submit(refused, code=now_code(app))
    assert (arrived.status, arrived.url) == (200, "/counter")
    assert browser.open("/counter/lookup").status == 200, "once a session, not once a page"


def test_a_clerk_without_a_second_factor_is_led_to_one_and_on_to_his_desk(town: Town) -> None:
    browser = Browser(town.app)
    page = browser.log_in(browser.open("/counter?a=1"), number=CLERK)
    assert "您还没有可用的第二种验证方式" in page.text
    page = follow(browser, page, "/me/security?")
    page = follow(browser, page, "/me/security/app?")
    page = browser.submit(page, code=code_for(town))
    found = re.search(r'ona-setup__secret">([A-Z2-7 ]+)<', page.text)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    wrong = browser.submit(page, code="12345")
    assert wrong.status == 400
    arrived = browser.submit(wrong, code=now_code(app))
    assert (arrived.status, arrived.url) == (200, "/counter?a=1")


def test_the_way_on_from_a_new_factor_stays_on_this_site(town: Town) -> None:
    browser = by_password(town, ALICE)
    for to in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        page = browser.open("/me/security/app?to=" + to)
        assert page.form["values"]["to"] == "/me"


def test_a_program_is_told_which_login_its_token_must_come_from(town: Town) -> None:
    weak = town.person(OFFICER, client="staff-app", by_password=True)
    refused = town.web.post("/v1/licences", json=order_for(), headers=weak)
    assert (refused.status_code, refused.json["code"]) == (401, "insufficient_user_authentication")
    assert refused.headers["WWW-Authenticate"] == CHALLENGE
    flow, browser = Flow("staff-app", STAFF_SCOPE), by_password(town, OFFICER)
    app = give_app(town, town.subjects[OFFICER])
    page = browser.open(flow.url(acr_values=TWO_FACTOR))
    page = browser.submit(page, code=now_code(app))
    page = browser.submit(page, decision="allow") if page.status == 200 else page
    strong = bearer(redeem(town.app, flow, answer_of(page)["code"]).json["access_token"])
    assert town.web.post("/v1/licences", json=order_for(), headers=strong).status_code == 201


def test_a_refresh_makes_no_login_stronger(town: Town) -> None:
    flow = Flow("wallet-app", HOLDER_SCOPE)
    got = redeem(town.app, flow, Browser(town.app).code(flow, number=OFFICER)).json
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    again = token(town.app, form, basic("wallet-app")).json["access_token"]
    asked = town.web.get(f"/v1/licences?department={SECURITY}", headers=bearer(again))
    assert (asked.status_code, asked.headers["WWW-Authenticate"]) == (401, CHALLENGE)


def test_who_holds_another_post_is_refused_and_not_sent_to_prove_more(town: Town) -> None:
    weak = town.person(OFFICER, client="staff-app", by_password=True)
    assert town.web.get(f"/v1/licences?department={CIVIL}", headers=weak).status_code == 403
    assert by_password(town, OFFICER).open("/counter").status == 403
    assert by_password(town, ALICE).open("/admin").status == 403


def test_staff_are_citizens_by_their_password_like_everybody(town: Town) -> None:
    own = town.order("resident_card", OFFICER)["identifier"]
    private = town.person(OFFICER, by_password=True)
    assert town.web.get(f"/v1/licences/{own}", headers=private).status_code == 200, "issued by his own department"
    assert town.web.get("/v1/licences", headers=private).json["items"]
    assert town.web.get("/v1/accesses", headers=private).status_code == 200
    browser = by_password(town, OFFICER)
    for path in ("/me", f"/me/licences/{own}", "/me/seals", "/me/accesses", "/me/security"):
        assert browser.open(path).status == 200, path
    theirs = town.order("resident_card", ALICE)["identifier"]
    assert town.web.get(f"/v1/licences/{theirs}", headers=private).status_code == 401


def follow(browser: Browser, page: Page, address: str) -> Page:
    links = [html.unescape(found) for found in re.findall(r'href="([^"]+)"', page.text)]
    return browser.open(next(link for link in links if link.startswith(address)))

"""A citizen logs in to an app, in a real Chromium: above all, that its content policy lets the answers through."""

from base64 import b64encode
from datetime import date
from random import Random
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from licences.demo.numbers import citizen_number
from tests.browser.conftest import App, Visit
from tests.browser.live import VERIFIER, Live

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@SCRIPTS
def test_citizen_allows_an_app(live: Live, visit: Visit, app: App, scripts: bool):
    client, answers = app
    visitor = visit(java_script_enabled=scripts)
    citizen = live.citizen(1 if scripts else 2)
    visitor.log_in(citizen, live.authorize_path(client))

    main = visitor.page.locator("main")
    expect(main).to_contain_text("姓名")
    expect(main).to_contain_text(citizen["name"][0] + "*" * (len(citizen["name"]) - 1))
    assert citizen["name"] not in main.inner_text()
    assert citizen["id_number"] not in visitor.page.content()
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["state"] == "state-of-the-app"
    assert answers[-1]["code"]
    assert answers[-1]["iss"] == live.url

    # The second time nothing is asked, and the login page itself leads to the app.
    visitor.context.clear_cookies(name="__Host-ona-session")
    visitor.log_in(citizen, live.authorize_path(client))
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert len({answer["code"] for answer in answers}) == 2


def test_citizen_sees_what_an_app_read(live: Live, visit: Visit, app: App):
    client, answers = app
    if "client_secret" not in client:
        pytest.skip("the port of the app with a secret is taken")
    visitor = visit(width=320)
    visitor.log_in(live.citizen(14), live.authorize_path(client))
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    found = visitor.context.request.get(live.url + "/.well-known/openid-configuration").json()
    secret = b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
    redeemed = visitor.context.request.post(
        found["token_endpoint"],
        headers={"Authorization": f"Basic {secret}"},
        form={
            "grant_type": "authorization_code", "code": answers[-1]["code"], "code_verifier": VERIFIER,
            "redirect_uri": client["redirect_uris"][0],
        },
    )  # fmt: skip
    assert redeemed.ok, redeemed.text()

    visitor.open("/me/accesses")
    newest = visitor.page.locator(".ona-log__entry").first
    for fact in ("应用读取", "姓名", "手机号码", "本人在应用中同意"):
        expect(newest).to_contain_text(fact)


def test_citizen_denies_an_app(live: Live, visit: Visit, app: App):
    client, answers = app
    visitor = visit(language="en")
    visitor.log_in(live.citizen(3), live.authorize_path(client))
    visitor.page.get_by_role("button", name="Deny").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["error"] == "access_denied"
    assert "code" not in answers[-1]


def test_agent_chooses_his_organisation(live: Live, visit: Visit, app: App):
    client, answers = app
    agent, organisation = live.agent(0)
    visitor = visit()
    visitor.log_in(agent, live.authorize_path(client))
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("这次您代表谁办事？")
    visitor.assert_sound()
    visitor.page.get_by_label(organisation).check()
    visitor.submit()
    expect(visitor.page.locator("main")).to_contain_text("统一社会信用代码")
    expect(visitor.page.locator("main")).to_contain_text(organisation)
    visitor.page.get_by_role("button", name="同意").click()
    visitor.page.wait_for_url(client["redirect_uris"][0] + "**")
    assert answers[-1]["code"]

    visitor.open("/me/apps")
    consent = visitor.page.locator(".ona-app", has_text=organisation)
    consent.get_by_role("button").click()
    expect(visitor.page.locator("main")).to_contain_text("您还没有授权任何应用。")


def test_chromium_keeps_the_host_cookies_on_plain_loopback(live: Live, visit: Visit):
    visitor = visit()
    visitor.log_in(live.citizen(4))
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("我的证照")
    ours = {cookie["name"]: cookie for cookie in visitor.context.cookies() if cookie["name"].startswith("__Host-")}
    assert {"__Host-ona-session", "__Host-ona-form"} <= ours.keys()
    for cookie in ours.values():
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert (cookie["path"], cookie["domain"]) == ("/", urlsplit(live.url).hostname)

    visitor.open("/logout")
    visitor.submit()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("您已安全退出")
    assert "__Host-ona-session" not in {cookie["name"] for cookie in visitor.context.cookies()}


def test_keyboard_alone_logs_in(live: Live, visit: Visit):
    citizen = live.citizen(5)
    visitor = visit()
    visitor.open("/login")
    page = visitor.page
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert reached == ["跳到主要内容", "一号通行", "English", "number", "password", "显示"]
    page.focus("#number")
    page.keyboard.type(citizen["id_number"].lower())
    page.keyboard.press("Tab")
    page.keyboard.type(citizen["password"])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的证照")


def test_wrong_password_says_no_more_than_an_unknown_number(live: Live, visit: Visit):
    nobody = citizen_number(Random(6), district="379901", birth_date=date(1999, 1, 1), male=True)
    said = []
    for number in (live.citizen(6)["id_number"], nobody):
        visitor = visit()
        visitor.open("/login")
        visitor.fill_in_login({"id_number": number, "password": "not-his-password"})
        visitor.submit()
        expect(visitor.page.locator(".govuk-error-summary")).to_be_focused()
        assert number not in visitor.page.content()
        said.append(visitor.page.locator("main").inner_text())
    assert said[0] == said[1]

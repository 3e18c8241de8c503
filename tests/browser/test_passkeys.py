"""Passkeys in a real Chromium with its virtual authenticator: made at /me/security, used to log in and before a face.

Browsers bind passkeys to a name, so this city calls itself localhost and not, as the demonstration does, by an address.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from tests.browser.live import AXE, SEEN
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE, PASSWORD, build_city
from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SUBMIT = "main form button[type=submit]"


@dataclass
class Visit:
    """A browser with an authenticator built in."""

    page: "Page"
    devtools: Any
    authenticator: str
    complaints: list[str]

    def submit(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).click()

    def passkeys(self) -> list[dict[str, Any]]:
        found = self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(found["credentials"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("named"), free_port()
    issuer = f"http://localhost:{port}"
    city = build_city(folder, SqliteDatabases(folder).fresh(migrate), issuer=issuer)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, city.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield issuer
    server.shutdown()
    city.house.database.engine.dispose()


@pytest.fixture
def visit(chromium: "Browser") -> Iterator[Visit]:
    context = chromium.new_context(locale="zh-CN", reduced_motion="reduce")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield Visit(page, devtools, made["authenticatorId"], complaints)
    context.close()


def assert_sound(page: "Page") -> None:
    page.evaluate(AXE)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        seen = page.evaluate(SEEN)
        assert seen["width"] <= width
        assert seen["violations"] == []


def test_a_passkey_is_made_and_then_opens_the_account(url: str, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{url}/login?to=/me/security")
    assert_sound(page)
    page.fill("#number", ALICE)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.locator(SUBMIT).first.click()
    with page.expect_navigation():
        page.get_by_role("link", name="添加通行密钥").click()
    assert_sound(page)
    page.fill("#title", "我的电脑")
    visit.submit("添加")
    expect(page.locator("main")).to_contain_text("我的电脑")
    assert_sound(page)
    assert [one["rpId"] for one in visit.passkeys()] == ["localhost"]

    page.context.clear_cookies()
    page.goto(f"{url}/login?to=/me/security")
    visit.submit("使用通行密钥登录")
    expect(page.get_by_role("heading", level=1)).to_have_text("账号安全")
    expect(page.locator("main")).to_contain_text("最近使用")
    assert visit.passkeys()[0]["signCount"] > 1

    with page.expect_navigation():
        page.get_by_role("button", name="移除“我的电脑”").click()
    expect(page.locator("main")).not_to_contain_text("我的电脑")
    page.context.clear_cookies()
    page.goto(f"{url}/login")
    with page.expect_navigation():
        page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page.locator(".govuk-error-summary")).to_contain_text("没有登记")
    assert [text for text in visit.complaints if "400" not in text] == []


def test_a_device_that_does_not_verify_its_user_is_told_so(url: str, visit: Visit) -> None:
    page = visit.page
    visit.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": visit.authenticator, "isUserVerified": False})
    page.goto(f"{url}/login")
    failed = page.locator("[data-failed]")
    expect(failed).not_to_be_visible()
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(failed).to_be_visible()
    assert visit.complaints == []

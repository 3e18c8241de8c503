"""Whoever has a passkey shows it before the face of a licence, in Chromium with its virtual authenticator."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, update
from werkzeug.serving import make_server

from idservice.login.models import Passkey
from idservice.models import LoginSession
from tests.browser.test_passkeys import SUBMIT, Visit, assert_sound, visit  # noqa: F401 - a fixture
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.identity import PASSWORD
from tests.ports import free_port
from tests.town import ALICE, PERSON_NAMES, Town, build_town

FACE = (ALICE, PERSON_NAMES[ALICE], "data-state-url")


@dataclass
class Named:
    """A town that browsers know by a name, as passkeys need it, and the path of a resident's identity card."""

    town: Town
    url: str
    card: str


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    folder, port = tmp_path_factory.mktemp("named"), free_port()
    issuer = f"http://localhost:{port}"
    town = build_town(folder, SqliteDatabases(folder).fresh(migrate), issuer=issuer)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, town.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Named(town, issuer, f"/me/licences/{town.issue('resident_card').identifier}")
    server.shutdown()
    town.house.database.engine.dispose()


@pytest.fixture
def holder(named: Named, visit: Visit) -> Iterator[Visit]:  # noqa: F811 - the fixture above
    """Alice, who made a passkey, went away and logged in by her password."""
    page = visit.page
    log_in(named, visit, "/me/security")
    with page.expect_navigation():
        page.get_by_role("link", name="添加通行密钥").click()
    page.fill("#title", "我的手机")
    visit.submit("添加")
    page.context.clear_cookies()
    log_in(named, visit, "/me")
    yield visit
    named.town.act(lambda call: call.session.execute(delete(Passkey)))


def log_in(named: Named, visitor: Visit, to: str) -> None:
    visitor.page.goto(f"{named.url}/login?to={to}")
    visitor.page.fill("#number", ALICE)
    visitor.page.fill("#password", PASSWORD)
    with visitor.page.expect_navigation():
        visitor.page.locator(SUBMIT).first.click()


def assert_faceless(named: Named, visitor: Visit, at: str) -> None:
    """The visitor is at this page, and neither it nor what programs are given tells of the face."""
    assert urlsplit(visitor.page.url).path == at
    record = visitor.page.request.get(f"{named.url}{named.card}/record.json")
    for text in (visitor.page.content(), record.text()):
        assert not any(word in text for word in FACE)


def age(named: Named) -> None:
    """Let every login be older than half an hour."""
    since = timedelta(minutes=31)
    named.town.act(lambda call: call.session.execute(update(LoginSession).values(auth_time=call.now - since)))


def use(visitor: Visit, name: str) -> None:
    """Press a button that asks for the passkey: once in vain, as the device does not know its user, and again."""
    whom = {"authenticatorId": visitor.authenticator}
    visitor.devtools.send("WebAuthn.setUserVerified", whom | {"isUserVerified": False})
    before = visitor.page.url
    visitor.page.get_by_role("button", name=name, exact=True).click()
    expect(visitor.page.locator("[data-failed]")).to_be_visible()
    assert visitor.page.url == before
    visitor.devtools.send("WebAuthn.setUserVerified", whom | {"isUserVerified": True})
    visitor.page.wait_for_timeout(1_100)  # a button takes a second press within a second for the same one
    visitor.submit(name)


def test_a_login_by_password_alone_shows_no_face_until_the_passkey(named: Named, holder: Visit) -> None:
    page = holder.page
    page.goto(named.url + named.card)
    assert_faceless(named, holder, "/login/second")
    assert_sound(page)
    use(holder, "使用通行密钥")
    assert urlsplit(page.url).path == named.card
    expect(page.locator(".ona-paper")).to_contain_text(ALICE)
    page.get_by_role("button", name="出示这份证照").click()
    expect(page.locator(".ona-show__qr")).to_be_visible()
    assert holder.complaints == []


def test_a_proof_half_an_hour_old_shows_no_face_until_the_passkey(named: Named, holder: Visit) -> None:
    page = holder.page
    page.goto(named.url + named.card)
    holder.submit("使用通行密钥")
    age(named)
    page.goto(named.url + named.card)
    assert_faceless(named, holder, "/login/again")
    use(holder, "使用通行密钥登录")
    assert urlsplit(page.url).path == named.card
    expect(page.locator(".ona-paper")).to_contain_text(ALICE)
    assert holder.complaints == []


def test_an_old_login_by_password_needs_the_passkey_behind_the_password(named: Named, holder: Visit) -> None:
    page = holder.page
    age(named)
    page.goto(named.url + "/me/show")
    page.get_by_label("居民身份证").check()
    holder.submit("生成二维码")
    assert_faceless(named, holder, "/login/again")
    page.fill("#password", PASSWORD)
    holder.submit("继续")
    assert_faceless(named, holder, "/login/second")
    use(holder, "使用通行密钥")
    expect(page.locator(".ona-show__qr")).to_be_visible()
    assert holder.complaints == []

"""A page: who may open it, how a visitor gets back to it, and how long a session lasts."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from idservice.ids import secret_hash
from idservice.login import session as login_session
from idservice.models import LoginSession, Person
from tests.builders import act
from tests.identity import AGENT, ALICE, PASSWORD, Browser, Page
from tests.unit.idservice.http.conftest import CODE, Site

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def browser_of(site: Site, number: str) -> Browser:
    browser = site.city.browser()
    assert browser.log_in(number=number).status == 200
    return browser


def get(site: Site, path: str, cookie: str | None = None, **headers: str) -> Any:
    client = site.app.test_client(use_cookies=False)
    sent = {"Accept": "text/html", **headers}
    if cookie is not None:
        sent["Cookie"] = f"{login_session.COOKIE}={cookie}"
    return client.get(path, headers=sent)


def cookie_of(browser: Browser) -> str:
    found = browser.client.get_cookie(login_session.COOKIE)
    assert found is not None
    return found.value


def session_of(site: Site, browser: Browser) -> LoginSession:
    key = secret_hash(cookie_of(browser))
    return act(site.city.house, lambda call: call.session.get_one(LoginSession, key))


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        ("/leaf/own", "/login?to=%2Fleaf%2Fown"),
        ("/leaf/own?a=1&b=%2F%2Fevil.example", "/login?to=%2Fleaf%2Fown%3Fa%3D1%26b%3D%252F%252Fevil.example"),
        ("/leaf/window", "/login?to=%2Fleaf%2Fwindow"),
    ],
)
def test_a_visitor_is_sent_to_log_in_and_comes_back(site: Site, asked: str, way: str) -> None:
    answer = get(site, asked)
    assert (answer.status_code, answer.headers["Location"]) == (303, way)
    browser = site.city.browser()
    page = browser.log_in(browser.open(asked), number=AGENT)
    if "window" in asked:
        assert page.url.startswith("/login/second?"), "that post asks for more first"
        browser.strengthen()
        page = browser.open(page.url)
    assert (page.status, page.url) == (200, asked)


def test_a_page_for_anyone_asks_nobody(site: Site) -> None:
    assert get(site, "/leaf").text == "<p>leaf"
    assert get(site, "/leaf", "x" * 43).status_code == 200


def test_a_page_knows_its_visitor(site: Site) -> None:
    assert browser_of(site, ALICE).open("/leaf/own").text == f"<p>{site.city.alice}"


def test_staff_pages_are_for_those_who_hold_the_post(site: Site) -> None:
    clerk, citizen = browser_of(site, AGENT), browser_of(site, ALICE)
    clerk.strengthen()
    assert clerk.open("/leaf/window").text == "<p>window"
    before = len(site.refusals())
    for browser, path, person in (
        (citizen, "/leaf/window", site.city.alice),
        (citizen, "/leaf/office", site.city.alice),
        (clerk, "/leaf/office", site.city.agent),
    ):
        page = browser.open(path)
        assert page.status == 403
        assert "forbidden" in page.text
        actor, deed, facts = site.refusals()[-1]
        assert (actor, deed) == (f"person:{person}", "idservice:request:refuse")
        assert facts == f'{{"code":"forbidden","what":"leaves.{path.rsplit("/", 1)[1]}"}}'
    assert len(site.refusals()) == before + 3


def test_staff_pages_send_who_came_with_a_password_to_prove_more(site: Site) -> None:
    clerk, seen = browser_of(site, AGENT), site.count("seen by the way")
    for asked, way in (
        ("/leaf/window?a=1", "acr=urn%3Aona%3Aacr%3Atwo-factor&to=%2Fleaf%2Fwindow%3Fa%3D1"),
        ("/leaf/handled", "acr=urn%3Aona%3Aacr%3Atwo-factor&to=%2Fleaf%2Fhandled"),
    ):
        answer = get(site, asked, cookie_of(clerk))
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/login/second?{way}")
    assert site.count("seen by the way") == seen + 1, "what is noted of a refusal is noted of this one too"
    assert clerk.open("/leaf/own").status == 200, "as a citizen he goes on"
    clerk.strengthen()
    assert clerk.open("/leaf/handled").text == f"<p>{CODE}"


ODD_COOKIES = ["", "x", "x" * 5000, "%00", "..", "' OR 1=1 --", "é", "\\u0000", "\x7f", '"']


@pytest.mark.parametrize("cookie", ODD_COOKIES)
def test_a_malformed_session_cookie_is_nobody(site: Site, cookie: str) -> None:
    assert get(site, "/leaf/own", cookie).status_code == 303
    assert get(site, "/leaf", cookie).status_code == 200


def test_the_hash_of_a_session_is_not_a_session(site: Site) -> None:
    browser = browser_of(site, ALICE)
    assert get(site, "/leaf/own", cookie_of(browser)).status_code == 200
    assert get(site, "/leaf/own", session_of(site, browser).id_hash.hex()).status_code == 303
    assert get(site, "/leaf/own", cookie_of(browser) + "x").status_code == 303


def test_a_session_ends_when_it_is_idle(site: Site, clock: time_machine.Traveller) -> None:
    browser = browser_of(site, ALICE)
    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert browser.open("/leaf/own").text == f"<p>{site.city.alice}", "each use keeps it alive"
    clock.shift(timedelta(minutes=30))
    assert "/login" in browser.open("/leaf/own").url


def test_a_session_ends_after_its_hours_however_busy(site: Site, clock: time_machine.Traveller) -> None:
    browser = browser_of(site, ALICE)
    for _ in range(35):
        clock.shift(timedelta(minutes=20))
        assert browser.open("/leaf/own").text == f"<p>{site.city.alice}"
    clock.shift(timedelta(minutes=20))
    assert "/login" in browser.open("/leaf/own").url


def test_use_is_noted_at_most_once_a_minute(site: Site, clock: time_machine.Traveller) -> None:
    browser = browser_of(site, ALICE)
    clock.shift(timedelta(seconds=59))
    browser.open("/leaf/own")
    assert session_of(site, browser).seen_at == NOON
    clock.shift(timedelta(seconds=1))
    browser.open("/leaf")
    assert session_of(site, browser).seen_at == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("status", ["locked", "deceased", "closed"])
def test_a_person_no_longer_active_is_nobody(site: Site, status: str) -> None:
    browser = browser_of(site, ALICE)

    def put(value: str) -> None:
        change = update(Person).where(Person.subject == site.city.alice).values(status=value)
        act(site.city.house, lambda call: call.session.execute(change))

    put(status)
    try:
        assert "/login" in browser.open("/leaf/own").url
    finally:
        put("active")
    assert browser.open("/leaf/own").status == 200


def test_logging_out_ends_the_session_and_not_only_the_cookie(site: Site) -> None:
    browser = browser_of(site, ALICE)
    kept = cookie_of(browser)
    browser.submit(browser.open("/logout"))
    assert get(site, "/leaf/own", kept).status_code == 303


def test_the_cookie_is_the_sites_own(site: Site) -> None:
    browser = site.city.browser()
    page = browser.open("/login")
    answer = browser.client.post("/login", data={**page.form["values"], "number": ALICE, "password": PASSWORD})
    (cookie,) = [text for text in answer.headers.getlist("Set-Cookie") if text.startswith(login_session.COOKIE)]
    assert re.search(r"; Secure\b", cookie)
    assert re.search(r"; HttpOnly\b", cookie)
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("path", ["/leaf/form", "/login", "/logout"])
@pytest.mark.parametrize("sent", [None, "", "x", "a.b.c"])
def test_a_post_without_the_pages_own_token_is_refused(site: Site, path: str, sent: str | None) -> None:
    form = {} if sent is None else {"csrf_token": sent}
    answer = site.app.test_client().post(path, data=form)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    assert site.count("form") == 0


def test_the_token_of_another_browser_is_refused(site: Site) -> None:
    foreign = site.city.browser().open("/login").form["values"]["csrf_token"]
    browser = site.city.browser()
    browser.open("/login")
    assert browser.open("/leaf/form", {"csrf_token": foreign}).status == 403


def post(site: Site, path: str, **form: str) -> Page:
    browser = site.city.browser()
    return browser.open(path, {"csrf_token": browser.open("/login").form["values"]["csrf_token"], **form})


def test_a_page_that_mostly_reads_writes_when_it_says_so(site: Site) -> None:
    client = site.app.test_client()
    assert (client.get("/leaf/mostly").text, site.count("mostly")) == ("read", 0)
    assert (client.get("/leaf/mostly?write=1").text, site.count("mostly")) == ("written", 1)


def test_what_need_not_keep_the_one_writer_is_worked_out_for_who_may_open_the_page(site: Site) -> None:
    assert get(site, "/leaf/foreseen").status_code == 303
    assert site.count("foreseen") == 0
    browser = browser_of(site, ALICE)
    own = browser.client.get("/leaf/own").text.removeprefix("<p>")
    is_sqlite = site.city.house.database.is_sqlite
    assert browser.client.get("/leaf/foreseen").text == (f"<p>foreseen by {own}" if is_sqlite else "<p>None")
    assert site.count("foreseen") == 1


def test_a_refused_form_is_shown_again_after_the_rollback(site: Site) -> None:
    page = post(site, "/leaf/form")
    assert (page.status, page.text) == (409, "<p>again conflict")
    assert site.count("form") == 0


def test_a_forbidden_form_is_not_shown_again(site: Site) -> None:
    before = len(site.refusals())
    page = post(site, "/leaf/bad-form")
    assert page.status == 403
    assert "again" not in page.text
    assert [actor for actor, _deed, _facts in site.refusals()[before:]] == ["nobody"]


def test_no_form_holds_nul(site: Site) -> None:
    assert post(site, "/leaf/form", word="a\0b").status == 400


def test_counting_by_cookie_never_hands_the_cookie_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from idservice.http.limits import Limiter

    counted: list[str] = []
    monkeypatch.setattr(Limiter, "check", lambda _self, _limit, *, who, **_: counted.append(who))
    get(site, "/leaf/own", "my-session")
    get(site, "/leaf", "my-session")
    get(site, "/leaf/own")
    assert counted[1:] == ["127.0.0.1", "127.0.0.1"]
    assert re.fullmatch("[0-9a-f]{64}", counted[0])

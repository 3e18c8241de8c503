"""An app registers itself, logs a person in, watches the session from a frame, and hears of the logout on every way."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.live import VERIFIER, Live, Visitor
from tests.identity import basic, claims_of
from tests.receiver import Receiver, receiving

HTML = "text/html; charset=utf-8"
PAGE = b'<!doctype html><html lang="zh"><title>App</title><link rel="icon" href="data:,"><h1>App</h1>'
# What an app's own page does: OpenID Connect Session Management 1.0 section 3.1.
WATCH = """
([issuer, message]) => new Promise((resolve) => {
  window.addEventListener("message", (event) => event.origin === issuer && resolve(event.data), { once: true });
  const frame = document.createElement("iframe");
  frame.src = issuer + "/oauth/check_session";
  frame.onload = () => frame.contentWindow.postMessage(message, issuer);
  document.body.append(frame);
})
"""

App = tuple[Receiver, dict[str, Any]]


@pytest.fixture
def registered(live: Live) -> Iterator[App]:
    with receiving() as receiver:
        for path in ("/cb", "/bye", "/front", "/watch"):
            receiver.pages[path] = (HTML, PAGE)
        wanted = {
            "client_name": "自助接入的应用（演示）", "redirect_uris": [f"{receiver.origin}/cb"], "scope": "openid",
            "post_logout_redirect_uris": [f"{receiver.origin}/bye"],
            "frontchannel_logout_uri": f"{receiver.origin}/front", "frontchannel_logout_session_required": True,
            "backchannel_logout_uri": f"{receiver.origin}/back", "backchannel_logout_session_required": True,
        }  # fmt: skip
        by = {"Authorization": f"Bearer {live.members['initial_access_token']}", "Content-Type": "application/json"}
        yield receiver, post(f"{live.url}/oauth/register", json.dumps(wanted).encode(), by)


def post(url: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def log_in(visitor: Visitor, app: App) -> tuple[dict[str, str], dict[str, Any]]:
    """Walk to the app; return what its redirect URI got, and the ID token with its claims."""
    receiver, known = app
    visitor.log_in(visitor.live.stranger(), to=visitor.live.authorize_path(known, scope="openid"))
    visitor.page.locator("button[value=allow]").click()
    visitor.page.wait_for_url(f"{receiver.origin}/cb?*")
    answer = dict(parse_qsl(urlsplit(visitor.page.url).query))
    form = {
        "grant_type": "authorization_code", "code": answer["code"], "code_verifier": VERIFIER,
        "redirect_uri": known["redirect_uris"][0],
    }  # fmt: skip
    got = post(
        f"{visitor.live.url}/oauth/token", urlencode(form).encode(), basic(known["client_id"], known["client_secret"])
    )
    return answer, {"id_token": got["id_token"], **claims_of(got["id_token"])}


def state_seen(visitor: Visitor, app: App, message: str) -> str:
    visitor.page.goto(f"{app[0].origin}/watch")
    return str(visitor.page.evaluate(WATCH, [visitor.live.url, message]))


def wait_until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_oidcc_session_management_rp_initiated_logout(visit: Callable[..., Visitor], registered: App) -> None:
    visitor = visit()
    answer, _known = log_in(visitor, registered)
    message = f"{registered[1]['client_id']} {answer['session_state']}"
    assert state_seen(visitor, registered, message) == "unchanged"
    assert state_seen(visitor, registered, message.replace("dyn-", "other-")) == "changed"
    assert state_seen(visitor, registered, "nonsense") == "error"
    visitor.open("/logout")
    visitor.submit()
    assert state_seen(visitor, registered, message) == "changed"


def test_oidcc_frontchannel_and_backchannel_rp_initiated_logout(visit: Callable[..., Visitor], registered: App) -> None:
    receiver, client = registered
    visitor = visit()
    _answer, known = log_in(visitor, registered)
    back = client["post_logout_redirect_uris"][0]
    asked = {"id_token_hint": known["id_token"], "post_logout_redirect_uri": back, "state": "s-1"}
    visitor.open(f"/oauth/end_session?{urlencode(asked)}")
    visitor.submit()  # the page leaves by itself; how it looks is judged in test_templates_preview
    visitor.page.wait_for_url(f"{back}?state=s-1")
    (shown,) = receiver.at("/front")
    told = parse_qs(urlsplit(shown.path).query)
    assert told == {"iss": [visitor.live.url], "sid": [known["sid"]]}
    wait_until(lambda: receiver.at("/back"))
    claims = claims_of(parse_qs(receiver.at("/back")[0].body.decode())["logout_token"][0])
    assert (claims["sid"], claims["sub"], claims["aud"]) == (known["sid"], known["sub"], client["client_id"])


def test_a_person_ends_the_session_of_a_lost_telephone(visit: Callable[..., Visitor], live: Live) -> None:
    telephone = visit(user_agent="Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", width=320)
    desk = visit()
    citizen = live.stranger()
    for visitor in (telephone, desk):
        visitor.log_in(citizen, to="/me/sessions")
    desk.assert_sound(320, 1280)
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Chrome · Android").click()
    expect(desk.page.locator("main")).not_to_contain_text("Android")
    telephone.open("/me")
    assert "/login" in telephone.page.url

"""Where a person is logged in: listed with what he knows his devices by, ended one by one or all at once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.identity import AGENT, ALICE, City, Flow, bearer, introspect, is_alive, logged_in, redeem, refresh

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def on(city: City, agent: str, address: str = "203.0.113.77"):
    browser = city.browser()
    browser.client.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
    return browser


@pytest.fixture(autouse=True)
def nobody_is_logged_in(city: City):
    for number in (ALICE, AGENT):
        browser = city.browser()
        browser.log_in(number=number)
        page = browser.open("/me/sessions")
        browser.open("/me/sessions", {**page.form["values"], "end": "others"})
        browser.submit(browser.open("/logout"))


def test_the_page_shows_devices_in_words_and_networks_without_their_end(city: City) -> None:
    phone, desk = on(city, PHONE), on(city, WINDOWS, "2001:db8:aa:bb::1")
    phone.log_in()
    desk.code(Flow(scope="openid"))
    page = desk.open("/me/sessions")
    assert page.status == 200
    for words in ("Safari · iPhone", "203.0.113.*", "Edge · Windows", "2001:db8:aa::*", "应用 basic", "本机"):
        assert words in page.text
    for private in ("203.0.113.77", "2001:db8:aa:bb", "Mozilla"):
        assert private not in page.text
    assert page.text.index("Edge") < page.text.index("iPhone"), "this browser first"


def test_ending_another_session_ends_it_and_its_tokens_and_leaves_this_one(city: City) -> None:
    phone, desk = on(city, PHONE), on(city, WINDOWS)
    flow, kept = Flow(scope="openid"), Flow(scope="openid offline_access")
    bound = redeem(city.app, flow, phone.code(flow)).json
    offline = redeem(city.app, kept, phone.code(kept)).json
    desk.log_in()
    page = desk.open("/me/sessions")
    name = page.text.split('name="end" value="')[1].split('"')[0]
    assert desk.submit(page, end=name).status == 200
    assert "/login" in phone.open("/me").url
    assert "/login" not in desk.open("/me/apps").url
    assert not is_alive(city, bound)
    assert is_alive(city, offline), "offline_access is for when the person is away"
    assert "id_token" in refresh(city, offline["refresh_token"]).json
    again = desk.open("/me/sessions", {**page.form["values"], "end": name})
    assert again.status == 404


def test_ending_all_others_keeps_this_one(city: City) -> None:
    browsers = [on(city, PHONE), on(city, WINDOWS), on(city, "")]
    for browser in browsers:
        browser.log_in()
    page = browsers[0].open("/me/sessions")
    assert "未知设备" in page.text
    assert page.text.count('name="end"') == 3
    browsers[0].submit(page, end="others")
    assert ["/login" in browser.open("/me/apps").url for browser in browsers] == [False, True, True]


def test_ending_all_others_ends_what_their_apps_keep_and_nothing_of_this_one(city: City) -> None:
    phone, desk = on(city, PHONE), on(city, WINDOWS)
    lost, mine = Flow(scope="openid offline_access"), Flow("other", scope="openid offline_access")
    away = redeem(city.app, lost, phone.code(lost)).json
    here = redeem(city.app, mine, desk.code(mine)).json
    phone.submit(phone.open("/logout"), decision="logout")
    phone.log_in()
    page = desk.open("/me/sessions")
    assert "您不在时的访问" in page.text
    desk.submit(page, end="others")
    assert not is_alive(city, away)
    assert refresh(city, away["refresh_token"]).json["error"] == "invalid_grant"
    assert "id_token" in refresh(city, here["refresh_token"], "other").json


def test_signing_out_everywhere_by_api_ends_refresh_tokens(city: City) -> None:
    flow, kept = Flow(scope="openid offline_access sessions.manage"), Flow("other", scope="openid offline_access")
    mine = redeem(city.app, flow, on(city, PHONE).code(flow)).json
    others = redeem(city.app, kept, on(city, WINDOWS).code(kept)).json
    client = city.app.test_client()
    assert client.post("/v1/logouts", json={}, headers=bearer(mine["access_token"])).json["ended"] == 1
    assert refresh(city, others["refresh_token"], "other").json["error"] == "invalid_grant"
    assert is_alive(city, mine)
    client.post("/v1/logouts", json={"keep_this": False}, headers=bearer(mine["access_token"]))
    assert refresh(city, mine["refresh_token"]).json["error"] == "invalid_grant"


def test_nobody_sees_or_ends_somebody_elses_session(city: City) -> None:
    alice, agent = on(city, PHONE), on(city, WINDOWS)
    alice.log_in()
    agent.log_in(number=AGENT)
    page = alice.open("/me/sessions")
    assert "Edge" not in page.text
    row = agent.open("/me/sessions").text
    assert "iPhone" not in row
    for name in ("0" * 32, "", "x", "'"):
        assert alice.open("/me/sessions", {**alice.open("/logout").form["values"], "end": name}).status == 404
    assert "/login" in city.browser().open("/me/sessions").url


def test_a_session_that_is_idle_is_not_listed(city: City) -> None:
    on(city, PHONE).log_in()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=True):
        desk = on(city, WINDOWS)
        desk.log_in()
        assert "iPhone" not in desk.open("/me/sessions").text


def test_the_api_lists_and_ends_sessions(city: City) -> None:
    flow = Flow(scope="openid sessions.manage")
    mine = redeem(city.app, flow, on(city, PHONE).code(flow)).json
    other, third = on(city, WINDOWS), on(city, "")
    bound = redeem(city.app, flow, other.code(flow)).json
    third.log_in()
    client = city.app.test_client()
    items = client.get("/v1/sessions", headers=bearer(mine["access_token"])).json["items"]
    assert [item["is_this"] for item in items] == [True, False, False]
    assert items[0]["device"] == "Safari · iPhone"
    assert items[0]["apps"] == ["应用 basic"]
    chosen = next(item["id"] for item in items if item["device"] == "Edge · Windows")
    done = client.post("/v1/logouts", json={"session": chosen}, headers=bearer(mine["access_token"]))
    assert (done.status_code, done.json["ended"]) == (201, 1)
    assert not is_alive(city, bound)
    gone = client.post("/v1/logouts", json={"session": chosen}, headers=bearer(mine["access_token"]))
    assert (gone.status_code, gone.json["code"]) == (404, "not_found")
    assert client.post("/v1/logouts", json={}, headers=bearer(mine["access_token"])).json["ended"] == 1
    assert is_alive(city, mine)
    everywhere = client.post("/v1/logouts", json={"keep_this": False}, headers=bearer(mine["access_token"]))
    assert everywhere.json["ended"] == 1
    assert not is_alive(city, mine), "this session's own tokens end with it"


def test_the_api_needs_the_scope(city: City) -> None:
    got = logged_in(city)
    assert city.app.test_client().get("/v1/sessions", headers=bearer(got["access_token"])).status_code == 403


def test_logging_in_again_carries_the_session_on_under_the_same_sid(city: City) -> None:
    from tests.identity import claims_of

    browser, flow = on(city, PHONE), Flow(scope="openid")
    first = redeem(city.app, flow, browser.code(flow)).json
    second = redeem(city.app, flow, browser.code(flow, prompt="login")).json
    assert claims_of(first["id_token"])["sid"] == claims_of(second["id_token"])["sid"]
    assert is_alive(city, first), "who proves again who he is loses nothing"
    other = redeem(city.app, Flow("other", verifier=flow.verifier), browser.code(Flow("other", verifier=flow.verifier)))
    assert claims_of(other.json["id_token"])["sid"] != claims_of(first["id_token"])["sid"], "two apps, two names"
    browser.submit(browser.open("/logout"))
    assert not is_alive(city, first)
    assert not introspect(city, second["access_token"])["active"]


def test_another_person_in_the_same_browser_ends_the_first_ones_session(city: City) -> None:
    browser, flow = on(city, PHONE), Flow(scope="openid")
    alices = redeem(city.app, flow, browser.code(flow)).json
    browser.log_in(number=AGENT)
    assert not is_alive(city, alices)

"""The device grant (RFC 8628): a screen asks, a person answers elsewhere, once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import delete, select, update

from idservice.ids import secret_hash
from idservice.models import AccessRecord, AuditEntry, Person
from idservice.oauth import device
from idservice.oauth.models import CodeTries, PendingRequest, UserCode
from tests.builders import act
from tests.grants import enter_code, open_logged_in, poll_device, register_apps, start_device
from tests.identity import AGENT, ALICE, City, bearer, claims_of, refresh


@pytest.fixture(autouse=True, scope="module")
def _apps(city: City) -> None:
    register_apps(city)


@pytest.fixture(autouse=True)
def _no_guesses_yet(city: City) -> None:
    act(city.house, lambda call: call.session.execute(delete(CodeTries)) and None)


def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def test_the_response_is_that_of_section_3_2(city: City) -> None:
    answer = start_device(city)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found.keys() == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", found["user_code"])
    assert found["verification_uri"] == "http://127.0.0.1:8000/device"
    assert (found["expires_in"], found["interval"]) == (600, 5)
    assert len(found["device_code"]) >= 43


def test_a_person_types_the_code_and_the_device_is_logged_in(city: City) -> None:
    started = start_device(city).json
    assert error_of(poll_device(city, started["device_code"])) == (400, "authorization_pending")
    browser = city.browser()
    page = enter_code(browser, started["user_code"].lower().replace("-", " "))
    assert page.status == 200
    for shown in ("大厅电视", "滨州市示范单位", "王**", "127.0.0.*"):
        assert shown in page.text
    assert 'name="ending"' not in page.text, "who typed the code has seen the screen"
    assert started["user_code"] not in page.url
    done = browser.submit(page, decision="allow")
    assert (done.status, "已同意" in done.text) == (200, True)
    got = poll_device(city, started["device_code"])
    assert got.status_code == 200, got.text
    assert got.json.keys() >= {"access_token", "id_token", "refresh_token", "expires_in", "scope"}
    assert claims_of(got.json["id_token"])["aud"] == "tv"
    me = city.app.test_client().get("/oauth/userinfo", headers=bearer(got.json["access_token"])).json
    assert me["name"] == "王小明"
    assert error_of(poll_device(city, started["device_code"])) == (400, "invalid_grant")
    again = city.app.test_client().get("/oauth/userinfo", headers=bearer(got.json["access_token"]))
    assert again.status_code == 200, "a second poll that was under way ends nothing"


def test_what_the_device_may_read_is_in_the_holders_record(city: City) -> None:
    started = start_device(city, "kiosk").json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    query = select(AccessRecord.record_id).where(AccessRecord.subject == city.alice)
    before = act(city.house, lambda call: len(call.session.scalars(query).all()))
    assert poll_device(city, started["device_code"], "kiosk").status_code == 200
    assert act(city.house, lambda call: len(call.session.scalars(query).all())) == before + 1


def test_a_link_asks_for_the_ending_on_the_screen(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    link = started["verification_uri_complete"].removeprefix("http://127.0.0.1:8000")
    page = open_logged_in(browser, link)
    assert page.status == 200
    endings = re.findall(r'name="ending"[^>]* value="([A-Z]{4})"', page.text)
    assert len(set(endings)) == 3
    assert started["user_code"][5:] in endings
    unanswered = browser.submit(page, decision="allow")
    assert unanswered.status == 400
    assert error_of(poll_device(city, started["device_code"])) == (400, "authorization_pending")
    done = browser.submit(unanswered, decision="allow", ending=started["user_code"][5:])
    assert "已同意" in done.text
    assert poll_device(city, started["device_code"]).status_code == 200


def test_another_ending_than_that_on_the_screen_ends_the_request(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = open_logged_in(browser, f"/device?user_code={started['user_code']}")
    wrong = next(e for e in re.findall(r' value="([A-Z]{4})"', page.text) if e != started["user_code"][5:])
    assert "对不上" in browser.submit(page, decision="allow", ending=wrong).text
    assert error_of(poll_device(city, started["device_code"])) == (400, "access_denied")
    assert browser.submit(page, decision="allow", ending=started["user_code"][5:]).status == 404


def test_a_link_cannot_pass_for_a_typed_code(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = open_logged_in(browser, f"/device?user_code={started['user_code']}")
    forged = page.form["action"].replace("way=link", "way=typed")
    assert forged != page.form["action"]
    assert browser.open(forged, {**page.form["values"], "decision": "allow"}).status == 404
    assert error_of(poll_device(city, started["device_code"])) == (400, "authorization_pending")


def test_the_name_of_a_request_alone_opens_nothing(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = enter_code(browser, started["user_code"])
    path = page.url.partition("?")[0]
    for url in (path, f"{path}?way=typed", f"{path}?way=typed&step=x", "/device/" + "0" * 64, "/device/x", "/device/é"):
        assert browser.open(url).status == 404, url
    stranger = city.browser()
    open_logged_in(stranger, "/device")
    assert stranger.open(page.url).status == 404, "a step is good in one browser"


def test_a_person_denies(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = enter_code(browser, started["user_code"])
    assert "已拒绝" in browser.submit(page, decision="deny").text
    assert error_of(poll_device(city, started["device_code"])) == (400, "access_denied")
    assert browser.submit(page, decision="allow").status == 404, "an answer is given once"


def test_an_agent_acts_for_his_company_on_a_device_too(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = enter_code(browser, started["user_code"], number=AGENT, acting=city.mandate)
    assert "滨州示范食品有限公司" in page.text
    browser.submit(page, decision="allow")
    got = claims_of(poll_device(city, started["device_code"]).json["access_token"])
    assert set(got["act"]) == {"sub"}
    assert got["act"]["sub"] != got["sub"]


def test_polling_too_fast_slows_down(city: City) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        code = start_device(city).json["device_code"]
        said = []
        for seconds in (0, 1, 4, 20, 6):
            clock.shift(seconds)
            said.append(error_of(poll_device(city, code))[1])
    pending, slow = "authorization_pending", "slow_down"
    assert said == [pending, slow, slow, pending, slow]
    assert poll_seconds(city, code) == 20, "5 more for each that came too early"


def poll_seconds(city: City, code: str) -> int:
    query = select(PendingRequest.poll_seconds).where(PendingRequest.request_hash == secret_hash(code))
    return act(city.house, lambda call: call.session.scalar(query) or 0)


def test_a_punctual_client_is_never_slowed_down(city: City) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        code = start_device(city).json["device_code"]
        for _ in range(4):
            assert error_of(poll_device(city, code)) == (400, "authorization_pending")
            clock.shift(4.6)
        assert poll_seconds(city, code) == 5


def test_a_request_expires(city: City) -> None:
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False) as clock:
        started, allowed = start_device(city).json, start_device(city).json
        browser = city.browser()
        browser.submit(enter_code(browser, allowed["user_code"]), decision="allow")
        clock.shift(601)
        assert error_of(poll_device(city, started["device_code"])) == (400, "expired_token")
        assert error_of(poll_device(city, allowed["device_code"])) == (400, "expired_token")
        assert enter_code(browser, started["user_code"]).status == 400


def test_a_code_is_for_the_client_that_got_it(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    assert error_of(poll_device(city, started["device_code"], "kiosk")) == (400, "invalid_grant")
    assert poll_device(city, started["device_code"]).status_code == 200, "the owner is not hurt"


@pytest.mark.parametrize("status", ["locked", "closed", "deceased"])
def test_cve_2026_9798_an_account_that_ended_is_refused_at_redemption(city: City, status: str) -> None:
    started = start_device(city).json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    _set_status(city, status)
    try:
        assert error_of(poll_device(city, started["device_code"])) == (400, "invalid_grant")
        page = browser.open("/device")
        assert "/login" in page.url, "and at the start"
        assert browser.log_in(page).status == 400
    finally:
        _set_status(city, "active")
    assert poll_device(city, started["device_code"]).status_code == 200, "the refusal used nothing up"


def _set_status(city: City, status: str) -> None:
    changed = update(Person).where(Person.subject == city.alice).values(status=status)
    act(city.house, lambda call: call.session.execute(changed) and None)


def test_consent_withdrawn_ends_the_devices_tokens(city: City) -> None:
    started = start_device(city, "kiosk").json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    got = poll_device(city, started["device_code"], "kiosk").json
    browser.submit(browser.open("/me/apps"), revoke="self.kiosk")
    assert refresh(city, got["refresh_token"], "kiosk").json["error"] == "invalid_grant"


# --- guessing


def test_wrong_codes_are_counted_and_end_a_persons_tries(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        page = open_logged_in(browser, "/device")
        for _ in range(device.MAX_WRONG):
            page = browser.submit(page, user_code="BBBB-BBBB")
            assert page.status == 400
            assert "BBBB-BBBB" not in page.text.replace("BCDF-GHJK", "")
        assert browser.submit(page, user_code=started["user_code"]).status == 429, "not even the right one"
        assert browser.open(f"/device?user_code={started['user_code']}").status == 429
        other = city.browser()
        assert enter_code(other, start_device(city).json["user_code"], number=AGENT).status == 200
        clock.shift(3601)
        assert enter_code(city.browser(), start_device(city).json["user_code"]).status == 200


@pytest.mark.parametrize(
    "text", ["", "B", "AEIO-UAEI", "BBBBBBBBB", "B" * 5000, "\U0001f600", "1' OR '1'='1", "BBBB-BBB\u00df"]
)
def test_what_is_no_code_is_a_wrong_code(city: City, text: str) -> None:
    browser = city.browser()
    assert browser.submit(open_logged_in(browser, "/device"), user_code=text).status == 400


def test_nobody_guesses_without_a_login(city: City) -> None:
    started = start_device(city).json
    assert "/login" in city.browser().open(f"/device?user_code={started['user_code']}").url
    assert city.app.test_client().post("/device", data={"user_code": "BBBB-BBBB"}).status_code in {302, 303, 403}


def test_another_site_cannot_answer_for_a_person(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    page = enter_code(browser, started["user_code"])
    assert browser.open(page.form["action"], {"decision": "allow"}).status == 403
    assert error_of(poll_device(city, started["device_code"])) == (400, "authorization_pending")


# --- the app's side


@pytest.mark.parametrize(
    ("client_id", "form", "error"),
    [
        ("basic", {}, "unauthorized_client"),
        ("tv", {"scope": "openid nothing"}, "invalid_scope"),
        ("tv", {"scope": "openid lookups.create"}, "invalid_scope"),
        ("tv", {"scope": ""}, "invalid_request"),
        ("tv", {"scope": "openid  profile"}, "invalid_scope"),
    ],
)
def test_a_start_is_refused(city: City, client_id: str, form: dict[str, str], error: str) -> None:
    assert error_of(start_device(city, client_id, **form)) == (400, error)


def test_a_client_that_is_not_registered_for_it_cannot_poll(city: City) -> None:
    assert error_of(poll_device(city, "x", "basic")) == (400, "unauthorized_client")
    assert error_of(poll_device(city, "x" * 43)) == (400, "invalid_grant")
    missing = city.app.test_client().post(
        "/oauth/token", data={"client_id": "tv", "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
    )
    assert error_of(missing) == (400, "invalid_request")


def test_refresh_works_for_a_device(city: City) -> None:
    started = start_device(city, "kiosk").json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    got = poll_device(city, started["device_code"], "kiosk").json
    assert refresh(city, got["refresh_token"], "kiosk").status_code == 200


def test_nothing_that_is_stored_or_logged_gives_a_code_away(city: City) -> None:
    started = start_device(city).json
    browser = city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    secrets = (started["device_code"], started["user_code"], started["user_code"].replace("-", ""))

    def rows(call):
        return [
            repr({column.key: getattr(row, column.key) for column in row.__mapper__.columns})
            for model in (PendingRequest, UserCode, AuditEntry)
            for row in call.session.scalars(select(model))
        ]

    text = "\n".join(act(city.house, rows))
    assert "idservice:pending_request:allow" in text
    for secret in (*secrets, "127.0.0.1", ALICE):
        assert secret not in text


def test_metadata_names_the_endpoint(city: City) -> None:
    found = city.app.test_client().get("/.well-known/openid-configuration").json
    assert found["device_authorization_endpoint"] == "http://127.0.0.1:8000/oauth/device_authorization"
    assert "urn:ietf:params:oauth:grant-type:device_code" in found["grant_types_supported"]


def test_get_is_not_offered_and_a_query_is_refused(city: City) -> None:
    client = city.app.test_client()
    assert client.get("/oauth/device_authorization").status_code == 405
    answer = client.post("/oauth/device_authorization?scope=openid", data={"client_id": "tv", "scope": "openid"})
    assert error_of(answer) == (400, "invalid_request")

"""CIBA (OpenID CIBA Core 1.0), poll and ping. Tests named `fapi_ciba_*` are the conformance suite's modules."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from idservice.events import courier
from idservice.events.delivery import Sent
from idservice.events.outbox import Waiting
from idservice.ids import secret_hash
from idservice.models import AuditEntry, Person
from idservice.oauth import binding, clients, ping
from idservice.oauth.models import PendingRequest
from keys.ring import Purpose
from tests.builders import act
from tests.grants import Listener, listening, local, open_approval, poll_ciba, register_apps, start_ciba
from tests.identity import AGENT, ALICE, STRANGER, City, basic, bearer, claims_of, token


@pytest.fixture(autouse=True, scope="module")
def endpoint(city: City) -> Iterator[Listener]:
    with listening() as heard:
        register_apps(city, heard.url)
        yield heard


def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def test_a_person_approves_what_the_desk_started(city: City) -> None:
    started = start_ciba(city)
    assert started.status_code == 200
    assert started.headers["Cache-Control"] == "no-store"
    found = started.json
    assert (found["expires_in"], found["interval"]) == (300, 5)
    assert len(found["auth_req_id"]) >= 43
    assert error_of(poll_ciba(city, found["auth_req_id"])) == (400, "authorization_pending")
    browser = city.browser()
    page = open_approval(browser, found)
    for shown in ("综合窗口", "滨州市示范单位", "窗口 3 号", "王**", found["binding_code"]):
        assert shown in page.text
    done = browser.submit(page, decision="allow")
    assert "已同意" in done.text
    got = poll_ciba(city, found["auth_req_id"])
    assert got.status_code == 200, got.text
    claims = claims_of(got.json["id_token"])
    assert (claims["aud"], claims["amr"]) == ("desk", ["pwd"])
    me = city.app.test_client().get("/oauth/userinfo", headers=bearer(got.json["access_token"])).json
    assert (me["sub"], me["name"]) == (claims["sub"], "王小明")


def test_the_list_shows_what_waits_for_this_person_alone(city: City) -> None:
    started = start_ciba(city, binding_message="核对 Q7KPD").json
    request_name = secret_hash(started["auth_req_id"]).hex()
    browser, other = city.browser(), city.browser()
    browser.log_in()
    page = browser.open("/me/approvals")
    assert "核对 Q7KPD" in page.text
    assert f"/me/approvals/{request_name}" in page.text
    assert started["binding_code"] not in page.text, "the code is on the other screen only"
    other.log_in(number=AGENT)
    assert "核对 Q7KPD" not in other.open("/me/approvals").text
    assert other.open(f"/me/approvals/{request_name}").status == 404
    assert other.open(f"/me/approvals/{request_name}?code={started['binding_code']}").status == 404
    browser.submit(browser.open(f"/me/approvals/{request_name}"), decision="deny")
    assert "核对 Q7KPD" not in browser.open("/me/approvals").text


def test_bankid_fapi_674_no_approval_without_the_code_of_the_starting_screen(city: City) -> None:
    started = start_ciba(city).json
    browser = city.browser()
    browser.log_in()
    page = browser.open(f"/me/approvals/{secret_hash(started['auth_req_id']).hex()}")
    unanswered = browser.submit(page, decision="allow")
    assert unanswered.status == 400
    assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "authorization_pending")
    wrong = f"{(int(started['binding_code']) + 1) % 10**6:06d}"
    for left in range(binding.MAX_WRONG - 2, -1, -1):
        page = browser.submit(unanswered, decision="allow", code=wrong)
        assert page.status == (400 if left else 200)
    assert "对不上" in page.text, "the fifth wrong code ends the request"
    assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "access_denied")
    assert browser.submit(unanswered, decision="allow", code=started["binding_code"]).status == 404


def test_the_code_rotates_and_an_old_one_is_refused(city: City) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC), tick=False) as clock:
        started = start_ciba(city).json
        assert started["binding_code_expires_in"] == 15
        seen = [started["binding_code"]]
        for _ in range(3):
            clock.shift(15)
            now = token(city.app, {"auth_req_id": started["auth_req_id"]}, basic("desk"), "/oauth/binding_code")
            seen.append(now.json["binding_code"])
        assert len(set(seen)) == 4
        browser = city.browser()
        page = open_approval(browser, started)
        assert browser.submit(page, decision="allow", code=seen[0]).status == 400, "45 seconds old"
        assert "已同意" in browser.submit(page, decision="allow", code=seen[1]).text


def test_the_code_on_the_screen_outlives_the_turning_of_its_key(city: City) -> None:
    started, browser = start_ciba(city).json, city.browser()
    page = open_approval(browser, started)
    city.house.keys.rotate(Purpose.SESSION, now=datetime.now(UTC))
    assert "已同意" in browser.submit(page, decision="allow", code=started["binding_code"]).text


def test_the_rotating_code_is_for_the_client_that_started(city: City) -> None:
    started = start_ciba(city).json
    form = {"auth_req_id": started["auth_req_id"]}
    assert error_of(token(city.app, form, basic("desk2"), "/oauth/binding_code")) == (400, "invalid_grant")
    assert error_of(token(city.app, form, {}, "/oauth/binding_code")) == (401, "invalid_client")
    assert error_of(token(city.app, {"auth_req_id": "x"}, basic("desk"), "/oauth/binding_code"))[1] == "invalid_grant"
    assert error_of(token(city.app, {}, basic("desk"), "/oauth/binding_code"))[1] == "invalid_request"


def test_an_agent_approves_for_his_company(city: City) -> None:
    started = start_ciba(city, login_hint=AGENT).json
    browser = city.browser()
    page = open_approval(browser, started, number=AGENT, acting=city.mandate)
    assert "滨州示范食品有限公司" in page.text
    browser.submit(page, decision="allow", code=started["binding_code"])
    got = claims_of(poll_ciba(city, started["auth_req_id"]).json["access_token"])
    assert got["act"]["sub"] != got["sub"]


# --- enumeration


@pytest.mark.parametrize("number", [STRANGER, "371602199003071230", "x", "王", "9" * 5000, "91371602MA3C1B2C3D"])
def test_an_unknown_number_is_answered_as_a_known_one(city: City, number: str) -> None:
    known, unknown = start_ciba(city), start_ciba(city, login_hint=number)
    assert (known.status_code, set(known.json), len(known.json["auth_req_id"])) == (
        unknown.status_code,
        set(unknown.json),
        len(unknown.json["auth_req_id"]),
    )
    assert error_of(poll_ciba(city, unknown.json["auth_req_id"])) == (400, "authorization_pending")
    coded = token(city.app, {"auth_req_id": unknown.json["auth_req_id"]}, basic("desk"), "/oauth/binding_code")
    assert coded.status_code == 200


@pytest.mark.parametrize("status", ["locked", "closed", "deceased"])
def test_cve_2026_9798_an_ended_account_is_refused_at_start_and_at_redemption(city: City, status: str) -> None:
    started = start_ciba(city).json
    browser = city.browser()
    browser.submit(open_approval(browser, started), decision="allow", code=started["binding_code"])
    _set_status(city, status)
    try:
        assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "invalid_grant")
        late = start_ciba(city)
        assert late.status_code == 200, "it does not tell"
        query = select(PendingRequest.subject).where(
            PendingRequest.request_hash == secret_hash(late.json["auth_req_id"])
        )
        assert act(city.house, lambda call: call.session.scalar(query)) != city.alice, "it waits for nobody"
    finally:
        _set_status(city, "active")
    assert poll_ciba(city, started["auth_req_id"]).status_code == 200, "the refusal used nothing up"


def _set_status(city: City, status: str) -> None:
    changed = update(Person).where(Person.subject == city.alice).values(status=status)
    act(city.house, lambda call: call.session.execute(changed) and None)


# --- conformance


def test_fapi_ciba_auth_req_id_expired(city: City) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        started = start_ciba(city, requested_expiry="20").json
        assert started["expires_in"] == 20
        clock.shift(21)
        assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "expired_token")


@pytest.mark.parametrize(
    "hints",
    [
        {"login_hint_token": "x"},
        {"id_token_hint": "x"},
        {"login_hint_token": "x", "id_token_hint": "y"},
        {"login_hint": None},
        {"login_hint": None, "id_token_hint": "x"},
    ],
)
def test_fapi_ciba_multiple_hints_fails(city: City, hints: dict[str, str | None]) -> None:
    assert error_of(start_ciba(city, **hints)) == (400, "invalid_request")


def test_fapi_ciba_binding_message(city: City) -> None:
    for message in ("1234", "核对 W4SCT", "字" * 64, None):
        assert start_ciba(city, binding_message=message).status_code == 200


@pytest.mark.parametrize("message", ["字" * 65, "a\nb", "a\tb", "a\u202eb", "a\u200bb", "\x7f"])
def test_fapi_ciba_potentially_bad_binding_message(city: City, message: str) -> None:
    assert error_of(start_ciba(city, binding_message=message)) == (400, "invalid_binding_message")


def test_fapi_ciba_wrong_auth_req_id(city: City) -> None:
    started = start_ciba(city).json["auth_req_id"]
    for wrong in (started[:-1] + ("A" if started[-1] != "A" else "B"), "x", "1" * 5000):
        assert error_of(poll_ciba(city, wrong)) == (400, "invalid_grant")
    assert error_of(poll_ciba(city, started, "desk2")) == (400, "invalid_grant"), "another client's"


def test_fapi_ciba_multiple_call_to_token_endpoint(city: City) -> None:
    started = start_ciba(city).json
    browser = city.browser()
    browser.submit(open_approval(browser, started), decision="allow", code=started["binding_code"])
    assert poll_ciba(city, started["auth_req_id"]).status_code == 200
    assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "invalid_grant")


def test_fapi_ciba_user_rejects(city: City) -> None:
    started = start_ciba(city).json
    browser = city.browser()
    assert "已拒绝" in browser.submit(open_approval(browser, started), decision="deny", code="").text
    assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "access_denied")


def test_polling_too_fast_slows_down(city: City) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        auth_req_id = start_ciba(city).json["auth_req_id"]
        said = []
        for seconds in (0, 2, 10, 5):
            clock.shift(seconds)
            said.append(error_of(poll_ciba(city, auth_req_id))[1])
    assert said == ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid nothing"}, "invalid_scope"),
        ({"scope": "openid lookups.create"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "1e3"}, "invalid_request"),
        ({"requested_expiry": "٣"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request"),
        ({"acr_values": "a" * 257}, "invalid_request"),
    ],
)
def test_a_malformed_request_is_refused(city: City, changes: dict[str, str | None], error: str) -> None:
    assert error_of(start_ciba(city, **changes)) == (400, error)


def test_a_client_must_be_registered_for_it_and_prove_itself(city: City) -> None:
    assert error_of(start_ciba(city, "basic")) == (400, "unauthorized_client")
    form = {"scope": "openid", "login_hint": ALICE, "client_id": "tv"}
    assert error_of(token(city.app, form, path="/oauth/backchannel_authentication")) == (401, "invalid_client")
    assert error_of(token(city.app, form, path="/oauth/binding_code"))[1] == "invalid_client"


def test_a_long_expiry_is_shortened(city: City) -> None:
    assert start_ciba(city, requested_expiry="999999").json["expires_in"] == 600


def test_metadata_names_the_endpoints_and_modes(city: City) -> None:
    found = city.app.test_client().get("/.well-known/openid-configuration").json
    assert found["backchannel_authentication_endpoint"].endswith("/oauth/backchannel_authentication")
    assert found["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert found["backchannel_user_code_parameter_supported"] is False
    assert "backchannel_authentication_request_signing_alg_values_supported" not in found
    assert "urn:openid:params:grant-type:ciba" in found["grant_types_supported"]


def test_no_number_or_code_is_stored_or_logged_in_the_clear(city: City, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        started = start_ciba(city, binding_message="暗号 77").json
        browser = city.browser()
        browser.submit(open_approval(browser, started), decision="allow", code=started["binding_code"])

    def rows(call):
        return [
            repr({column.key: getattr(row, column.key) for column in row.__mapper__.columns})
            for model in (PendingRequest, AuditEntry)
            for row in call.session.scalars(select(model))
        ]

    text = "\n".join(act(city.house, rows)) + caplog.text
    for secret in (ALICE, started["auth_req_id"], "暗号 77"):
        assert secret not in text


# --- ping


@pytest.fixture
def listener(endpoint: Listener) -> Listener:
    endpoint.status, endpoint.headers, endpoint.body = 204, {}, b""
    endpoint.received.clear()
    return endpoint


def approved_by_ping(city: City, client_id: str = "desk-ping", *, decision: str = "allow") -> str:
    started = start_ciba(city, client_id, client_notification_token="notify.me~1").json
    browser = city.browser()
    browser.submit(open_approval(browser, started), decision=decision, code=started["binding_code"])
    courier.deliver(city.house, datetime.now(UTC))
    return started["auth_req_id"]


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_fapi_ciba_ping_tells_the_client(city: City, listener: Listener, decision: str) -> None:
    auth_req_id = approved_by_ping(city, decision=decision)
    assert listener.received == [("/notify", "Bearer notify.me~1", {"auth_req_id": auth_req_id})]
    got = poll_ciba(city, auth_req_id, "desk-ping")
    assert got.status_code == (200 if decision == "allow" else 400)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (401, {}, b""),
        (403, {}, b""),
        (200, {"Content-Type": "application/json"}, b'{"auth_req_id": "another"}'),
        (204, {}, b""),
        (302, {"Location": "http://169.254.169.254/"}, b""),
        (200, {}, b"x" * 100_000),
    ],
)
def test_fapi_ciba_ping_whatever_the_client_answers(
    city: City, listener: Listener, status: int, headers: dict[str, str], body: bytes
) -> None:
    listener.status, listener.headers, listener.body = status, headers, body
    auth_req_id = approved_by_ping(city)
    assert poll_ciba(city, auth_req_id, "desk-ping").status_code == 200
    courier.deliver(city.house, datetime.now(UTC) + timedelta(minutes=2))
    assert len(listener.received) == 1, "no redirect is followed, and a refusal is taken as one"


def test_a_ping_is_repeated_while_the_app_is_down(city: City, listener: Listener) -> None:
    listener.status = 503
    auth_req_id = approved_by_ping(city)
    listener.status = 204
    for seconds in (2, 6, 60):
        courier.deliver(city.house, datetime.now(UTC) + timedelta(seconds=seconds))
    told = ("/notify", "Bearer notify.me~1", {"auth_req_id": auth_req_id})
    assert listener.received == [told, told], "once in vain, once heard"


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 1025, "ü"])
def test_a_ping_client_sends_a_notification_token(city: City, sent: str | None) -> None:
    answer = start_ciba(city, "desk-ping", client_notification_token=sent)
    assert error_of(answer) == (400, "invalid_request")


def test_a_poll_client_is_not_notified(city: City, listener: Listener) -> None:
    started = start_ciba(city, client_notification_token="notify.me~1").json
    query = select(PendingRequest.notice_sealed).where(
        PendingRequest.request_hash == secret_hash(started["auth_req_id"])
    )
    assert act(city.house, lambda call: call.session.scalar(query)) is None
    assert listener.received == []


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "https://10.0.0.1/", "https://[fc00::1]/", "ftp://a/"])
def test_cve_2026_1518_a_ping_never_goes_inside(city: City, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Whatever got into the registration: the way out looks again, at every try."""
    request = start_ciba(city, "desk-ping", client_notification_token="t").json
    facts = {"request": secret_hash(request["auth_req_id"]).hex()}
    now = datetime.now(UTC)
    app = clients.find_outside(city.house, "desk-ping", now)
    assert app is not None
    moved = replace(app, policy=replace(app.policy, notification_endpoint=url))
    monkeypatch.setattr(clients, "find_outside", lambda *_: moved)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("connected"))
    notice = Waiting("n", ping.KIND, "desk-ping", facts, 1, now)
    assert ping.send(city.house, notice, now) is Sent.NEVER


def test_a_ping_nobody_hears_changes_nothing(city: City) -> None:
    auth_req_id = approved_by_ping(city, "desk-deaf")
    assert poll_ciba(city, auth_req_id, "desk-deaf").status_code == 200


def test_acr_values_ask_for_a_second_factor_before_consent(city: City) -> None:
    started = start_ciba(city, acr_values="urn:ona:acr:two-factor").json
    browser = city.browser()
    browser.log_in()
    page = browser.open(local(started["binding_qr_text"]))
    assert page.url.startswith("/login/second")
    assert 'name="decision"' not in page.text
    assert error_of(poll_ciba(city, started["auth_req_id"])) == (400, "authorization_pending")

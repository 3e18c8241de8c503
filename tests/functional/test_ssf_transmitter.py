"""The transmitter of security events against SSF 1.0, RFC 8935, RFC 8936 and CAEP 1.0, by the names of the suite."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from idservice.events import courier, emit
from idservice.events.models import EventStream
from idservice.login.password import set_password
from tests.builders import act
from tests.identity import (
    ALICE,
    CALLBACK,
    ISSUER,
    PASSWORD,
    City,
    Flow,
    basic,
    bearer,
    claims_of,
    token,
)
from tests.listener import (
    CREDENTIAL_CHANGE,
    POLL,
    PUSH,
    SESSION_REVOKED,
    STREAMS,
    VERIFICATION,
    Api,
    enter_receivers,
    forget_streams,
    log_in,
    log_out,
    poll,
    verified,
)
from tests.receiver import Receiver, receiving


@pytest.fixture(scope="module", autouse=True)
def apps(city: City) -> None:
    enter_receivers(city)


@pytest.fixture(autouse=True)
def nothing_waits(city: City) -> Iterator[None]:
    yield
    forget_streams(city)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        found.status = 202
        yield found


@pytest.fixture
def api(city: City) -> Api:
    return Api(city)


# --- metadata


def test_openid_ssf_transmitter_metadata(city: City) -> None:
    found = city.app.test_client().get("/.well-known/ssf-configuration").json
    assert found["issuer"] == ISSUER
    assert set(found["delivery_methods_supported"]) == {PUSH, POLL}
    assert found["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
    for name in ("configuration_endpoint", "status_endpoint", "verification_endpoint", "jwks_uri"):
        assert found[name].startswith(ISSUER)


# --- stream management


def test_openid_ssf_stream_create_happy(api: Api) -> None:
    made = api("POST", STREAMS, {
        "events_requested": [SESSION_REVOKED, "urn:unknown"], "delivery": {"method": POLL}, "description": "demo",
        "format": "iss_sub",
    }).json  # fmt: skip
    assert made["events_delivered"] == [SESSION_REVOKED]
    assert made["events_requested"] == [SESSION_REVOKED, "urn:unknown"]
    assert (made["iss"], made["aud"], made["description"]) == (ISSUER, "listener", "demo")
    assert made["delivery"] == {"method": POLL, "endpoint_url": f"{ISSUER}/v1/ssf/poll"}


def test_openid_ssf_stream_create_duplicate(api: Api) -> None:
    api.stream()
    again = api("POST", STREAMS, {"delivery": {"method": POLL}})
    assert (again.status_code, again.json["code"]) == (409, "stream_exists")


@pytest.mark.parametrize(
    "members",
    [
        {"events_requested": "all"},
        {"events_requested": [1]},
        {"delivery": "push"},
        {"delivery": {"method": "urn:x"}},
        {"delivery": {"method": PUSH}},
        {"delivery": {"method": PUSH, "endpoint_url": "http://app.example/"}},
        {"delivery": {"method": PUSH, "endpoint_url": "https://169.254.169.254/"}},
        {"delivery": {"method": PUSH, "endpoint_url": "https://10.1.2.3/"}},
        {"delivery": {"method": PUSH, "endpoint_url": "javascript:alert(1)"}},
        {"delivery": {"method": PUSH, "endpoint_url": "https://app.example/", "authorization_header": "a\r\nb: c"}},
        {"description": 7},
    ],
)
def test_openid_ssf_stream_create_broken_body(api: Api, members: dict[str, Any]) -> None:
    assert api("POST", STREAMS, members).status_code == 400
    assert api("GET", STREAMS).json == []


def test_openid_ssf_stream_create_unreadable_body(api: Api) -> None:
    answer = api.client.post(STREAMS, data="{", content_type="application/json", headers=api.headers)
    assert answer.status_code == 400


def test_openid_ssf_bad_token(city: City, api: Api) -> None:
    for method, path in (("POST", STREAMS), ("GET", STREAMS), ("DELETE", STREAMS), ("GET", "/v1/ssf/status")):
        answer = api.client.open(path, method=method, headers=bearer("nonsense"), json={} if method == "POST" else None)
        assert answer.status_code == 401
    without_scope = Api(city, scope="matters.read")
    assert without_scope("GET", STREAMS).status_code == 403


def test_openid_ssf_stream_read_happy_and_unknown(city: City, api: Api) -> None:
    made = api.stream()
    assert api("GET", f"{STREAMS}?stream_id={made['stream_id']}").json == made
    assert api("GET", STREAMS).json == [made]
    assert api("GET", f"{STREAMS}?stream_id=unknown").status_code == 404
    other = Api(city, "stranger")
    assert other("GET", f"{STREAMS}?stream_id={made['stream_id']}").status_code == 404
    assert other("GET", STREAMS).json == []
    assert other("DELETE", f"{STREAMS}?stream_id={made['stream_id']}").status_code == 404


def test_openid_ssf_stream_update_happy_and_unknown(api: Api, receiver: Receiver) -> None:
    made = api.stream(receiver)
    changed = api("PATCH", STREAMS, {"stream_id": made["stream_id"], "events_requested": [CREDENTIAL_CHANGE]})
    assert changed.status_code == 200
    assert changed.json["events_delivered"] == [CREDENTIAL_CHANGE]
    assert changed.json["delivery"] == made["delivery"], "what is not sent stays"
    assert api("PATCH", STREAMS, {"stream_id": "unknown", "events_requested": []}).status_code == 404
    assert api("PATCH", STREAMS, {"events_requested": []}).status_code == 400
    assert api("PATCH", STREAMS, {"stream_id": made["stream_id"], "delivery": 1}).status_code == 400


def test_openid_ssf_stream_replace_happy_and_unknown(api: Api, receiver: Receiver) -> None:
    made = api.stream(receiver)
    replaced = api("PUT", STREAMS, {"stream_id": made["stream_id"], "events_requested": [SESSION_REVOKED]})
    assert replaced.status_code == 200
    assert replaced.json["delivery"]["method"] == POLL, "what is not sent is forgotten"
    assert api("PUT", STREAMS, {"stream_id": "unknown"}).status_code == 404


def test_openid_ssf_stream_delete_happy_and_unknown(api: Api) -> None:
    made = api.stream()
    assert api("DELETE", f"{STREAMS}?stream_id=unknown").status_code == 404
    assert api("DELETE", STREAMS).status_code == 400
    assert api("DELETE", f"{STREAMS}?stream_id={made['stream_id']}").status_code == 204
    assert api("GET", f"{STREAMS}?stream_id={made['stream_id']}").status_code == 404
    assert api("DELETE", f"{STREAMS}?stream_id={made['stream_id']}").status_code == 404


def test_a_person_manages_no_stream(city: City) -> None:
    flow = Flow("listener", scope="openid ssf.manage")
    code = city.browser().code(flow)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": flow.verifier}
    got = token(city.app, form, basic("listener")).json
    assert city.app.test_client().get(STREAMS, headers=bearer(got["access_token"])).status_code == 403


# --- verification


def test_openid_ssf_verification_push(city: City, api: Api, receiver: Receiver) -> None:
    made = api.stream(receiver)
    asked = {"stream_id": made["stream_id"], "state": "s-1"}
    assert api("POST", "/v1/ssf/verifications", asked).status_code == 204
    assert receiver.requests == []
    assert courier.deliver(city.house, datetime.now(UTC)) == 1
    (request,) = receiver.at("/events")
    assert request.headers["Content-Type"] == "application/secevent+jwt"
    assert request.headers["Authorization"] == "Bearer of-mine"
    claims = verified(city, request.body.decode())
    assert claims["events"] == {VERIFICATION: {"state": "s-1"}}
    assert claims["sub_id"] == {"format": "opaque", "id": made["stream_id"]}
    soon = api("POST", "/v1/ssf/verifications", asked)
    assert (soon.status_code, soon.headers["Retry-After"]) == (429, "10")
    assert api("POST", "/v1/ssf/verifications", {"stream_id": "unknown"}).status_code == 404


def test_openid_ssf_verification_poll_and_ack(city: City, api: Api) -> None:
    made = api.stream()
    assert poll(api) == {"sets": {}, "moreAvailable": False}
    api("POST", "/v1/ssf/verifications", {"stream_id": made["stream_id"]})
    first = poll(api)
    ((jti, text),) = first["sets"].items()
    assert verified(city, text)["jti"] == jti
    assert verified(city, text)["events"] == {VERIFICATION: {}}
    assert set(poll(api)["sets"]) == {jti}, "what is not acknowledged comes again"
    assert poll(api, ack=[jti, "unknown", 7])["sets"] == {}
    assert poll(api)["sets"] == {}


# --- events


def test_openid_ssf_caep_interop_session_revoked_push(city: City, api: Api, receiver: Receiver) -> None:
    api.stream(receiver)
    browser, known = log_in(city)
    log_out(browser)
    assert courier.deliver(city.house, datetime.now(UTC)) == 1
    claims = verified(city, receiver.at("/events")[0].body.decode())
    assert claims["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": ISSUER, "sub": known["sub"]},
        "session": {"format": "opaque", "id": known["sid"]},
    }
    event = claims["events"][SESSION_REVOKED]
    assert event["initiating_entity"] == "user"
    assert abs(event["event_timestamp"] - claims["iat"]) <= 1


def test_openid_ssf_caep_interop_credential_change_poll(city: City, api: Api) -> None:
    api.stream()
    _browser, known = log_in(city)
    act(city.house, lambda call: emit.credential_changed(call, city.alice, credential="password", change="update"))
    (text,) = poll(api)["sets"].values()
    claims = verified(city, text)
    assert claims["sub_id"] == {"format": "iss_sub", "iss": ISSUER, "sub": known["sub"]}
    assert claims["events"][CREDENTIAL_CHANGE]["credential_type"] == "password"
    assert claims["events"][CREDENTIAL_CHANGE]["change_type"] == "update"
    with pytest.raises(ValueError, match="CAEP"):
        act(city.house, lambda call: emit.credential_changed(call, city.alice, credential="tattoo", change="update"))


def test_a_new_password_is_told_and_so_are_the_sessions_it_ended(city: City, api: Api) -> None:
    from idservice.login import change_password

    api.stream()
    log_in(city)
    poll(api, ack=list(poll(api)["sets"]))
    act(city.house, lambda call: change_password.change(call, city.alice, "another long password", keep=None) and None)
    act(city.house, lambda call: set_password(call, city.alice, PASSWORD))
    told = [next(iter(verified(city, text)["events"])) for text in poll(api)["sets"].values()]
    assert told.count(CREDENTIAL_CHANGE) == 1
    assert SESSION_REVOKED in told


def test_a_telephone_that_the_register_changes_is_told(city: City, api: Api, tmp_path: Path) -> None:
    api.stream(None, CREDENTIAL_CHANGE)
    log_in(city)
    file = tmp_path / "people.csv"
    for phone in ("13800001234", "13600004321", "13800001234"):
        file.write_text(f"number,name,phone\n{ALICE},王小明,{phone}\n", "utf-8")
        city.app.test_cli_runner().invoke(args=["register", "import", "people", str(file)])
    events = [verified(city, text)["events"][CREDENTIAL_CHANGE] for text in poll(api)["sets"].values()]
    told = [(event["credential_type"], event["change_type"], event["initiating_entity"]) for event in events]
    assert told == [("phone-sms", "update", "admin")] * 2


def test_nothing_is_told_to_an_app_after_its_consent_was_withdrawn(city: City, api: Api) -> None:
    def change() -> list[str]:
        act(city.house, lambda call: emit.credential_changed(call, city.alice, credential="password", change="update"))
        sets = poll(api)["sets"]
        poll(api, ack=list(sets))
        return list(sets)

    api.stream()
    browser, _known = log_in(city)
    assert len(change()) == 1
    page = browser.open("/me/apps")
    assert 'value="self.listener"' in page.text
    browser.submit(page, revoke="self.listener")
    assert change() == []
    log_in(city)
    assert len(change()) == 1


def test_who_never_used_the_app_is_nobody_to_its_receiver(city: City, api: Api) -> None:
    api.stream()
    Api(city, "stranger").stream()
    browser, _known = log_in(city, "listener")
    log_out(browser)
    assert len(poll(api)["sets"]) == 1
    assert poll(Api(city, "stranger"))["sets"] == {}


def test_only_events_that_were_asked_for_are_told(city: City, api: Api) -> None:
    api.stream(None, CREDENTIAL_CHANGE)
    browser, _known = log_in(city)
    log_out(browser)
    assert poll(api)["sets"] == {}


def test_events_come_in_portions_and_in_order(city: City, api: Api) -> None:
    api.stream()
    log_in(city)
    for change in ("create", "update", "revoke"):
        act(city.house, lambda call, change=change: emit.credential_changed(
            call, city.alice, credential="app", change=change))  # fmt: skip
    first = poll(api, maxEvents=2)
    assert (len(first["sets"]), first["moreAvailable"]) == (2, True)
    rest = poll(api, maxEvents=2, ack=list(first["sets"]))
    assert (len(rest["sets"]), rest["moreAvailable"]) == (1, False)
    told = [
        verified(city, text)["events"][CREDENTIAL_CHANGE]["change_type"]
        for part in (first, rest)
        for text in part["sets"].values()
    ]
    assert sorted(told) == ["create", "revoke", "update"]
    refused = {jti: {"err": "invalid_request"} for jti in rest["sets"]}
    assert poll(api, setErrs=refused)["sets"] == {}
    for bad in ({"ack": "x"}, {"setErrs": []}, {"maxEvents": "2"}, {"maxEvents": -1}):
        assert api("POST", "/v1/ssf/poll", bad).status_code == 400


def test_a_receiver_that_is_down_gets_the_same_event_later(city: City, api: Api, receiver: Receiver) -> None:
    api.stream(receiver)
    browser, _known = log_in(city)
    log_out(browser)
    receiver.status = 503
    assert courier.deliver(city.house, datetime.now(UTC)) == 0
    receiver.status = 202
    assert courier.deliver(city.house, datetime.now(UTC) + timedelta(seconds=6)) == 1
    first, second = (claims_of(request.body.decode()) for request in receiver.at("/events"))
    assert first == second


def test_a_receiver_that_refuses_an_event_does_not_get_it_again(city: City, api: Api, receiver: Receiver) -> None:
    api.stream(receiver)
    browser, _known = log_in(city)
    log_out(browser)
    receiver.status, receiver.answer = 400, b'{"err": "invalid_key"}'
    courier.deliver(city.house, datetime.now(UTC))
    courier.deliver(city.house, datetime.now(UTC) + timedelta(hours=1))
    assert len(receiver.requests) == 1


def test_a_paused_stream_keeps_its_events_and_a_disabled_one_none(city: City, api: Api) -> None:
    made = api.stream()
    browser, _known = log_in(city)

    def set_to(status: str) -> Any:
        return api("POST", "/v1/ssf/status", {"stream_id": made["stream_id"], "status": status, "reason": "test"})

    assert set_to("paused").json == {"stream_id": made["stream_id"], "status": "paused", "reason": "test"}
    log_out(browser)
    assert poll(api)["sets"] == {}
    set_to("enabled")
    assert len(poll(api)["sets"]) == 1
    set_to("disabled")
    again, _known = log_in(city)
    log_out(again)
    set_to("enabled")
    assert poll(api)["sets"] == {}
    assert api("GET", f"/v1/ssf/status?stream_id={made['stream_id']}").json["status"] == "enabled"
    assert api("GET", "/v1/ssf/status?stream_id=unknown").status_code == 404
    assert set_to("sleeping").status_code == 400


def test_a_stream_that_moves_from_poll_to_push_loses_nothing(city: City, api: Api, receiver: Receiver) -> None:
    made = api.stream()
    browser, _known = log_in(city)
    log_out(browser)
    delivery = {"method": PUSH, "endpoint_url": f"{receiver.origin}/events"}
    assert api("PATCH", STREAMS, {"stream_id": made["stream_id"], "delivery": delivery}).status_code == 200
    assert api("POST", "/v1/ssf/poll", {}).status_code == 400
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1), tick=True):
        assert courier.deliver(city.house, datetime.now(UTC)) == 1
    assert len(receiver.at("/events")) == 1
    assert "Authorization" not in receiver.requests[0].headers


def test_the_header_that_we_show_is_stored_sealed(city: City, api: Api, receiver: Receiver) -> None:
    api.stream(receiver)
    row = act(city.house, lambda call: call.session.get_one(EventStream, "listener"))
    assert b"of-mine" not in row.authorization_sealed

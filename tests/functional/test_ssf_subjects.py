"""Of whom a receiver hears: subjects of a stream, SSF 1.0 section 8.1.3, as the courier delivers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from idservice.events import courier, stream_subjects
from idservice.events.models import StreamSubject
from tests.builders import act
from tests.identity import AGENT, ALICE, CALLBACK, ISSUER, City, Flow, basic, claims_of, logged_in, token
from tests.listener import STREAMS, Api, enter_receivers, forget_streams, log_out, poll, verified
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


ADD, REMOVE = "/v1/ssf/subjects/additions", "/v1/ssf/subjects/removals"


def about(api: Api, path: str, made: dict[str, Any], sub: Any, **more: Any) -> int:
    subject = {"format": "iss_sub", "iss": ISSUER, "sub": sub}
    return int(api("POST", path, {"stream_id": made["stream_id"], "subject": subject, **more}).status_code)


def quiet(api: Api, receiver: Receiver | None = None) -> dict[str, Any]:
    """A stream that hears of nobody unasked."""
    made = api.stream(receiver)
    changed = api("PATCH", STREAMS, {"stream_id": made["stream_id"], "default_subjects": "NONE"}).json
    assert (changed["default_subjects"], changed["delivery"]) == ("NONE", made["delivery"])
    return made


def known_as(city: City, number: str) -> tuple[Any, dict[str, Any]]:
    """Log a person in to the receiver's app; return the browser and the ID token."""
    flow, browser = Flow("listener"), city.browser()
    code = browser.code(flow, number=number)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": flow.verifier}
    return browser, claims_of(token(city.app, form, basic("listener")).json["id_token"])


def test_openid_ssf_stream_subject_add_is_what_the_courier_delivers(city: City, api: Api, receiver: Receiver) -> None:
    made = quiet(api, receiver)
    alice, agent = known_as(city, ALICE), known_as(city, AGENT)
    assert about(api, ADD, made, alice[1]["sub"], verified=True) == 200
    for browser, _known in (alice, agent):
        log_out(browser)
    assert courier.deliver(city.house, datetime.now(UTC)) == 1
    (request,) = receiver.at("/events")
    assert verified(city, request.body.decode())["sub_id"]["user"]["sub"] == alice[1]["sub"]
    assert about(api, REMOVE, made, alice[1]["sub"]) == 204
    log_out(known_as(city, ALICE)[0])
    assert courier.deliver(city.house, datetime.now(UTC)) == 0


def test_openid_ssf_stream_subject_remove_silences_one_person_alone(city: City, api: Api, receiver: Receiver) -> None:
    made = api.stream(receiver)
    assert made["default_subjects"] == "ALL"
    alice, agent = known_as(city, ALICE), known_as(city, AGENT)
    assert about(api, REMOVE, made, alice[1]["sub"]) == 204
    for browser, _known in (alice, agent):
        log_out(browser)
    assert courier.deliver(city.house, datetime.now(UTC)) == 1
    assert verified(city, receiver.requests[0].body.decode())["sub_id"]["user"]["sub"] == agent[1]["sub"]
    assert about(api, ADD, made, alice[1]["sub"]) == 200
    log_out(known_as(city, ALICE)[0])
    assert courier.deliver(city.house, datetime.now(UTC)) == 1


def test_a_subject_of_another_app_and_one_that_nobody_bears_lead_to_nothing(city: City, api: Api) -> None:
    """The answer is that for a person who is known: it tells nothing."""
    made = quiet(api)
    _browser, known = known_as(city, ALICE)
    other = claims_of(logged_in(city)["id_token"])["sub"]
    assert other != known["sub"]
    for sub in (other, city.alice, ALICE, "x" * 43):
        assert about(api, ADD, made, sub) == 200
        assert about(api, REMOVE, made, sub) == 204
        assert about(api, ADD, made, sub) == 200
    browser, _known = known_as(city, ALICE)
    log_out(browser)
    assert poll(api)["sets"] == {}


@pytest.mark.parametrize(
    "subject",
    [
        None, "x", [], {"format": "email", "email": "a@example.com"}, {"format": "iss_sub", "iss": ISSUER},
        {"format": "iss_sub", "iss": "https://other.example", "sub": "x"},
        {"format": "iss_sub", "iss": ISSUER, "sub": ""},
        {"format": "iss_sub", "iss": ISSUER, "sub": "x" * 65}, {"format": "iss_sub", "iss": ISSUER, "sub": 7},
    ],
)  # fmt: skip
def test_a_subject_that_is_none_of_ours_is_refused(api: Api, subject: Any) -> None:
    made = api.stream()
    for path in (ADD, REMOVE):
        assert api("POST", path, {"stream_id": made["stream_id"], "subject": subject}).status_code == 400


def test_subjects_belong_to_the_receivers_own_stream(city: City, api: Api) -> None:
    made = api.stream()
    other = Api(city, "stranger")
    for path in (ADD, REMOVE):
        assert about(api, path, {"stream_id": "unknown"}, "x") == 404
        assert about(other, path, made, "x") == 404
        assert api("POST", path, {"subject": {}}).status_code == 400


def test_whom_a_receiver_named_is_forgotten_with_its_stream(city: City, api: Api) -> None:
    def named() -> int:
        return act(city.house, lambda call: len(call.session.scalars(select(StreamSubject)).all()))

    made = quiet(api)
    assert about(api, ADD, made, "x") == about(api, ADD, made, "y") == 200
    assert named() == 2
    assert api("PATCH", STREAMS, {"stream_id": made["stream_id"], "default_subjects": "ALL"}).status_code == 200
    assert named() == 0, "another default, other exceptions"
    about(api, REMOVE, made, "x")
    assert named() == 1
    api("DELETE", f"{STREAMS}?stream_id={made['stream_id']}")
    assert named() == 0
    again = api.stream()
    assert api("PATCH", STREAMS, {"stream_id": again["stream_id"], "default_subjects": "SOME"}).status_code == 400


def test_subjects_are_named_so_many_times_a_minute(city: City, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.stream()
    asked: list[str] = []
    monkeypatch.setattr(city.house.limiter, "check", lambda limit, **_more: asked.append(limit))
    about(api, ADD, made, "x")
    assert stream_subjects.LIMIT in asked


def test_a_stream_has_so_many_subjects_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = quiet(api)
    monkeypatch.setattr(stream_subjects, "MOST", 2)
    assert [about(api, ADD, made, sub) for sub in ("a", "b", "c", "b")] == [200, 200, 429, 200]

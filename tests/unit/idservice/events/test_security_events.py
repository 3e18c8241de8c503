import pytest

from idservice.errors import Problem
from idservice.events import security_events, stream_request


def test_a_token_has_neither_sub_nor_exp() -> None:
    user = security_events.person("https://id.example", "s")
    facts = {"iat": 7, "sub_id": security_events.session_of(user, "n"), "type": "urn:t", "event": {"a": 1}}
    assert security_events.payload("https://id.example", "app", "j", facts) == {
        "iss": "https://id.example", "aud": "app", "jti": "j", "iat": 7, "events": {"urn:t": {"a": 1}},
        "sub_id": {
            "format": "complex", "user": {"format": "iss_sub", "iss": "https://id.example", "sub": "s"},
            "session": {"format": "opaque", "id": "n"},
        },
    }  # fmt: skip


def test_a_request_without_delivery_polls() -> None:
    asked = stream_request.read({"events_requested": ["a", "a"]}, loopback=False)
    assert (asked.endpoint_url, asked.events) == (None, ("a",))


def test_a_change_of_other_members_keeps_the_delivery() -> None:
    delivery = {"method": stream_request.PUSH, "endpoint_url": "https://app.example/events"}
    before = {"events_requested": ["a"], "delivery": delivery, "description": None}
    asked = stream_request.read({"description": "d"}, loopback=False, before=before)
    assert (asked.endpoint_url, asked.keeps_authorization, asked.events) == (delivery["endpoint_url"], True, ("a",))
    new = {"delivery": delivery | {"authorization_header": "Bearer x"}}
    assert not stream_request.read(new, loopback=False, before=before).keeps_authorization


def test_this_machine_is_no_endpoint_in_earnest() -> None:
    delivery = {"method": stream_request.PUSH, "endpoint_url": "http://127.0.0.1:9/"}
    with pytest.raises(Problem, match="endpoint_url"):
        stream_request.read({"delivery": delivery}, loopback=False)
    assert stream_request.read({"delivery": delivery}, loopback=True).endpoint_url == "http://127.0.0.1:9/"

import pytest

from idservice.call import Caller, House
from idservice.errors import Problem
from idservice.events import poll, security_events, stream_request, streams
from tests.builders import act
from tests.unit.idservice.events.conftest import RECEIVER

WANTED = stream_request.Asked(("urn:x", security_events.SESSION_REVOKED), None, None, None)


def test_a_stream_delivers_what_is_both_wanted_and_offered(home: House) -> None:
    made = act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    assert made["events_delivered"] == [security_events.SESSION_REVOKED]
    assert made["events_requested"] == list(WANTED.events)
    assert act(home, streams.all_of_client, caller=RECEIVER) == [made]


def test_a_client_has_one_stream(home: House) -> None:
    act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    with pytest.raises(Problem) as refused:
        act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    assert refused.value.code == "stream_exists"


@pytest.mark.parametrize("caller", [Caller(channel="api"), Caller(channel="api", client_id="listener", person="p")])
def test_nobody_but_a_client_for_itself_has_one(home: House, caller: Caller) -> None:
    with pytest.raises(Problem) as refused:
        act(home, lambda call: streams.create(call, WANTED), caller=caller)
    assert refused.value.code == "forbidden"


def test_a_verification_waits_to_be_fetched_until_it_is_acknowledged(home: House) -> None:
    made = act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    act(home, lambda call: streams.verify(call, made["stream_id"], "s"), caller=RECEIVER)
    with pytest.raises(Problem) as soon:
        act(home, lambda call: streams.verify(call, made["stream_id"], "s"), caller=RECEIVER)
    assert soon.value.code == "too_many_requests"
    (jti,) = act(home, lambda call: poll.poll(call, {}), caller=RECEIVER)["sets"]
    assert act(home, lambda call: poll.poll(call, {"maxEvents": 0}), caller=RECEIVER) == {
        "sets": {}, "moreAvailable": True
    }  # fmt: skip
    assert act(home, lambda call: poll.poll(call, {"ack": [jti]}), caller=RECEIVER)["sets"] == {}


def test_a_closed_stream_leaves_nothing_behind(home: House) -> None:
    made = act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    act(home, lambda call: streams.verify(call, made["stream_id"], None), caller=RECEIVER)
    act(home, lambda call: streams.remove(call, made["stream_id"]), caller=RECEIVER)
    act(home, lambda call: streams.create(call, WANTED), caller=RECEIVER)
    assert act(home, lambda call: poll.poll(call, {}), caller=RECEIVER)["sets"] == {}

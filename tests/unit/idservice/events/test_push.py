from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from idservice import outbound
from idservice.call import House
from idservice.events import push, security_events, stream_request, streams
from idservice.events.delivery import Sent
from idservice.events.outbox import Waiting
from idservice.models import Client
from idservice.oauth import clients
from tests.builders import act
from tests.identity import claims_of, header_of
from tests.unit.idservice.events.conftest import RECEIVER

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FACTS = {"type": security_events.VERIFICATION, "iat": 7, "sub_id": security_events.stream("x"), "event": {}}
NOTICE = Waiting("0123", "event", "listener", FACTS, 1, NOW)
PUSHED = stream_request.Asked(("urn:x",), "https://app.example/events", "Bearer of-mine", None)


@pytest.fixture
def answers(home: House, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Open a stream, and answer its receiver's posts with these, in turn."""
    queue: list[Any] = []

    def post(url: str, *, body: bytes, headers: dict[str, str], loopback: bool) -> outbound.Answer:
        assert url == "https://app.example/events"
        assert headers["Authorization"] == "Bearer of-mine"
        assert headers["Content-Type"] == "application/secevent+jwt"
        assert claims_of(body.decode())["jti"] == "0123"
        answer = queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return outbound.Answer(answer, "application/json", b"{}")

    monkeypatch.setattr(outbound, "post", post)
    act(home, lambda call: streams.create(call, PUSHED), caller=RECEIVER)
    return queue


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (202, Sent.DONE),
        (200, Sent.DONE),
        (400, Sent.NEVER),
        (302, Sent.AGAIN),
        (401, Sent.AGAIN),
        (503, Sent.AGAIN),
        (outbound.OutboundRefused("address"), Sent.AGAIN),
    ],
    ids=str,
)
def test_what_an_answer_means(home: House, answers: list[Any], answer: Any, sent: Sent) -> None:
    answers.append(answer)
    assert push.send(home, NOTICE, NOW) is sent


def test_a_paused_stream_is_not_posted_to_and_a_closed_one_never_again(home: House, answers: list[Any]) -> None:
    (made,) = act(home, streams.all_of_client, caller=RECEIVER)
    act(home, lambda call: streams.set_status(call, made["stream_id"], "paused", None), caller=RECEIVER)
    assert push.send(home, NOTICE, NOW) is Sent.AGAIN
    act(home, lambda call: streams.remove(call, made["stream_id"]), caller=RECEIVER)
    assert push.send(home, NOTICE, NOW) is Sent.NEVER


def test_a_disabled_app_is_not_posted_to(home: House, answers: list[Any]) -> None:
    disabled = update(Client).where(Client.client_id == NOTICE.target).values(disabled_at=NOW)
    act(home, lambda call: call.session.execute(disabled) and None)
    clients.forget(home, NOTICE.target)
    assert push.send(home, NOTICE, NOW) is Sent.NEVER


def test_the_token_says_what_it_is(home: House) -> None:
    text = push.signed(home, "listener", "0123", FACTS)
    assert header_of(text)["typ"] == "secevent+jwt"
    assert claims_of(text)["aud"] == "listener"

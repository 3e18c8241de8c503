"""Where a time-stamp authority is configured, what is sealed carries its time, or is not sealed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from idservice.call import House
from idservice.errors import Problem
from keys.cms import SM3
from keys.timestamp import read_token
from keys.timestamp_issue import answer
from seals.time_stamping import PATH, answered, token_over, with_time
from tests.builders import act
from tests.unit.keys.p256 import P256
from tests.unit.seals.made import City

TSA = P256("外部时间戳", extended_usage=("1.3.6.1.5.5.7.3.8",))


def configured(house: House, url: str | None) -> House:
    return replace(house, settings=replace(house.settings, timestamp_url=url))


@pytest.fixture
def foreign() -> Iterator[tuple[str, list[bytes]]]:
    """Another authority over HTTP; it answers the requests that are put into its list, else what it is asked."""
    instead: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            body, _ = answer(
                instead[0] if instead else sent, certificate=TSA.certificate, sign=TSA.sign, policy="1.2.3",
                serial=1, at=datetime.now(UTC),
            )  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", instead
    server.shutdown()
    server.server_close()


def test_without_an_authority_nothing_is_stamped(house: House, city: City) -> None:
    assert act(house, lambda call: token_over(call, b"value")) is None
    signed = city.stamp()
    assert act(house, lambda call: with_time(call, signed)) == signed


def test_our_own_is_asked_without_a_detour(house: House, city: City) -> None:
    own = configured(house, house.settings.issuer + PATH)
    token = act(own, lambda call: token_over(call, b"value", algorithm=SM3))
    assert token is not None
    assert read_token(token).imprint.algorithm == SM3
    assert len(act(own, lambda call: with_time(call, city.stamp()))) > len(city.stamp())


def test_another_is_asked_over_http(house: House, foreign: tuple[str, list[bytes]]) -> None:
    token = act(configured(house, foreign[0]), lambda call: token_over(call, b"value"))
    assert token is not None
    assert read_token(token).signed.certificates == (TSA.certificate,)


def test_an_answer_to_another_question_is_refused(house: House, foreign: tuple[str, list[bytes]]) -> None:
    from keys.timestamp import write_request

    url, instead = foreign
    instead.append(write_request(b"value", nonce=1))  # an old answer, replayed
    with pytest.raises(Problem, match="timestamp_unavailable"):
        act(configured(house, url), lambda call: token_over(call, b"value"))
    instead[0] = b"nonsense"
    with pytest.raises(Problem, match="timestamp_unavailable"):
        act(configured(house, url), lambda call: token_over(call, b"value"))


def test_an_authority_that_is_down_stops_the_sealing(house: House) -> None:
    with pytest.raises(Problem, match="timestamp_unavailable"):
        act(configured(house, "http://127.0.0.1:1/"), lambda call: token_over(call, b"value"))


def test_a_refusal_is_an_answer(house: House) -> None:
    assert b"\x02\x01\x02" in act(house, lambda call: answered(call, b"nonsense"))

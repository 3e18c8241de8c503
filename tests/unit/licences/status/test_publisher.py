"""The publisher runs until it is stopped, and a failure is tried again."""

import threading

import pytest

from keys.ring import RingError
from licences.status import publisher
from tests.town import Town


def test_it_publishes_until_it_is_stopped_and_survives_failures(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stop, seen = threading.Event(), []

    def publish_all(*_: object) -> int:
        seen.append(1)
        if len(seen) == 1:
            raise RingError("no active licence key")
        if len(seen) == 3:
            stop.set()
        return 1

    monkeypatch.setattr(publisher, "publish_all", publish_all)
    publisher.run_forever(town.house, stop, 0.01)
    assert len(seen) == 3


def test_running_ends_with_what_it_stands_around(town: Town) -> None:
    with publisher.running(town.house):
        assert "publisher" in {thread.name for thread in threading.enumerate()}
    assert "publisher" not in {thread.name for thread in threading.enumerate()}

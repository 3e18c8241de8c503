import sys
import threading
import time
from collections.abc import Iterator

import pytest

from seals import deadline as module
from seals.deadline import TooLong, deadline


def test_work_that_ends_is_left_alone() -> None:
    with deadline(1.0):
        total = sum(range(1000))
    assert total == 499_500


def test_a_walk_without_end_is_stopped_even_where_everything_is_caught() -> None:
    def walk() -> None:
        while True:
            try:
                for _ in range(1000):
                    pass
            except Exception:  # noqa: S110 (as a parser would)
                pass

    with pytest.raises(TooLong), deadline(0.05):
        walk()


def test_only_its_own_thread_is_stopped() -> None:
    outcome: list[str] = []

    def work() -> None:
        try:
            with deadline(0.05):
                while True:
                    pass
        except TooLong:
            outcome.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert outcome == ["stopped"]


def test_waiting_costs_nothing() -> None:
    """What counts is what the thread computes: a machine that is busy with other things changes no verdict."""
    with deadline(0.05):
        threading.Event().wait(0.3)


def test_a_parser_that_swallows_everything_is_stopped_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.01)
    met = 0

    def walk() -> None:
        nonlocal met
        while met < 3:
            try:
                while True:
                    pass
            except BaseException:
                met += 1

    with pytest.raises(TooLong), deadline(0.02):
        walk()
    assert met == 3


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Threads take turns every half millisecond: as a rule work of 5 ms is over before its watcher has its turn."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("quick_turns")
def test_nothing_arrives_behind_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes about as long as it may, many times: it is stopped inside the block, or not at all."""
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.0005)
    stopped = ended = 0
    for number in range(400):
        try:
            with deadline(0.001):
                until = time.thread_time() + 0.0005 + 0.00001 * number
                while time.thread_time() < until:
                    pass
            ended += 1
        except TooLong:
            stopped += 1
        for _ in range(2_000):  # what would arrive late would arrive here, and fail the test
            pass
    assert stopped + ended == 400
    assert stopped > 0 < ended


def test_no_watcher_is_left_behind() -> None:
    for _ in range(20):
        with deadline(1.0):
            pass
    until = time.monotonic() + 60
    while watching() and time.monotonic() < until:
        time.sleep(0.01)
    assert watching() == []


def watching() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "deadline"]

import threading

import pytest

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

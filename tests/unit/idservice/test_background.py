"""Work beside requests goes on whatever becomes of one turn, and what is told of a fault holds nobody's data."""

import errno
import os
import threading
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from idservice import background
from keys.ring import RingError

SECRET = "37160219900307123X"


def test_a_turn_that_fails_is_told_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, turns = threading.Event(), list[int]()

    def turn() -> int:
        turns.append(1)
        if len(turns) == 2:
            raise KeyError(SECRET)
        if len(turns) == 4:
            stop.set()
        return len(turns) - 1

    log = Mock()
    monkeypatch.setattr(background, "log", log)
    background.repeat(turn, stop, 0.01, done="work.done", failed="work.failed")
    assert len(turns) == 4
    assert [(call.args, call.kwargs) for call in log.debug.call_args_list] == [
        (("work.done",), {"count": 2}),
        (("work.done",), {"count": 3}),
    ], "a turn that had nothing to do is not told"
    (told,) = log.error.call_args_list
    assert told.args == ("work.failed",)
    assert told.kwargs["reason"] == "KeyError"
    assert told.kwargs["at"].startswith("test_background.py:")
    assert SECRET not in str(log.mock_calls)


def test_running_ends_with_what_it_stands_around() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        stop.wait()
        ended.set()

    with background.running(work, "sweeper"):
        assert begun.wait(10)
        assert "sweeper" in {thread.name for thread in threading.enumerate()}
        assert not ended.is_set()
    assert ended.is_set()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ValueError(SECRET), "ValueError"),
        (OSError(SECRET), "OSError"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), SECRET), "OSError: No space left on device"),
        (RingError("no active key"), "RingError: no active key"),
        (
            OperationalError("SELECT 1", {"number": SECRET}, Exception("the database is away")),
            "OperationalError: (builtins.Exception) the database is away",
        ),
    ],
)
def test_only_words_without_values_are_told(fault: Exception, told: str) -> None:
    assert background.reason_of(fault) == told

"""Stop work on a hostile file that takes too long (解析限时).

A file of a few hundred bytes can send a parser on a walk without end, and no list of limits on its parts is complete.
What counts is the time that the thread itself computed, so that a busy machine changes no verdict. The exception is
raised in the thread from outside, between two steps of the interpreter: this works for Python code, and every step of
compiled code that a parser of ours takes is short.
"""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_EVERY = 0.1  # seconds
_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc


class TooLong(BaseException):
    """The work took more time than it may. No `except Exception` of a parser stops it."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TooLong in the block once this thread has computed for `seconds` in it."""
    thread = threading.get_ident()
    clock = time.pthread_getcpuclockid(thread)
    end = time.clock_gettime(clock) + seconds
    done, fired = threading.Event(), threading.Event()
    turn = threading.Lock()  # the exception is raised before the block ends, or not at all

    def watch() -> None:
        while not done.wait(_LOOK_EVERY):
            with turn:
                if not done.is_set() and time.clock_gettime(clock) > end:
                    fired.set()
                    _raise_in(ctypes.c_ulong(thread), ctypes.py_object(TooLong))
                    return

    watcher = threading.Thread(target=watch, name="deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with turn:
            done.set()
        if fired.is_set():
            for _ in range(1000):  # an exception that is on its way arrives here, and not behind the block
                pass

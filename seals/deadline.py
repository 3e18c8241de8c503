"""Stop work on a hostile file that takes too long (解析限时).

A file of a few hundred bytes can send a parser on a walk without end, and no list of limits on its parts is complete.
What counts is the time that the thread itself computed, so that a busy machine changes no verdict. The exception is
raised in the thread from outside, between two steps of the interpreter: this works for Python code, and every step of
compiled code that a parser of ours takes is short. Only what reads bytes and keeps nothing runs under it: no database,
no lock of ours, no key.

Nothing arrives behind the block: the exception is raised only under `turn` and while `active`; the block's first step
at its end, which nothing can interrupt, is to say that it is over, and its second, under `turn`, takes back what is
still on its way. A parser that swallows the exception meets the next one a moment later.
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
    turn, over = threading.Lock(), threading.Event()
    active, fired = True, False

    def watch() -> None:
        nonlocal fired
        while not over.wait(_LOOK_EVERY):
            with turn:
                if active and time.clock_gettime(clock) > end:
                    fired = True
                    _raise_in(ctypes.c_ulong(thread), ctypes.py_object(TooLong))

    threading.Thread(target=watch, name="deadline", daemon=True).start()
    try:
        yield
    finally:
        active = False
        try:
            with turn:
                _raise_in(ctypes.c_ulong(thread), ctypes.py_object())
        finally:
            over.set()
    if fired:
        raise TooLong

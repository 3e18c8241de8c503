"""How often a function can be called in a CPU second of this thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 0.5


def rate(function: Callable[[], object]) -> float:
    """Return calls a CPU second, from half a second of them."""
    calls, started, spent = 0, time.thread_time(), 0.0
    while spent < _SECONDS:
        function()
        calls += 1
        spent = time.thread_time() - started
    return calls / spent

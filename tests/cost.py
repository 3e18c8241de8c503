"""What something costs the processor, measured so that others on the same machine do not count."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any


def costs_less(seconds: float, deed: Callable[[], Any], *, times: int = 5) -> bool:
    """Return whether a deed takes this thread less of the processor's time than that.

    The deed is done until it has taken less once: a cache that others have emptied, or a clock that was turned down,
    can make it dearer and never cheaper. The garbage of other tests is not collected meanwhile.
    """
    gc.disable()
    try:
        for _ in range(times):
            begun = time.thread_time()
            deed()
            if time.thread_time() - begun < seconds:
                return True
    finally:
        gc.enable()
    return False

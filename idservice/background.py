"""Work beside requests (后台工作): done again and again until it is told to stop, whatever becomes of one turn.

A fault that ended such a process would come back with each restart, and all that waits behind it would wait for ever.
What is told of a fault holds no values of rows.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from keys.ring import RingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger(__name__)


def repeat(turn: Callable[[], int], stop: threading.Event, every: float, *, done: str, failed: str) -> None:
    """Do `turn` every `every` seconds until `stop` is set; in the log `done` tells its count, `failed` a fault."""
    while not stop.is_set():
        begun = time.monotonic()
        try:
            if count := turn():
                log.debug(done, count=count)
        except Exception as fault:  # noqa: BLE001 - no fault of one turn may end the work
            tell(failed, fault)
        stop.wait(max(every / 10, every - (time.monotonic() - begun)))


@contextlib.contextmanager
def running(work: Callable[[threading.Event], object], name: str) -> Iterator[None]:
    """Keep `work`, which goes on until its event is set, at work in a thread meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def tell(event: str, fault: Exception, **more: str) -> None:
    """Log a fault: what may be told of it, and where in the code it arose."""
    log.error(event, **more, reason=reason_of(fault), at=_place_of(fault))


def reason_of(fault: Exception) -> str:
    """Return what may be told of a fault: its kind and, of those whose text holds no values of rows, that text."""
    kind = type(fault).__name__
    if isinstance(fault, OSError) and fault.strerror:
        return f"{kind}: {fault.strerror}"  # the kernel's words
    if not isinstance(fault, RingError | SQLAlchemyError):
        return kind
    return f"{kind}: {fault}".partition("\n")[0][:300]  # what SQLAlchemy adds below are the values of rows


def _place_of(fault: Exception) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""

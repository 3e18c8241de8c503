"""The publisher (发布进程): keeps lists and bundle no more than seconds behind the register, for as long as it runs."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from licences.status.publish import NotPublishedError, each, publish, reason_of
from licences.trust import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idservice.call import House

log = structlog.get_logger(__name__)

PACE: Final = 2.0  # seconds between looks; a change is published well within 60 s


def publish_all(house: House, now: datetime) -> int:
    """Publish what is due, lists first, and return how many files' worth of lists and bundles were signed.

    Raises:
        NotPublishedError: for what could not be signed; all else was.
    """
    return each({"lists": partial(publish, house, now), "bundle": partial(gather.publish, house, now)})


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Publish every `every` seconds until `stop` is set; what fails is logged and tried again."""
    while not stop.is_set():
        begun = time.monotonic()
        try:
            if count := publish_all(house, datetime.now(UTC)):
                log.debug("status.published", count=count)
        except NotPublishedError as some:
            for name, fault in some.faults.items():
                log.error("status.not_published", what=name, reason=reason_of(fault), at=_place(fault))  # noqa: TRY400
        stop.wait(max(every / 10, every - (time.monotonic() - begun)))


def _place(fault: Exception) -> str:
    """Return where in the code a fault arose; its text may hold values of rows, and is left out."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


@contextlib.contextmanager
def running(house: House) -> Iterator[None]:
    """Keep a publisher at work meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=run_forever, args=(house, stop), name="publisher")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

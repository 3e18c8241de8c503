"""The publisher (发布进程): keeps lists and bundle no more than seconds behind the register, for as long as it runs."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from keys.ring import RingError
from licences.status.publish import publish
from licences.trust import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idservice.call import House

log = structlog.get_logger(__name__)

PACE: Final = 2.0  # seconds between looks; a change is published well within 60 s


def publish_all(house: House, now: datetime) -> int:
    """Publish what is due, lists first, and return how many files' worth of lists and bundles were signed.

    Raises:
        RingError: there is no active key of the purpose `trust`.
    """
    return publish(house, now) + gather.publish(house, now)


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Publish every `every` seconds until `stop` is set; a failure is logged and tried again."""
    while not stop.is_set():
        begun = time.monotonic()
        try:
            if count := publish_all(house, datetime.now(UTC)):
                log.debug("status.published", count=count)
        except (RingError, SQLAlchemyError) as error:
            reason = str(error).partition("\n")[0]  # what SQLAlchemy adds below are the values of rows
            log.error("status.not_published", kind=type(error).__name__, reason=reason[:300])  # noqa: TRY400
        stop.wait(max(every / 10, every - (time.monotonic() - begun)))


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

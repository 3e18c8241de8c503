"""The publisher (发布进程): keeps lists and bundle no more than seconds behind the register, for as long as it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from idservice import background
from licences.status.publish import NotPublishedError, each, publish
from licences.trust import gather

if TYPE_CHECKING:
    import threading
    from contextlib import AbstractContextManager

    from idservice.call import House

PACE: Final = 2.0  # seconds between looks; a change is published well within 60 s
_FAILED: Final = "status.not_published"


def publish_all(house: House, now: datetime) -> int:
    """Publish what is due, lists first, and return how many files' worth of lists and bundles were signed.

    Raises:
        NotPublishedError: for what could not be signed; all else was.
    """
    return each({"lists": partial(publish, house, now), "bundle": partial(gather.publish, house, now)})


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Publish every `every` seconds until `stop` is set; what fails is logged and tried again."""
    background.repeat(partial(_turn, house), stop, every, done="status.published", failed=_FAILED)


def _turn(house: House) -> int:
    try:
        return publish_all(house, datetime.now(UTC))
    except NotPublishedError as some:
        for name, fault in some.faults.items():
            background.tell(_FAILED, fault, what=name)
        return 0


def running(house: House) -> AbstractContextManager[None]:
    """Keep a publisher at work meanwhile."""
    return background.running(partial(run_forever, house), "publisher")

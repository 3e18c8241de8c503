"""The publisher (发布进程): keeps lists and bundle no more than seconds behind the register, for as long as it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from idservice import audit, background
from licences.status.edition import name_of
from licences.status.models import PublishedFile, StatusChange, StatusList
from licences.status.publish import RENEW, NotPublishedError, each, publish
from licences.trust import gather

if TYPE_CHECKING:
    import threading
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from idservice.call import House

PACE: Final = 2.0  # seconds between looks; a change is published well within 60 s
LATE: Final = timedelta(minutes=10)  # hundreds of lists that fall due at once are signed within that
_FAILED: Final = "status.not_published"


def publish_all(house: House, now: datetime) -> int:
    """Publish what is due, lists first, and return how many files' worth of lists and bundles were signed.

    Raises:
        NotPublishedError: for what could not be signed; all else was.
    """
    return each({"lists": partial(publish, house, now), "bundle": partial(gather.publish, house, now)})


def waited(session: Session, now: datetime) -> timedelta:
    """Return for how long what is due has waited: a change that no list shows yet, or a file that is to be (re)signed.

    List 0 and the bundle, which nothing opens, are due since the first deed: before that there is nothing to verify.
    """
    begun = audit.begun_at(session)
    due = {} if begun is None else dict.fromkeys((gather.NAME, _file_of(0)), begun)
    opened = session.execute(select(StatusList.list_number, StatusList.opened_at))
    due |= {_file_of(row.list_number): row.opened_at for row in opened}
    signed = session.execute(select(PublishedFile.name, PublishedFile.published_at))
    due |= {row.name: row.published_at + RENEW for row in signed}
    change = session.scalar(select(func.min(StatusChange.at)).where(StatusChange.published_at.is_(None)))
    since = [*due.values()] + ([] if change is None else [change])
    return max(timedelta(), now - min(since, default=now))


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Publish every `every` seconds until `stop` is set; what fails is logged and tried again."""
    background.repeat(partial(_turn, house), stop, every, done="status.published", failed=_FAILED)


def _file_of(number: int) -> str:
    return name_of(number, "jwt")


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

"""The courier (投递员): sends the notices of the outbox, never inside a request; runs beside the sequencer.

Several may run at once. An app that answers slowly holds up one of a few threads and no sequencing of the log.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from idservice import audit, background
from idservice.call import Call, Caller, House
from idservice.events import emit, outbox, push
from idservice.events.delivery import Sent
from idservice.oauth import backchannel_logout, ping

if TYPE_CHECKING:
    import threading
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from idservice.events.outbox import Waiting

THREADS = 4
PACE = 1.0  # seconds between looks
_FAILED: Final = "notices.not_sent"
COURIER = Caller(channel="cli", client_id="courier")

Sender = Callable[[House, "Waiting", datetime], Sent]
SENDERS: dict[str, Sender] = {
    backchannel_logout.KIND: backchannel_logout.send,
    emit.KIND: push.send,
    ping.KIND: ping.send,
}


def carry_also(kind: str, sender: Sender) -> None:
    """Carry notices of another room too."""
    SENDERS[kind] = sender


def deliver(house: House, now: datetime) -> int:
    """Try every notice whose time has come, and return how many were taken."""
    waiting = house.database.run(lambda session: outbox.due(session, now), write=False)
    if not waiting:
        return 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="courier") as pool:
        return sum(pool.map(lambda known: _deliver(house, known[0], known[1], now), waiting))


def _deliver(house: House, notice_id: str, attempts: int, now: datetime) -> bool:
    notice = house.database.run(lambda session: outbox.take(session, notice_id, attempts, now), write=True)
    if notice is None:
        return False
    sent = _send(house, notice, now)
    house.database.run(lambda session: _settle(house, session, notice, sent, now), write=True)
    return sent is Sent.DONE


def _send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Send one notice; a fault of ours with it is told and tried again later, and holds up no other."""
    try:
        return SENDERS[notice.kind](house, notice, now)
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with one notice, others wait behind it
        background.tell(_FAILED, fault, what=notice.kind)
        return Sent.AGAIN


def _settle(house: House, session: Session, notice: Waiting, sent: Sent, now: datetime) -> None:
    if sent is Sent.AGAIN and outbox.put_off(session, notice, now):
        return
    outbox.remove(session, notice.notice_id)
    audit.record(
        Call(house, session, COURIER, now, "courier"),
        audit.Deed.NOTICE_SENT,
        outcome="done" if sent is Sent.DONE else "refused",
        client=notice.target,
        kind=notice.kind,
        attempts=notice.attempts,
    )


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Deliver every `every` seconds until `stop` is set; a failure is tried again."""
    background.repeat(lambda: deliver(house, datetime.now(UTC)), stop, every, done="notices.sent", failed=_FAILED)


def running(house: House) -> AbstractContextManager[None]:
    """Keep a courier at work meanwhile."""
    return background.running(partial(run_forever, house), "courier")

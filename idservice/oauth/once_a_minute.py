"""What is recorded once a minute and not every time: machines that take a new token for every request of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call
    from idservice.db import Database

_KEPT = 1024

_recorded: WeakKeyDictionary[Database, dict[tuple[str, ...], int]] = WeakKeyDictionary()


def is_due(call: Call, *what: str) -> bool:
    """Return whether `what` is yet to be recorded in this minute, in this process.

    It counts as recorded from the commit of this call's transaction on: a row that was rolled back is due again.
    """
    minute = int(call.now.timestamp()) // 60
    recorded = _recorded.setdefault(call.house.database, {})
    if recorded.get(what) == minute:
        return False

    def note(_session: Session) -> None:
        if len(recorded) >= _KEPT:
            recorded.clear()
        recorded[what] = minute

    event.listen(call.session, "after_commit", note, once=True)
    return True

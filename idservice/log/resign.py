"""After a checkpoint key was revoked: its signatures count for nothing, so the log is signed anew.

Until then nothing is sequenced, because nobody vouches for what is there. The whole log is checked first; only
signatures are left out of that check, so whoever runs this vouches for the stored roots. He compares a copy of the
checkpoint that a witness kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from idservice.log import tree
from idservice.log.findings import Code
from idservice.log.sequencer import LOCK, publish, read_copy
from idservice.log.verify import verify_log
from idservice.models import LogCheckpoint
from keys.note import sign
from keys.ring import Purpose

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import House


def resign(house: House, now: datetime) -> int:
    """Sign every stored checkpoint with the active key and return how many they are.

    Raises:
        LogDamagedError: the log does not hold even with the signatures left aside. Nothing was changed.
        RingError: there is no active checkpoint key.
    """
    count = house.database.run(lambda session: _resign(house, session, now), write=True)
    publish(house)
    return count


def _resign(house: House, session: Session, now: datetime) -> int:
    if not house.database.try_lock(session, LOCK):
        raise tree.LogDamagedError("a sequencer is at work: stop it first")
    path = house.settings.checkpoint_file
    copy = read_copy(path) if path is not None else None
    report = verify_log(session, tree.open_unsigned, now=now, copies=[copy] if copy else [])
    wrong = [finding for finding in report.findings if finding.code is not Code.ENTRY_WAITING]
    if wrong:
        raise tree.LogDamagedError(wrong[0].text())
    signer = house.keys.signer(Purpose.CHECKPOINT)
    rows = session.execute(select(LogCheckpoint.size, LogCheckpoint.note)).all()
    for row in rows:
        checkpoint = tree.open_unsigned(row.note)
        note = sign(checkpoint.body(), name=checkpoint.origin, signer=signer)
        session.execute(update(LogCheckpoint).where(LogCheckpoint.size == row.size).values(note=note))
    return len(rows)

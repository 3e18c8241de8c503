"""Alarms (告警): raised within the look itself, so at once; seen to by the security administrator.

An alarm is a row, an audit entry, a line in the log, a count in the metrics and, at its first time, a message to those
who see to it. It names pseudonyms, never a number.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Counter
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from idservice import audit
from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.db import table_of
from idservice.errors import Problem
from licences.deeds import Deed
from licences.guard import alarm_messages
from licences.guard.models import GuardAlarm

if TYPE_CHECKING:
    from idservice.call import Call

log = structlog.get_logger(__name__)

RAISED = Counter("ona_guard_alarms", "Alarms of the guard over look-ups", ["kind"])
LISTED = 200

_alarms = table_of(GuardAlarm)


class Kind(StrEnum):
    """What raised an alarm."""

    HONEY = "honey"  # somebody asked for a number that nobody has reason to ask for
    DAY = "day"  # an operator's day is full
    BURST = "burst"  # an operator asks faster than people do
    SUBJECT = "subject"  # one person is looked up again and again
    ANOMALY = "anomaly"  # everybody's hour is not like other hours: look-ups are stopped


for _kind in Kind:  # from the start: a series that begins at its first alarm has not increased for whoever watches it
    RAISED.labels(str(_kind))


def sound(call: Call, kind: Kind, *, cause: str, again: bool = False, **facts: str | int | None) -> None:
    """Raise an alarm; the same cause on the same day counts up one alarm, and opens it again if it was seen to.

    Args:
        call: the call.
        kind: what raised it.
        cause: whom or what it is about: two causes are two alarms.
        again: whether this is the same alarm once more, since its first transaction was rolled back.
        facts: pseudonyms for whoever sees to it.
    """
    told: dict[str, Any] = {name: value for name, value in facts.items() if value is not None}
    name = "|".join((kind, cause, call.now.date().isoformat()))
    row = {
        "alarm_id": hashlib.sha256(name.encode()).hexdigest()[:32],
        "kind": str(kind),
        "facts": told,
        "times": 1,
        "first_at": call.now,
        "last_at": call.now,
    }
    if call.connection.execute(_raise(call.connection.dialect.name), row).scalar_one() == 1:
        alarm_messages.tell(call, str(kind))
    audit.record(call, Deed.ALARM_RAISED, alarm=row["alarm_id"], kind=str(kind), **told)
    if not again:
        log.warning("guard.alarm", kind=str(kind), alarm=row["alarm_id"])
        RAISED.labels(str(kind)).inc()


@cache
def _raise(dialect: str) -> Any:
    insert = sqlite.insert(_alarms) if dialect == "sqlite" else postgresql.insert(_alarms)
    again = {"times": _alarms.c.times + 1, "last_at": insert.excluded.last_at, "seen_by": None, "seen_at": None}
    return insert.on_conflict_do_update(index_elements=[_alarms.c.alarm_id], set_=again).returning(_alarms.c.times)


def listed(call: Call) -> list[GuardAlarm]:
    """Return the newest alarms, those nobody has seen to first."""
    order = (GuardAlarm.seen_at.is_not(None), GuardAlarm.last_at.desc(), GuardAlarm.alarm_id)
    return list(call.session.scalars(select(GuardAlarm).order_by(*order).limit(LISTED)))


def acknowledge(call: Call, alarm_id: str) -> None:
    """Say that an alarm is seen to.

    Raises:
        Problem: forbidden; not_found; conflict, where somebody saw to it before.
    """
    roles.demand(call, Role.SECURITY)
    who = call.caller.name_for_log
    seen = (
        update(GuardAlarm)
        .where(GuardAlarm.alarm_id == alarm_id, GuardAlarm.seen_at.is_(None))
        .values(seen_by=who, seen_at=call.now)
        .returning(GuardAlarm.alarm_id)
        .execution_options(synchronize_session=False)
    )
    if call.session.execute(seen).one_or_none() is None:
        known = call.session.get(GuardAlarm, alarm_id) is not None
        raise Problem("conflict" if known else "not_found", "Look at the list again.")
    audit.record(call, Deed.ALARM_SEEN, alarm=alarm_id)

"""Everybody's hour against its own past: where it is not like other hours, look-ups stop and an alarm goes off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from idservice.db import table_of
from licences.guard import alarms, baseline, quota, standing, stop
from licences.guard.alarms import Kind
from licences.guard.models import GuardCount

if TYPE_CHECKING:
    from idservice.call import Call

EVERY = 32  # looks of one shard between two comparisons, so of everybody too, but the first `EVERY * SHARDS`
REASON = "查询量异常，已自动停止 Unusually many look-ups: stopped by itself"

_counts = table_of(GuardCount)


def compare(call: Call) -> None:
    """Compare the hour that runs with those before it; stop all look-ups where it is not like them."""
    first, last, this = quota.hours(call.now, quota.HOURS_KEPT)
    hour = func.substr(_counts.c.count_key, *quota.PLACE_OF_HOUR)
    rows = select(hour, func.sum(_counts.c.looks)).where(_counts.c.count_key.between(first, last)).group_by(hour)
    by_hour = {key: int(looks) for key, looks in call.connection.execute(rows)}
    now = by_hour.pop(this, 0)
    allowed = baseline.threshold(list(by_hour.values()))
    if now > allowed and not stop.is_stopped(call, standing.ALL):
        stop.put(call, scope=standing.ALL, target="", reason=REASON)
        alarms.sound(call, Kind.ANOMALY, cause=this, looks=now, allowed=allowed)

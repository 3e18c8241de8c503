"""Count looks durably, in the transaction of the look itself and in one statement for all its counters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, case, literal
from sqlalchemy.dialects import postgresql, sqlite

from idservice import expiry
from idservice.db import table_of
from idservice.statement import Statement
from licences.guard import quota
from licences.guard.models import GuardCount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call
    from licences.guard.quota import Counter

_counts = table_of(GuardCount)

expiry.sweep_also(GuardCount.count_key, GuardCount.expires_at)


class Count(NamedTuple):
    """What a counter says after this look."""

    looks: int
    in_minute: int


def count(call: Call, counters: Iterable[Counter]) -> dict[str, Count]:
    """Count one look in each counter and return what they say now, by key.

    Every look counts in the same order of kinds of counters, or two looks would wait for each other for ever.
    """
    given: dict[str, Any] = {"now": quota.minute(call.now)}
    for place, one in enumerate(counters):
        given |= {f"key{place}": one.key, f"end{place}": one.expires_at}
    statement = _statement(call.connection.dialect.name, len(given) // 2)
    return {row.count_key: Count(row.looks, row.in_minute) for row in statement.rows(call.connection, given)}


@cache
def _statement(dialect: str, size: int) -> Statement:
    """Return the statement that counts in `size` rows at once."""
    insert = sqlite.insert(_counts) if dialect == "sqlite" else postgresql.insert(_counts)
    rows = [
        {
            "count_key": bindparam(f"key{place}"),
            "looks": literal(1),
            "minute": bindparam("now", type_=_counts.c.minute.type),
            "in_minute": literal(1),
            "expires_at": bindparam(f"end{place}"),
        }
        for place in range(size)
    ]
    same_minute = _counts.c.minute == insert.excluded.minute
    counted = insert.values(rows).on_conflict_do_update(
        index_elements=[_counts.c.count_key],
        set_={
            "looks": _counts.c.looks + 1,
            "in_minute": case((same_minute, _counts.c.in_minute + 1), else_=1),
            "minute": insert.excluded.minute,
        },
    )
    return Statement(counted.returning(_counts.c.count_key, _counts.c.looks, _counts.c.in_minute))

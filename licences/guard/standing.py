"""What holds for a look-up before it is made: stops, rules, quota, honey numbers. Read in one statement, never cached.

A stop must hold at the next look-up in every process, so nothing of this may be a few seconds old.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, String, bindparam, cast, literal, null, select, union_all

from idservice.db import table_of
from idservice.models import Department
from idservice.register.people import INDEX_FIELD
from idservice.statement import Statement
from licences.guard.models import GuardHoney, GuardQuota, GuardRule, GuardStop
from licences.guard.policy import ANY, Rule
from licences.guard.quota import LOOK_UPS, Quota

if TYPE_CHECKING:
    from idservice.call import Call

ALL, UNIT, OPERATOR, MATTER = "all", "unit", "operator", "matter"
SCOPES = (ALL, UNIT, OPERATOR, MATTER)
_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """What was read. `unit_region` is empty for a unit we do not know, which no rule covers."""

    stops: frozenset[str]  # their scopes
    rules: tuple[Rule, ...]
    quota: Quota
    unit_region: str
    is_honey: bool


def read(call: Call, *, unit: str, operator: str, matter: str, number: str) -> Standing:
    """Return what holds for a look-up by `operator` of `unit` for `matter` about a normalised number."""
    hashes = call.cipher.indexes(INDEX_FIELD, number)
    given = {"unit": unit, "operator": operator, "matter": matter}
    rows = [
        row
        for older in hashes[1:] or hashes  # one; while the secret of the index is changed, one and the other
        for row in _statement().rows(call.connection, given | {"hash": hashes[0], "older": older})
    ]
    quotas = {row.a: Quota(row.x, row.y, row.z) for row in rows if row.what == "quota"}
    return Standing(
        stops=frozenset(row.a for row in rows if row.what == "stop"),
        rules=tuple(Rule(row.a, row.b, row.c, row.d, row.e, row.f) for row in rows if row.what == "rule"),
        quota=quotas.get(unit) or quotas.get(ANY) or LOOK_UPS,
        unit_region=next((row.a for row in rows if row.what == "region"), ""),
        is_honey=any(row.what == "honey" for row in rows),
    )


@cache
def _statement() -> Statement:
    rule, stop, quota = table_of(GuardRule).c, table_of(GuardStop).c, table_of(GuardQuota).c
    honey, department = table_of(GuardHoney).c, table_of(Department).c
    unit: Any = bindparam("unit")
    operator: Any = bindparam("operator")
    matter: Any = bindparam("matter")
    stopped = (
        (stop.scope == ALL)
        | ((stop.scope == UNIT) & (stop.target == unit))
        | ((stop.scope == OPERATOR) & (stop.target == operator))
        | ((stop.scope == MATTER) & (stop.target == matter))
    )
    ruled = rule.unit.in_([ANY, unit]) & rule.operator.in_([ANY, operator]) & rule.matter.in_([ANY, matter])
    parts = union_all(
        _row("stop", stop.scope).where(stop.lifted_at.is_(None), stopped),
        _row("rule", rule.effect, rule.unit, rule.operator, rule.matter, rule.region, rule.ground).where(ruled),
        _row("quota", quota.unit, numbers=(quota.per_day, quota.per_minute, quota.per_subject)).where(
            quota.unit.in_([ANY, unit])
        ),
        _row("region", department.region).where(department.credit_code == unit),
        _row("honey").where((honey.number_hash == bindparam("hash")) | (honey.number_hash == bindparam("older"))),
    )
    return Statement(parts)


def _row(what: str, *texts: Any, numbers: tuple[Any, ...] = ()) -> Any:
    """Return a select of `what`, six texts and three numbers: the parts of a union have the same columns."""
    texts += (cast(null(), String),) * (_COLUMNS - len(texts))
    numbers = numbers or (cast(null(), Integer),) * 3
    named = (*zip("abcdef", texts, strict=True), *zip("xyz", numbers, strict=True))
    return select(literal(what, String).label("what"), *(column.label(name) for name, column in named))

"""The rows of the policy and the quotas: entered, listed, imported, taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from idservice import audit
from idservice.errors import FieldProblem, Problem
from idservice.ids import timed_id
from idservice.numbers import InvalidNumber, citizen
from idservice.register import people
from licences.deeds import Deed
from licences.guard.models import GuardQuota, GuardRule
from licences.guard.policy import ANY, EFFECTS, GROUNDS, HOLDER, OWN, REGION, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call
    from licences.guard.quota import Quota

MOST_RULES = 5000  # of one import
_LENGTHS = {"unit": 18, "operator": 32, "matter": 64}


def put(call: Call, rule: Rule, *, note: str) -> str:
    """Enter a row and return its identifier.

    Raises:
        Problem: invalid, naming the member that is not as `licences.guard.policy` says.
    """
    faults = [
        *(["effect"] if rule.effect not in EFFECTS else []),
        *(["region"] if not REGION.fullmatch(rule.region) else []),
        *(["ground"] if rule.ground not in GROUNDS else []),
        *(name for name, length in _LENGTHS.items() if not 0 < len(getattr(rule, name)) <= length),
    ]
    if faults:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{name}", "choice", "not as rules say") for name in faults])
    made = GuardRule(
        rule_id=timed_id(call.now),
        effect=rule.effect,
        unit=rule.unit,
        operator=rule.operator,
        matter=rule.matter,
        region=rule.region,
        ground=rule.ground,
        note=note[:200],
        entered_at=call.now,
        entered_by=call.caller.name_for_log,
    )
    call.session.add(made)
    call.session.flush()
    audit.record(call, Deed.GUARD_CHANGED, rule=made.rule_id, effect=rule.effect, unit=rule.unit, region=rule.region)
    return made.rule_id


def take_in(call: Call, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter rows as they stand in a file, all or none; an operator is named by his number there.

    Raises:
        Problem: invalid, with the place of the first row at fault; too_large.
    """
    if len(rows) > MOST_RULES:
        raise Problem("too_large", f"At most {MOST_RULES} rows at once.")
    for place, row in enumerate(rows):
        try:
            put(call, _read(call, row), note=str(row.get("note", "")))
        except Problem as problem:
            faults = [FieldProblem(f"/{place}{one.pointer}", one.code, one.message) for one in problem.errors]
            raise Problem("invalid", f"Row {place}: nothing was entered.", errors=faults) from None
    return len(rows)


def _read(call: Call, row: Mapping[str, Any]) -> Rule:
    defaults = {"unit": ANY, "operator": ANY, "matter": ANY, "region": OWN, "ground": HOLDER}
    if not isinstance(row, dict) or row.keys() - {*defaults, "effect", "note"}:
        raise Problem("invalid", "", errors=[FieldProblem("", "unknown", "a member that no rule has")])
    given = {name: str(row.get(name, default)) for name, default in defaults.items()}
    if given["operator"] != ANY:
        given["operator"] = _subject(call, given["operator"])
    return Rule(str(row.get("effect", "")), **given)


def _subject(call: Call, number: str) -> str:
    try:
        found = people.find(call, citizen.check(number))
    except InvalidNumber:
        found = None
    if found is None:
        raise Problem("invalid", "", errors=[FieldProblem("/operator", "unknown", "nobody bears this number")])
    return found


def remove(call: Call, rule_id: str) -> None:
    """Take a row out.

    Raises:
        Problem: not_found.
    """
    gone = delete(GuardRule).where(GuardRule.rule_id == rule_id).returning(GuardRule.rule_id)
    if call.session.execute(gone).one_or_none() is None:
        raise Problem("not_found", "There is no such rule.")
    audit.record(call, Deed.GUARD_CHANGED, rule=rule_id, effect="removed")


def listed(call: Call) -> list[GuardRule]:
    """Return the rows, oldest first, as many as one import may enter."""
    return list(call.session.scalars(select(GuardRule).order_by(GuardRule.rule_id).limit(MOST_RULES)))


def limit(call: Call, unit: str, quota: Quota) -> None:
    """Set how often the operators of a unit may look up; `*` is every unit without a quota of its own.

    Raises:
        Problem: invalid.
    """
    values: dict[str, Any] = {
        "per_day": quota.per_day,
        "per_minute": quota.per_minute,
        "per_subject": quota.per_subject,
    }
    faults = [name for name, value in values.items() if not 0 <= value < 1_000_000]
    if faults or not 0 < len(unit) <= _LENGTHS["unit"]:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{name}", "range", "0 to 999999") for name in faults])
    entered = {"entered_at": call.now, "entered_by": call.caller.name_for_log}
    call.session.merge(GuardQuota(unit=unit, **values, **entered))
    call.session.flush()
    audit.record(call, Deed.GUARD_CHANGED, unit=unit, **values)


def quotas(call: Call) -> list[GuardQuota]:
    """Return the quotas that were set, by unit."""
    return list(call.session.scalars(select(GuardQuota).order_by(GuardQuota.unit)))

"""May this look be made (查询准入)? The one check in front of every look-up, and the count of every look.

A look-up must not be stopped, must be covered by the policy, and must be within its quotas; it is counted whether it is
answered or refused, and a touch of a honey number raises an alarm whatever becomes of it. A refused look is rolled
back, so what is counted and raised is then done again in the transaction of the refusal (`Call.aftermath`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idservice.errors import Kind as ProblemKind
from idservice.errors import Problem, register
from idservice.numbers.fold import InvalidNumber, fold
from idservice.register.people import INDEX_FIELD
from idservice.settings import is_loopback
from licences.guard import alarms, anomalies, counting, policy, quota, standing
from licences.guard.alarms import Kind
from licences.guard.policy import HOLDER, LAW, Look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.asker import Asker
    from licences.guard.counting import Count
    from licences.guard.quota import Counter, Quota
    from licences.guard.standing import Standing

register(
    {
        "not_covered": ProblemKind(
            403, "该经办人无权为此事项查询此人", "No rule lets this operator look this subject up for this matter"
        ),
        "quota_exceeded": ProblemKind(429, "查询次数已达上限", "The quota of look-ups is used up"),
        "look_ups_stopped": ProblemKind(503, "查询已暂停，核验照常", "Look-ups are stopped; verification goes on"),
    }
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A look by its counters: who looked, from where, and how often he may."""

    operator: str
    unit: str
    matter: str | None
    quota: Quota
    own: Counter
    subject: Counter | None
    everybody: Counter | None
    is_honey: bool

    @property
    def counters(self) -> list[Counter]:
        """Return its counters, the one that fewest looks share first: who waits for it holds nobody else up."""
        return [one for one in (self.own, self.subject, self.everybody) if one is not None]


def admit(
    call: Call, who: Asker, *, matter: str | None, subject: str | None, number: str | None, by_law: bool = False
) -> None:
    """Let a look pass, or refuse it.

    Args:
        call: the call of the look.
        who: the asker. A system without an operator can only verify, and its client's rate limit counts that.
        matter: the matter's code; None for a verification of what the holder showed, which no rule and no stop hinders.
        subject: the subject, where the caller knows one and no number.
        number: the number as it was asked for; whether anybody bears it makes no difference here.
        by_law: whether the holder was not asked.

    Raises:
        Problem: look_ups_stopped; not_covered; quota_exceeded, with Retry-After.
    """
    if who.operator is None or who.department is None:
        if matter is not None:
            raise Problem("not_covered", "A look-up has an operator.")
        return
    if matter is None:
        own = quota.of_operator("verify", who.operator, call.now)
        verified = _Looked(who.operator, who.department, None, quota.VERIFICATIONS, own, None, None, is_honey=False)
        call.aftermath.append(lambda again: _observe(again, verified))
        _count_or_refuse(call, verified)
        return
    number = _folded(number)
    held = standing.read(call, unit=who.department, operator=who.operator, matter=matter, number=number)
    whom = call.cipher.index(INDEX_FIELD, number).hex() if number else subject or ""
    looked = _Looked(
        who.operator,
        who.department,
        matter,
        held.quota,
        quota.of_operator("look_up", who.operator, call.now),
        quota.of_subject(whom, call.now),
        quota.of_everybody(secrets.randbelow(quota.SHARDS), call.now),
        held.is_honey,
    )
    call.aftermath.append(lambda again: _observe(again, looked))
    if held.is_honey:
        _sound(call, looked, Kind.HONEY)
    region, ground = policy.region_of(number), LAW if by_law else HOLDER
    _demand(held, Look(who.department, held.unit_region, who.operator, matter, region, ground))
    _count_or_refuse(call, looked)


def _folded(number: str | None) -> str:
    """Return a number in its normal form; what is none passes as nothing, and its region is nobody's."""
    try:
        return fold(number or "")
    except InvalidNumber:
        return ""


def _demand(held: Standing, look: Look) -> None:
    if held.stops:
        raise Problem("look_ups_stopped", f"Stopped: {', '.join(sorted(held.stops))}. Ask the security administrator.")
    if not policy.is_covered(look, held.rules):
        raise Problem("not_covered", "Your unit does not look up this city's people for this matter.")


def _count_or_refuse(call: Call, looked: _Looked) -> None:
    found = _count(call, looked)
    over = _overrun(looked, found)
    if over is None or _is_load_test(call):
        return
    wait = quota.until_next_minute(call.now) if over is Kind.BURST else quota.until_tomorrow(call.now)
    raise Problem("quota_exceeded", "Wait; the security administrator knows.", headers={"Retry-After": str(wait)})


def _observe(call: Call, looked: _Looked) -> None:
    """Count a look that was refused, and raise the alarms it gives cause for."""
    if looked.is_honey:
        _sound(call, looked, Kind.HONEY, again=True)
    over = _overrun(looked, _count(call, looked))
    if over is not None and not _is_load_test(call):
        _sound(call, looked, over)


def _count(call: Call, looked: _Looked) -> Mapping[str, Count]:
    found = counting.count(call, looked.counters)
    everybody = found[looked.everybody.key].looks if looked.everybody is not None else 1
    if everybody % anomalies.EVERY == 0 and not _is_load_test(call):
        anomalies.compare(call)
    return found


def _is_load_test(call: Call) -> bool:
    return call.settings.unthrottled_loopback and is_loopback(call.caller.address)


def _overrun(looked: _Looked, found: Mapping[str, Count]) -> Kind | None:
    own = found[looked.own.key]
    if own.looks > looked.quota.per_day:
        return Kind.DAY
    if own.in_minute > looked.quota.per_minute:
        return Kind.BURST
    if looked.subject is not None and found[looked.subject.key].looks > looked.quota.per_subject:
        return Kind.SUBJECT
    return None


def _sound(call: Call, looked: _Looked, kind: Kind, *, again: bool = False) -> None:
    cause = looked.operator  # of every alarm, or the second who touches a decoy on a day would hide behind the first
    if looked.subject is not None and kind not in {Kind.DAY, Kind.BURST}:
        cause = f"{looked.subject.key}|{cause}"
    whose = {"operator": looked.operator, "department": looked.unit, "matter": looked.matter}
    alarms.sound(call, kind, cause=cause, again=again, **whose)

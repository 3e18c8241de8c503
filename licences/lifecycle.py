"""The life of an issued licence (电子证照状态): one table of changes, and what the calendar adds when somebody looks.

GB/T 36901/36903 name the states of a licence without fixing a machine; this table is the narrow reading of them:

- `uncollected` 待领取, `valid` 有效, `suspended` 暂扣/冻结, `revoked` 撤销, `withdrawn` 吊销, `cancelled` 注销,
  `transferred` 转出 and `replaced` 被新版本替换 are stored;
- `not_yet_valid` 未生效 and `expired` 过期 are never stored: they follow from the dates at the moment of reading,
  so that no job has to run for a licence to stop holding;
- what is terminal stays so: nothing reopens it, and nothing softens it afterwards.

On what ground a change rests stands in `licences.grounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from keys.verdict import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The dates on a Chinese licence are days of China Standard Time, wherever the server stands.
CHINA_STANDARD_TIME = timezone(timedelta(hours=8), "CST")


class State(StrEnum):
    """What a licence is now; the last two are computed, never stored."""

    UNCOLLECTED = "uncollected"
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    REPLACED = "replaced"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


COMPUTED = frozenset({State.NOT_YET_VALID, State.EXPIRED})
STORED = frozenset(State) - COMPUTED
TERMINAL = frozenset({State.REVOKED, State.WITHDRAWN, State.CANCELLED, State.TRANSFERRED, State.REPLACED})
#: Not ended: what a holder has of a type that he may have once only.
LIVE = STORED - TERMINAL

#: Title for people: Chinese first, then English.
TITLES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.UNCOLLECTED: ("待领取", "Not yet collected"),
        State.VALID: ("有效", "Valid"),
        State.SUSPENDED: ("已暂扣", "Suspended"),
        State.REVOKED: ("已撤销", "Revoked"),
        State.WITHDRAWN: ("已吊销", "Withdrawn"),
        State.CANCELLED: ("已注销", "Cancelled"),
        State.TRANSFERRED: ("已转出", "Transferred"),
        State.REPLACED: ("已被替换", "Replaced"),
        State.NOT_YET_VALID: ("未生效", "Not yet valid"),
        State.EXPIRED: ("已过期", "Expired"),
    }
)


class Change(StrEnum):
    """A deed that moves a licence from one state to another."""

    ISSUE = "issue"
    COLLECT = "collect"
    SUSPEND = "suspend"
    FREEZE = "freeze"
    RESUME = "resume"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    TRANSFER = "transfer"
    RENEW = "renew"
    CHANGE = "change"
    CORRECT = "correct"
    REPLACE = "replace"


class Party(StrEnum):
    """Who asks for a change: an officer of the issuing department, or the holder himself."""

    ISSUER = "issuer"
    HOLDER = "holder"


class LifecycleError(ValueError):
    """A change that the table does not allow.

    `code` is stable: `change_unknown`, `change_not_allowed`, `terminal`, `not_entitled`, `reason_required`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Arrow:
    """One row of the table: where a change starts, where it ends, who may ask for it, and what it needs.

    `origins` holds None where there is no licence yet. `new_version` says that the change also issues the next
    version of the licence (GB/T 36904 version number + 1): the old one ends `replaced`, the new one starts `valid`.
    """

    change: Change
    origins: frozenset[State | None]
    target: State
    parties: frozenset[Party]
    needs_reason: bool = True
    new_version: bool = False


_ISSUER = frozenset({Party.ISSUER})
_BOTH = frozenset({Party.ISSUER, Party.HOLDER})
_LIVE = frozenset[State | None]({State.VALID, State.SUSPENDED})
_VALID = frozenset[State | None]({State.VALID})
_UNCOLLECTED = frozenset[State | None]({State.UNCOLLECTED})

TABLE: Mapping[Change, Arrow] = MappingProxyType(
    {
        arrow.change: arrow
        for arrow in (
            Arrow(Change.ISSUE, frozenset({None}), State.VALID, _ISSUER, needs_reason=False),
            # 待领取: the holder takes it himself, or an officer hands it over at the counter.
            Arrow(Change.COLLECT, _UNCOLLECTED, State.VALID, _BOTH, needs_reason=False),
            Arrow(Change.SUSPEND, _VALID, State.SUSPENDED, _ISSUER),
            Arrow(Change.FREEZE, _VALID, State.SUSPENDED, _ISSUER),
            Arrow(Change.RESUME, frozenset({State.SUSPENDED}), State.VALID, _ISSUER),
            Arrow(Change.REVOKE, _LIVE | _UNCOLLECTED, State.REVOKED, _ISSUER),
            Arrow(Change.WITHDRAW, _LIVE, State.WITHDRAWN, _ISSUER),
            # The holder gives a licence up himself, but not to slip out of a suspension.
            Arrow(Change.CANCEL, _VALID | _UNCOLLECTED, State.CANCELLED, _BOTH),
            Arrow(Change.TRANSFER, _VALID, State.TRANSFERRED, _ISSUER),
            Arrow(Change.RENEW, _VALID, State.REPLACED, _ISSUER, needs_reason=False, new_version=True),
            Arrow(Change.CHANGE, _VALID, State.REPLACED, _ISSUER, new_version=True),
            Arrow(Change.CORRECT, _VALID, State.REPLACED, _ISSUER, new_version=True),
            Arrow(Change.REPLACE, _VALID, State.REPLACED, _ISSUER, new_version=True),
        )
    }
)
#: Those that may alter what the licence says: 变更 because the facts changed, 更正 because they were never so.
REWRITING = frozenset({Change.CHANGE, Change.CORRECT})
#: What of a sensitive type one officer does alone: to stop it at once, which can be undone. All else brings one into
#: force or lets it hold for longer, alters what it says, or ends it or hands it away, and takes two people.
TAKES_ONE_PERSON = frozenset({Change.SUSPEND, Change.FREEZE})


def parse_change(text: object) -> Change:
    """Return the change named by `text` as it came from outside; raises `LifecycleError("change_unknown")`."""
    for change in Change:
        if change == text:
            return change
    raise LifecycleError("change_unknown", "no such change")


def apply(state: State | None, change: Change, *, by: Party, reason: str | None = None) -> State:
    """Return the stored state after `change`; None is the state before the first issue.

    Raises `LifecycleError` when no arrow starts at `state`, `by` may not ask for it, or its reason is missing.
    """
    arrow = TABLE[change]
    if by not in arrow.parties:
        raise LifecycleError("not_entitled", f"the {by} may not {change} a licence")
    if state not in arrow.origins:
        raise LifecycleError("terminal" if state in TERMINAL else "change_not_allowed", f"cannot {change} from {state}")
    if arrow.needs_reason and not (reason and reason.strip()):
        raise LifecycleError("reason_required", f"to {change} a licence needs a reason")
    return arrow.target


def allowed(state: State | None, *, by: Party) -> tuple[Change, ...]:
    """Return the changes that `by` may ask for while a licence is stored as `state`, in the table's order."""
    return tuple(arrow.change for arrow in TABLE.values() if state in arrow.origins and by in arrow.parties)


def needs_second_person(change: Change, *, by: Party = Party.ISSUER) -> bool:
    """Return whether a change of a sensitive licence takes two people; a holder does alone what he may do at all."""
    return by is Party.ISSUER and change not in TAKES_ONE_PERSON


def local_day(now: datetime) -> date:
    """Return the day it is in China at the instant `now` (which must carry a time zone, else ValueError)."""
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now.astimezone(CHINA_STANDARD_TIME).date()


def state_at(stored: State, *, valid_from: date, valid_until: date | None, now: datetime) -> State:
    """Return what a licence is at the instant `now`; both dates are inclusive days, None is 长期 (no end).

    An authority's act outranks the calendar: a suspended licence that also ran out reads `suspended`
    (`reasons_at` names both).
    """
    if stored in COMPUTED:
        raise ValueError(f"{stored} is computed, never stored")
    return stored if stored is not State.VALID else _by_calendar(local_day(now), valid_from, valid_until)


def reasons_at(stored: State, *, valid_from: date, valid_until: date | None, now: datetime) -> tuple[Reason, ...]:
    """Return every reason why a licence does not hold at `now`; empty exactly when it is valid.

    The closed list of reason codes has no word of its own for 吊销 and 注销: they answer `revoked`; a licence that
    another authority now keeps (转出) answers `replaced`, one not yet collected `not_yet_valid`.
    """
    acts = {
        State.UNCOLLECTED: Reason.NOT_YET_VALID,
        State.SUSPENDED: Reason.SUSPENDED,
        State.REVOKED: Reason.REVOKED,
        State.WITHDRAWN: Reason.REVOKED,
        State.CANCELLED: Reason.REVOKED,
        State.TRANSFERRED: Reason.REPLACED,
        State.REPLACED: Reason.REPLACED,
    }
    days = {State.EXPIRED: Reason.EXPIRED, State.NOT_YET_VALID: Reason.NOT_YET_VALID}
    if stored in COMPUTED:
        raise ValueError(f"{stored} is computed, never stored")
    found = (acts.get(stored), days.get(_by_calendar(local_day(now), valid_from, valid_until)))
    return tuple(dict.fromkeys(reason for reason in found if reason is not None))


def _by_calendar(today: date, valid_from: date, valid_until: date | None) -> State:
    if valid_until is not None and today > valid_until:
        return State.EXPIRED
    return State.NOT_YET_VALID if today < valid_from else State.VALID

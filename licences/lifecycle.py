"""The life of an issued licence (电子证照状态): one table of changes, and what the calendar adds when somebody looks.

GB/T 36901/36903 name the states of a licence without fixing a machine; this table is the narrow reading of them:

- `valid` 有效, `suspended` 暂扣, `revoked` 撤销/吊销, `cancelled` 注销 and `replaced` 被新版本替换 are stored;
- `not_yet_valid` 未生效 and `expired` 过期 are never stored: they follow from the dates at the moment of reading,
  so that no job has to run for a licence to stop holding;
- `revoked`, `cancelled` and `replaced` are terminal: nothing reopens them.
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

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


COMPUTED = frozenset({State.NOT_YET_VALID, State.EXPIRED})
STORED = frozenset(State) - COMPUTED
TERMINAL = frozenset({State.REVOKED, State.CANCELLED, State.REPLACED})

#: Title for people: Chinese first, then English.
TITLES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.VALID: ("有效", "Valid"),
        State.SUSPENDED: ("已暂扣", "Suspended"),
        State.REVOKED: ("已撤销", "Revoked"),
        State.CANCELLED: ("已注销", "Cancelled"),
        State.REPLACED: ("已被替换", "Replaced"),
        State.NOT_YET_VALID: ("未生效", "Not yet valid"),
        State.EXPIRED: ("已过期", "Expired"),
    }
)


class Change(StrEnum):
    """A deed that moves a licence from one state to another."""

    ISSUE = "issue"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    CANCEL = "cancel"
    RENEW = "renew"
    CORRECT = "correct"


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

TABLE: Mapping[Change, Arrow] = MappingProxyType(
    {
        arrow.change: arrow
        for arrow in (
            Arrow(Change.ISSUE, frozenset({None}), State.VALID, _ISSUER, needs_reason=False),
            Arrow(Change.SUSPEND, frozenset({State.VALID}), State.SUSPENDED, _ISSUER),
            Arrow(Change.RESUME, frozenset({State.SUSPENDED}), State.VALID, _ISSUER),
            Arrow(Change.REVOKE, frozenset({State.VALID, State.SUSPENDED}), State.REVOKED, _ISSUER),
            # The holder gives a licence up himself, but not to slip out of a suspension.
            Arrow(Change.CANCEL, frozenset({State.VALID}), State.CANCELLED, frozenset({Party.ISSUER, Party.HOLDER})),
            Arrow(
                Change.RENEW, frozenset({State.VALID}), State.REPLACED, _ISSUER, needs_reason=False, new_version=True
            ),
            Arrow(Change.CORRECT, frozenset({State.VALID}), State.REPLACED, _ISSUER, new_version=True),
        )
    }
)


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

    The closed list of reason codes has no word of its own for 注销: a cancelled licence answers `revoked`.
    """
    acts = {
        State.SUSPENDED: Reason.SUSPENDED,
        State.REVOKED: Reason.REVOKED,
        State.CANCELLED: Reason.REVOKED,
        State.REPLACED: Reason.REPLACED,
    }
    days = {State.EXPIRED: Reason.EXPIRED, State.NOT_YET_VALID: Reason.NOT_YET_VALID}
    if stored in COMPUTED:
        raise ValueError(f"{stored} is computed, never stored")
    found = (acts.get(stored), days.get(_by_calendar(local_day(now), valid_from, valid_until)))
    return tuple(reason for reason in found if reason is not None)


def _by_calendar(today: date, valid_from: date, valid_until: date | None) -> State:
    if valid_until is not None and today > valid_until:
        return State.EXPIRED
    return State.NOT_YET_VALID if today < valid_from else State.VALID

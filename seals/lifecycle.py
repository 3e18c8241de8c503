"""The life of an electronic seal (印章状态) as one table: from application to destruction.

GB/T 38540-2020 puts the period into the seal itself; whether its unit has taken it out of use stands in the register,
as the filing of seals (印章备案) has it: application 申请, approval 审批 by a second person, making 制作, suspension
停用, loss 挂失, retirement 缴销 (when the unit's name changes, 国发〔1999〕25号 art. 24) and destruction 销毁. Nothing
leads back from loss, retirement or destruction, while signatures made before go on holding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class State(StrEnum):
    """What a seal is now; the last two are computed at the moment of reading, never stored."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    LOST = "lost"
    RETIRED = "retired"
    DESTROYED = "destroyed"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


class Change(StrEnum):
    """A deed that moves a seal from one state to another; applying for one is where its life begins."""

    APPROVE = "approve"
    REFUSE = "refuse"
    MAKE = "make"
    SUSPEND = "suspend"
    RESUME = "resume"
    REPORT_LOST = "report_lost"
    RETIRE = "retire"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One row of the table: where a change starts and ends, and whether a second person has to make it."""

    change: Change
    origins: frozenset[State]
    target: State
    second_person: bool = False


def _arrow(change: Change, *origins: State, to: State, second_person: bool = False) -> Arrow:
    return Arrow(change, frozenset(origins), to, second_person)


TABLE: Mapping[Change, Arrow] = MappingProxyType(
    {
        arrow.change: arrow
        for arrow in (
            _arrow(Change.APPROVE, State.APPLIED, to=State.APPROVED, second_person=True),
            _arrow(Change.REFUSE, State.APPLIED, to=State.REFUSED, second_person=True),
            _arrow(Change.MAKE, State.APPROVED, to=State.IN_FORCE),
            _arrow(Change.SUSPEND, State.IN_FORCE, to=State.SUSPENDED),
            _arrow(Change.RESUME, State.SUSPENDED, to=State.IN_FORCE),
            _arrow(Change.REPORT_LOST, State.IN_FORCE, State.SUSPENDED, to=State.LOST),
            _arrow(Change.RETIRE, State.IN_FORCE, State.SUSPENDED, to=State.RETIRED),
            _arrow(Change.DESTROY, State.IN_FORCE, State.SUSPENDED, State.LOST, State.RETIRED, to=State.DESTROYED),
        )
    }
)
#: Before there is a seal: these states belong to an application.
OF_APPLICATIONS = frozenset({State.APPLIED, State.APPROVED, State.REFUSED})
#: A seal in one of these never signs again, so its key is taken out of use.
ENDED = frozenset({State.LOST, State.RETIRED, State.DESTROYED})


def target(state: State, change: Change) -> State | None:
    """Return the state that `change` leads to, or None where no arrow starts at `state`."""
    arrow = TABLE[change]
    return arrow.target if state in arrow.origins else None


def allowed(state: State) -> tuple[Change, ...]:
    """Return the changes that start at a stored state, in the table's order."""
    return tuple(arrow.change for arrow in TABLE.values() if state in arrow.origins)


def state_at(stored: str, valid_from: datetime, valid_until: datetime, now: datetime) -> State:
    """Return the state of a seal whose register says `stored`, at `now`. A seal taken out of use stays so by name."""
    state = State(stored)
    if state is not State.IN_FORCE:
        return state
    if now < valid_from:
        return State.NOT_YET_VALID
    return State.EXPIRED if now > valid_until else state

"""The life of an electronic seal (印章状态): in force, suspended, destroyed, and what the calendar adds when read.

GB/T 38540-2020 puts the period into the seal itself; whether its unit has taken it out of use stands in the register.
A destroyed seal (销毁) is never used again, while signatures made with it before go on holding.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class State(StrEnum):
    """What a seal is now; the last two are computed at the moment of reading, never stored."""

    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    DESTROYED = "destroyed"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"


class Change(StrEnum):
    """A deed that moves a seal from one state to another."""

    SUSPEND = "suspend"
    RESUME = "resume"
    DESTROY = "destroy"


TABLE: dict[tuple[State, Change], State] = {
    (State.IN_FORCE, Change.SUSPEND): State.SUSPENDED,
    (State.SUSPENDED, Change.RESUME): State.IN_FORCE,
    (State.IN_FORCE, Change.DESTROY): State.DESTROYED,
    (State.SUSPENDED, Change.DESTROY): State.DESTROYED,
}


def state_at(stored: str, valid_from: datetime, valid_until: datetime, now: datetime) -> State:
    """Return the state of a seal whose register says `stored`, at `now`. A seal taken out of use stays so by name."""
    state = State(stored)
    if state is not State.IN_FORCE:
        return state
    if now < valid_from:
        return State.NOT_YET_VALID
    return State.EXPIRED if now > valid_until else state

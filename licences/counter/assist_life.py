"""The life of a department check (部门协查) as one table: which step leads where, and whose it is to take.

A city's rules for the no-certificate counter (无证明城市: 部门核验): the asking unit requests, the issuing unit
assigns, answers under seal or returns with its reason, the asking unit closes. Reminders and escalation change no
state. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


class State(StrEnum):
    """Where a check stands."""

    REQUESTED = "requested"  # 待分办
    ASSIGNED = "assigned"  # 办理中
    ANSWERED = "answered"  # 已答复
    RETURNED = "returned"  # 已退回
    CLOSED = "closed"  # 已办结


class Step(StrEnum):
    """What is done to a check."""

    REQUEST = "request"
    ASSIGN = "assign"
    ANSWER = "answer"
    RETURN = "return"
    RESEND = "resend"
    CLOSE = "close"
    REMIND = "remind"  # 催办
    ESCALATE = "escalate"  # 督办


class Side(StrEnum):
    """Who takes a step."""

    ASKING = "asking"
    ISSUING = "issuing"
    CLOCK = "clock"


class Answer(StrEnum):
    """What a department can say."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a step is open, to which it leads (None: the state stays), who takes it, if he says why."""

    sources: frozenset[State]
    target: State | None
    side: Side
    with_reason: bool = False


OPEN: Final = frozenset({State.REQUESTED, State.ASSIGNED})  # the issuing unit's clock runs
RULES: Final[Mapping[Step, Rule]] = MappingProxyType(
    {
        Step.REQUEST: Rule(frozenset(), State.REQUESTED, Side.ASKING),
        Step.ASSIGN: Rule(OPEN, State.ASSIGNED, Side.ISSUING),
        Step.ANSWER: Rule(frozenset({State.ASSIGNED}), State.ANSWERED, Side.ISSUING, with_reason=True),
        Step.RETURN: Rule(OPEN, State.RETURNED, Side.ISSUING, with_reason=True),
        Step.RESEND: Rule(frozenset({State.RETURNED}), State.REQUESTED, Side.ASKING, with_reason=True),
        Step.CLOSE: Rule(frozenset(State) - {State.CLOSED}, State.CLOSED, Side.ASKING),
        Step.REMIND: Rule(OPEN, None, Side.ASKING),
        Step.ESCALATE: Rule(OPEN, None, Side.CLOCK),
    }
)


def open_steps(state: State, side: Side) -> tuple[Step, ...]:
    """Return the steps that one side may take on a check in that state."""
    return tuple(step for step, rule in RULES.items() if rule.side is side and state in rule.sources)


def is_late(state: State, due_on: date, today: date) -> bool:
    """Return whether the answer is overdue (超期): the day has passed and the issuing unit still has the check."""
    return state in OPEN and today > due_on

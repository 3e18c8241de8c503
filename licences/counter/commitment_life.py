"""The life of a commitment (告知承诺) as one table: which step leads where, and whose it is to take.

General Office of the State Council, 国办发〔2020〕42号 (告知承诺制): the unit tells, the person commits in writing, the
unit checks afterwards; who committed falsely is not offered it again until that is set right, and may object. Whoever
called a commitment false does not decide on the objection. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where a commitment stands."""

    OFFERED = "offered"  # 待签署
    DECLINED = "declined"  # 不作承诺
    SIGNED = "signed"  # 已签署, to be checked
    KEPT = "kept"  # 核查属实
    FALSE = "false"  # 核查不实
    OBJECTED = "objected"  # 异议处理中
    UPHELD = "upheld"  # 异议不成立
    CLEARED = "cleared"  # 已解除


class Step(StrEnum):
    """What is done to a commitment."""

    OFFER = "offer"
    SIGN = "sign"
    DECLINE = "decline"
    FIND_KEPT = "find_kept"
    FIND_FALSE = "find_false"
    OBJECT = "object"
    UPHOLD = "uphold"
    CLEAR = "clear"


class Side(StrEnum):
    """Who takes a step: the clerk who offers, the person, any officer of the unit, or one who did not mark it."""

    CLERK = "clerk"
    PERSON = "person"
    OFFICER = "officer"
    OTHER_OFFICER = "other_officer"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a step is open, to which it leads, who takes it, and whether he says why."""

    sources: frozenset[State]
    target: State
    side: Side
    with_reason: bool = False


#: In these the person is not offered a commitment for the same matter (失信记录).
MARKED: Final = frozenset({State.FALSE, State.OBJECTED, State.UPHELD})
OBJECTION_DAYS: Final = 10  # working days from the mark
RULES: Final[Mapping[Step, Rule]] = MappingProxyType(
    {
        Step.OFFER: Rule(frozenset(), State.OFFERED, Side.CLERK),
        Step.SIGN: Rule(frozenset({State.OFFERED}), State.SIGNED, Side.PERSON),
        Step.DECLINE: Rule(frozenset({State.OFFERED}), State.DECLINED, Side.PERSON),
        Step.FIND_KEPT: Rule(frozenset({State.SIGNED}), State.KEPT, Side.OFFICER),
        Step.FIND_FALSE: Rule(frozenset({State.SIGNED}), State.FALSE, Side.OFFICER, with_reason=True),
        Step.OBJECT: Rule(frozenset({State.FALSE}), State.OBJECTED, Side.PERSON, with_reason=True),
        Step.UPHOLD: Rule(frozenset({State.OBJECTED}), State.UPHELD, Side.OTHER_OFFICER, with_reason=True),
        Step.CLEAR: Rule(MARKED, State.CLEARED, Side.OTHER_OFFICER, with_reason=True),
    }
)


def open_steps(state: State, side: Side) -> tuple[Step, ...]:
    """Return the steps that one side may take on a commitment in that state."""
    return tuple(step for step, rule in RULES.items() if rule.side is side and state in rule.sources)

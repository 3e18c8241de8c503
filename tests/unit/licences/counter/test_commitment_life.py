"""The table of commitments, whole."""

from licences.counter.commitment_life import MARKED, RULES, Side, State, Step, open_steps


def test_the_table_is_what_the_house_says() -> None:
    told = {state: {step for side in Side for step in open_steps(state, side)} for state in State}
    assert told == {
        State.OFFERED: {Step.SIGN, Step.DECLINE},
        State.DECLINED: set(),
        State.SIGNED: {Step.FIND_KEPT, Step.FIND_FALSE},
        State.KEPT: set(),
        State.FALSE: {Step.OBJECT, Step.CLEAR},
        State.OBJECTED: {Step.UPHOLD, Step.CLEAR},
        State.UPHELD: {Step.CLEAR},
        State.CLEARED: set(),
    }
    assert {rule.target for rule in RULES.values()} == set(State)


def test_who_marked_clears_nothing_and_every_mark_can_be_cleared() -> None:
    assert all(RULES[step].side is Side.OTHER_OFFICER for step in (Step.UPHOLD, Step.CLEAR))
    assert RULES[Step.CLEAR].sources == MARKED
    assert all(RULES[step].with_reason for step in (Step.FIND_FALSE, Step.OBJECT, Step.UPHOLD, Step.CLEAR))

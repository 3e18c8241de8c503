"""The table of department checks, whole."""

from datetime import date

from licences.counter.assist_life import OPEN, RULES, Side, State, Step, is_late, open_steps


def test_the_table_is_what_the_house_says() -> None:
    told = {
        (state, side): set(open_steps(state, side))
        for state in State
        for side in (Side.ASKING, Side.ISSUING)
        if open_steps(state, side)
    }
    waiting = {Step.CLOSE, Step.REMIND}
    assert told == {
        (State.REQUESTED, Side.ASKING): waiting,
        (State.ASSIGNED, Side.ASKING): waiting,
        (State.ANSWERED, Side.ASKING): {Step.CLOSE},
        (State.RETURNED, Side.ASKING): {Step.CLOSE, Step.RESEND},
        (State.REQUESTED, Side.ISSUING): {Step.ASSIGN, Step.RETURN},
        (State.ASSIGNED, Side.ISSUING): {Step.ASSIGN, Step.RETURN, Step.ANSWER},
    }
    assert {state for state in State if open_steps(state, Side.CLOCK)} == OPEN


def test_every_state_is_reached_and_only_the_closed_one_is_an_end() -> None:
    assert {rule.target for rule in RULES.values()} - {None} == set(State)
    ends = [state for state in State if not any(state in rule.sources for rule in RULES.values())]
    assert ends == [State.CLOSED]


def test_late_is_the_day_after_while_the_unit_has_it() -> None:
    due = date(2026, 11, 20)
    assert [is_late(State.ASSIGNED, due, day) for day in (due, date(2026, 11, 21))] == [False, True]
    assert not is_late(State.RETURNED, due, date(2027, 1, 1))

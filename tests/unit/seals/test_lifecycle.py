from datetime import UTC, datetime, timedelta

import pytest

from seals.lifecycle import ENDED, OF_APPLICATIONS, TABLE, Change, State, allowed, state_at, target

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2031, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("stored", "now", "state"),
    [
        ("in_force", BEGIN - SECOND, State.NOT_YET_VALID),
        ("in_force", BEGIN, State.IN_FORCE),
        ("in_force", END, State.IN_FORCE),
        ("in_force", END + SECOND, State.EXPIRED),
        ("suspended", END + SECOND, State.SUSPENDED),
        ("destroyed", BEGIN, State.DESTROYED),
        ("lost", BEGIN, State.LOST),
        ("retired", BEGIN, State.RETIRED),
    ],
)
def test_the_calendar_is_added_when_somebody_looks(stored: str, now: datetime, state: State) -> None:
    assert state_at(stored, BEGIN, END, now) is state


def test_an_unknown_word_in_the_register_is_not_taken_for_in_force() -> None:
    with pytest.raises(ValueError, match="found"):
        state_at("found", BEGIN, END, BEGIN)


def test_the_table_as_a_whole() -> None:
    assert {state: allowed(state) for state in State if allowed(state)} == {
        State.APPLIED: (Change.APPROVE, Change.REFUSE),
        State.APPROVED: (Change.MAKE,),
        State.IN_FORCE: (Change.SUSPEND, Change.REPORT_LOST, Change.RETIRE, Change.DESTROY),
        State.SUSPENDED: (Change.RESUME, Change.REPORT_LOST, Change.RETIRE, Change.DESTROY),
        State.LOST: (Change.DESTROY,),
        State.RETIRED: (Change.DESTROY,),
    }
    assert target(State.SUSPENDED, Change.RESUME) is State.IN_FORCE
    assert target(State.LOST, Change.RESUME) is None


def test_nothing_leads_back_from_an_end() -> None:
    for arrow in TABLE.values():
        if arrow.origins & ENDED:
            assert arrow.target is State.DESTROYED
    assert target(State.DESTROYED, Change.DESTROY) is None


def test_a_second_person_decides_on_applications_alone() -> None:
    deciding = {arrow.change for arrow in TABLE.values() if arrow.second_person}
    assert deciding == {Change.APPROVE, Change.REFUSE}
    assert all(TABLE[change].origins <= OF_APPLICATIONS for change in deciding)

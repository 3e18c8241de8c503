from datetime import UTC, datetime, timedelta

import pytest

from seals.lifecycle import State, state_at

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
    ],
)
def test_the_calendar_is_added_when_somebody_looks(stored: str, now: datetime, state: State) -> None:
    assert state_at(stored, BEGIN, END, now) is state


def test_an_unknown_word_in_the_register_is_not_taken_for_in_force() -> None:
    with pytest.raises(ValueError, match="lost"):
        state_at("lost", BEGIN, END, BEGIN)

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from idservice.call import House
from idservice.login import lockout
from idservice.login.lockout import Gate
from idservice.login.models import Lock
from tests.builders import act, build_house, migrate
from tests.databases import Databases, noting_statements

START = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
DEVICE = "d" * 32


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def go(house: House, *, finds: bool, at: datetime = START, gate: Gate = Gate.SECOND, device: str | None = None) -> bool:
    looked: list[None] = []

    def look() -> bool | None:
        looked.append(None)
        return True if finds else None

    found = act(house, lambda call: lockout.through(call, "p", gate, look, device=device), now=at)
    assert not (found and not looked)
    return found is not None if looked or finds else False


def failures(house: House) -> int:
    return act(house, lambda call: call.session.get_one(Lock, ("p", "second"))).failures


def test_the_lock_grows_to_an_hour_and_no_further() -> None:
    minutes = [
        int((lockout.lock_after(n) or timedelta()).total_seconds() / 60)
        for n in (0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 10**6)
    ]
    assert minutes == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_fifth_wrong_answer_shuts_the_gate_for_a_right_one(house: House) -> None:
    for _ in range(5):
        assert not go(house, finds=False)
    assert not go(house, finds=True)
    assert failures(house) == 5, "what is not looked at is not counted"
    assert go(house, finds=True, at=START + timedelta(minutes=1))
    assert failures(house) == 0


def test_each_further_wrong_answer_shuts_it_for_longer(house: House) -> None:
    now = START
    for number in range(12):
        assert not go(house, finds=False, at=now)
        lock = lockout.lock_after(number + 1)
        if lock is not None:
            assert not go(house, finds=True, at=now + lock - timedelta(seconds=1))
            now += lock
    assert failures(house) == 12


def test_gates_are_counted_apart(house: House) -> None:
    for _ in range(5):
        go(house, finds=False)
    assert go(house, finds=True, gate=Gate.RECOVERY)
    assert not go(house, finds=True)


def test_the_owners_device_is_let_through_a_shut_gate_and_its_errors_count(house: House) -> None:
    for _ in range(5):
        go(house, finds=False)
    assert not go(house, finds=False, device=DEVICE)
    assert failures(house) == 6
    assert go(house, finds=True, device=DEVICE)
    assert failures(house) == 0


def test_the_owners_device_has_a_gate_of_its_own(house: House) -> None:
    """Whoever has got hold of it guesses no more often than anybody else; another device of his is not shut with it."""
    for _ in range(5):
        assert not go(house, finds=False, device=DEVICE)
    assert not go(house, finds=True, device=DEVICE)
    assert failures(house) == 5, "what is not looked at is not counted"
    assert go(house, finds=True, device="e" * 32)
    assert not go(house, finds=True, device=DEVICE), "and that device opens nothing for this one"
    assert go(house, finds=True, device=DEVICE, at=START + timedelta(minutes=1))
    for _ in range(4):
        assert not go(house, finds=False, device=DEVICE, at=START + timedelta(minutes=1))
    assert go(house, finds=True, device=DEVICE, at=START + timedelta(minutes=1)), "a right answer wipes out the count"


def test_fifty_guesses_at_once_are_five_guesses(house: House) -> None:
    looked: list[int] = []

    def guess(number: int) -> None:
        act(house, lambda call: lockout.through(call, "p", Gate.SECOND, lambda: looked.append(number)), now=START)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(guess, range(50)))
    assert len(looked) == 5
    assert failures(house) == 5


# --- `settle`: one statement, whatever comes of it


def pass_by(house: House, *, is_right: bool, at: datetime = START, device: str | None = None) -> bool:
    return act(house, lambda call: lockout.pass_by(call, "p", Gate.SECOND, is_right=is_right, device=device), now=at)


def test_settling_counts_locks_and_lifts_as_looking_does(house: House) -> None:
    later = START
    for failure in range(1, 15):
        assert not pass_by(house, is_right=False, at=later)
        assert failures(house) == failure
        lock = lockout.lock_after(failure)
        row = act(house, lambda call: call.session.get_one(Lock, ("p", "second")))
        assert row.locked_until == (later + lock if lock else None)
        if lock:
            before = later + lock - timedelta(microseconds=1)
            assert not pass_by(house, is_right=True, at=before), "shut until the last moment"
            assert not pass_by(house, is_right=False, at=before)
            assert failures(house) == failure, "and nothing counts meanwhile"
            later += lock
    assert pass_by(house, is_right=True, at=later)
    assert failures(house) == 0


def test_the_owners_device_passes_by_a_shut_gate_until_its_own_is_shut(house: House) -> None:
    for _ in range(5):
        assert not pass_by(house, is_right=False)
    for _ in range(4):
        assert not pass_by(house, is_right=False, device=DEVICE)
    assert pass_by(house, is_right=True, device=DEVICE)
    assert failures(house) == 0
    for _ in range(5):
        assert not pass_by(house, is_right=False, device=DEVICE)
    assert not pass_by(house, is_right=True, device=DEVICE)
    assert pass_by(house, is_right=True, device=DEVICE, at=START + timedelta(minutes=1))


def test_a_lock_without_failures_holds_too(house: House) -> None:
    """An operator may set one by hand; a count of 0 must not pass for a right answer."""
    pass_by(house, is_right=True)

    def lock(call) -> None:
        call.session.get_one(Lock, ("p", "second")).locked_until = START + timedelta(hours=1)

    act(house, lock)
    assert not pass_by(house, is_right=True)
    assert not pass_by(house, is_right=False)


def test_of_right_and_wrong_answers_at_once_no_wrong_one_passes(house: House) -> None:
    with ThreadPoolExecutor(8) as people:
        told = list(people.map(lambda n: (n % 2 == 0, pass_by(house, is_right=n % 2 == 0)), range(24)))
    assert not any(passed for is_right, passed in told if not is_right)


def test_open_shut_right_and_wrong_take_the_same_statements(house: House) -> None:
    def asked(*, is_right: bool, at: datetime) -> list[str]:
        with noting_statements(house.database) as found:
            pass_by(house, is_right=is_right, at=at)
        return found

    first = asked(is_right=False, at=START)
    assert first
    for turn in range(8):
        assert asked(is_right=bool(turn % 3 == 0 and turn > 5), at=START) == first


def test_the_last_try_that_counted_is_noted(house: House) -> None:
    """It says when a gate of a device may be forgotten."""
    tries = [START + timedelta(minutes=place) for place in range(3)]
    for at in tries[:2]:
        go(house, finds=False, at=at, device=DEVICE)
    act(house, lambda call: lockout.pass_by(call, "p", Gate.SECOND, is_right=True, device=DEVICE), now=tries[2])
    noted = act(house, lambda call: {row.gate: row.tried_at for row in call.session.scalars(select(Lock))})
    assert noted == {"second": tries[2], f"s-{DEVICE[:14]}": tries[2]}

import random
from datetime import UTC, datetime, timedelta

from idservice.login import device

SECRET, CHANGED = b"k" * 32, datetime(2026, 1, 1, tzinfo=UTC)


def test_a_device_is_known_for_one_person_and_one_password() -> None:
    cookie = device.new(SECRET, "alice", CHANGED)
    assert device.name_of([SECRET], cookie, "alice", CHANGED) == cookie.split(".")[0]
    assert device.name_of([SECRET], cookie, "bob", CHANGED) is None
    assert device.name_of([SECRET], cookie, "alice", CHANGED + timedelta(microseconds=1)) is None
    assert device.name_of([b"x" * 32], cookie, "alice", CHANGED) is None
    assert device.name_of([b"x" * 32, SECRET], cookie, "alice", CHANGED), "the key was turned since"
    assert "alice" not in cookie


def test_mutants_are_strangers() -> None:
    chance, good = random.Random(9), device.new(SECRET, "alice", CHANGED)
    for _ in range(500):
        place = chance.randrange(len(good))
        mutant = good[:place] + chance.choice("0af.é\0") + good[place + chance.randint(0, 2) :]
        assert mutant == good or device.name_of([SECRET], mutant, "alice", CHANGED) is None
    for odd in (None, "", ".", "x" * 5000):
        assert device.name_of([SECRET], odd, "alice", CHANGED) is None

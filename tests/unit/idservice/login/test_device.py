import random
from datetime import UTC, datetime, timedelta

from idservice.login import device
from idservice.login.device import Device

SECRET, CHANGED = b"k" * 32, datetime(2026, 1, 1, tzinfo=UTC)


def test_a_device_is_known_for_one_person_and_one_password() -> None:
    cookie = device.new(SECRET, "alice", CHANGED)
    assert device.find([SECRET], cookie, "alice", CHANGED) == Device(cookie.split(".")[0], device.KNOWN)
    assert device.find([SECRET], cookie, "bob", CHANGED) is None
    assert device.find([SECRET], cookie, "alice", CHANGED + timedelta(microseconds=1)) is None
    assert device.find([b"x" * 32], cookie, "alice", CHANGED) is None
    assert device.find([b"x" * 32, SECRET], cookie, "alice", CHANGED), "the key was turned since"
    assert "alice" not in cookie


def test_mutants_are_strangers() -> None:
    chance, good = random.Random(9), device.new(SECRET, "alice", CHANGED)
    for _ in range(500):
        place = chance.randrange(len(good))
        mutant = good[:place] + chance.choice("0af.é\0") + good[place + chance.randint(0, 2) :]
        assert mutant == good or device.find([SECRET], mutant, "alice", CHANGED) is None
    for odd in (None, "", ".", "x" * 5000):
        assert device.find([SECRET], odd, "alice", CHANGED) is None


def test_those_who_share_a_browser_are_known_there_each() -> None:
    """The last four of them; and a cookie from when there was room for one is one with a single entry."""
    cookie, people = None, [f"person {number}" for number in range(6)]
    for person in people:
        cookie = device.added(cookie, device.new(SECRET, person, CHANGED))
    known = [device.find([SECRET], cookie, person, CHANGED) is not None for person in people]
    assert known == [False, False, True, True, True, True]
    assert len(cookie or "") < 400
    padded = "~".join([device.new(SECRET, "bob", CHANGED)] * 4 + [device.new(SECRET, "alice", CHANGED)])
    assert device.find([SECRET], padded, "alice", CHANGED) is None, "no more than four are looked at"


def test_a_device_keeps_its_name_and_takes_one_entry() -> None:
    first = device.new(SECRET, "alice", CHANGED)
    name = first.split(".")[0]
    proved = device.new(SECRET, "alice", CHANGED, kind=device.PROVED, name=name)
    cookie = device.added(device.added(first, device.new(SECRET, "bob", CHANGED)), proved)
    assert cookie.count("~") == 1
    assert device.find([SECRET], cookie, "alice", CHANGED) == Device(name, device.PROVED)
    assert device.find([SECRET], cookie, "bob", CHANGED) is not None
    assert device.added("~odd~" + first[:-1] + "~", proved) == proved

from datetime import UTC, datetime, timedelta

import pytest

from idservice.oauth import binding

SECRET, OTHER = b"s" * 32, b"t" * 32
REQUEST = b"r" * 32
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def test_a_code_is_six_digits_that_change_every_fifteen_seconds() -> None:
    codes = [binding.code(SECRET, REQUEST, NOW + timedelta(seconds=second)) for second in range(60)]
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert [len(set(codes[start : start + 15])) for start in range(0, 60, 15)] == [1, 1, 1, 1]
    assert len(set(codes)) == 4


def test_a_code_is_of_one_request_and_one_secret() -> None:
    codes = {
        binding.code(SECRET, REQUEST, NOW),
        binding.code(OTHER, REQUEST, NOW),
        binding.code(SECRET, b"q" * 32, NOW),
    }
    assert len(codes) == 3


@pytest.mark.parametrize(("age", "holds"), [(0, True), (14, True), (15, True), (44, True), (45, False), (3600, False)])
def test_a_code_holds_as_long_as_a_person_needs(age: int, holds: bool) -> None:
    given = binding.code(SECRET, REQUEST, NOW)
    assert binding.holds([SECRET], REQUEST, NOW + timedelta(seconds=age), given) is holds


def test_a_code_does_not_hold_before_its_time() -> None:
    later = binding.code(SECRET, REQUEST, NOW + timedelta(seconds=15))
    assert not binding.holds([SECRET], REQUEST, NOW, later)


def test_a_code_holds_after_its_key_was_turned() -> None:
    given = binding.code(SECRET, REQUEST, NOW)
    assert binding.holds([OTHER, SECRET], REQUEST, NOW, given)
    assert not binding.holds([OTHER], REQUEST, NOW, given)


def test_spaces_in_a_code_are_a_readers_and_nothing_else_is_forgiven() -> None:
    given = binding.code(SECRET, REQUEST, NOW)
    assert binding.holds([SECRET], REQUEST, NOW, f" {given[:3]} {given[3:]} ")
    for wrong in ("", given[:5], given + "0", given + "x" * 5000, "\ud800", "１２３４５６", f"-{given}"):
        assert not binding.holds([SECRET], REQUEST, NOW, wrong)


def test_the_time_that_is_left() -> None:
    assert [binding.seconds_left(NOW + timedelta(seconds=second)) for second in (0, 1, 14, 15)] == [15, 14, 1, 15]

from datetime import UTC, date, datetime

import pytest

from idservice.register.guardians import comes_of_age, guarded_until, is_minor
from tests.identity import citizen_number


def born(day: str) -> str:
    return citizen_number(f"371602{day}001")


@pytest.mark.parametrize(
    ("day", "adult"),
    [
        ("20081122", date(2026, 11, 22)),
        ("20081123", date(2026, 11, 23)),
        ("20080229", date(2026, 3, 1)),
        ("19480229", date(1966, 3, 1)),
        ("20040229", date(2022, 3, 1)),
    ],
)
def test_the_day_of_age(day: str, adult: date) -> None:
    assert comes_of_age(born(day)) == adult


def test_it_is_the_citys_calendar_that_counts() -> None:
    number = born("20081122")
    assert is_minor(number, datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC))
    assert not is_minor(number, datetime(2026, 11, 21, 16, tzinfo=UTC))
    assert guarded_until(number) == datetime(2026, 11, 21, 16, tzinfo=UTC)

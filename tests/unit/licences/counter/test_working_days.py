"""Working days agree with an independent calendar of China, day by day."""

from datetime import date, timedelta

import holidays
import pytest

from licences.counter import working_days
from licences.counter.working_days import Due


def test_every_day_of_the_published_years_is_as_the_python_holidays_calendar_says() -> None:
    for year in working_days.published():
        theirs = holidays.country_holidays("CN", years=[year])
        days = [date(year, 1, 1) + timedelta(days=step) for step in range(365)]
        assert [day for day in days if working_days.is_working(day) != theirs.is_working_day(day)] == []


def test_a_period_begins_the_day_after_and_passes_over_holidays() -> None:
    cases = {
        (date(2026, 9, 30), 1): Due(date(2026, 10, 8), is_sure=True),  # over the National Day week
        (date(2026, 10, 9), 1): Due(date(2026, 10, 10), is_sure=True),  # a Saturday that is worked
        (date(2025, 1, 24), 2): Due(date(2025, 1, 27), is_sure=True),  # a Friday, then a Sunday that is worked
        (date(2026, 11, 20), 3): Due(date(2026, 11, 25), is_sure=True),
        (date(2026, 12, 30), 3): Due(date(2027, 1, 4), is_sure=False),  # weekends alone, and it says so
    }
    assert {case: working_days.after(*case) for case in cases} == cases


def test_lateness_is_counted_in_working_days() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert working_days.between(friday, monday) == 1
    assert working_days.between(monday, friday) == working_days.between(monday, monday) == 0
    assert working_days.between(date(2026, 1, 1), date(9999, 12, 31)) < 2 * working_days.LONGEST


def test_a_period_without_end_and_a_file_that_does_not_fit_are_refused() -> None:
    for days in (0, -1, working_days.LONGEST + 1):
        with pytest.raises(ValueError, match="working days"):
            working_days.after(date(2026, 1, 5), days)
    wrong = [
        {"year": 2026, "source": "s", "off": ["2025-01-01"], "worked": []},
        {"year": 2026, "source": "s", "off": [], "worked": ["2026-01-05"]},  # a Monday
        {"year": 2026, "source": "s", "off": ["2026-01-04"], "worked": ["2026-01-04"]},
    ]
    for found in wrong:
        with pytest.raises(ValueError, match="do not fit"):
            working_days._parse(found)

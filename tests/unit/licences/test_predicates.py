from datetime import date

import pytest

from licences import metadata
from licences.predicates import AGE_OVER, age_over
from tests.identity import citizen_number, company_code

BORN = metadata.person("王小明", citizen_number("37160220080301123"))


@pytest.mark.parametrize(
    ("today", "over"), [(date(2026, 2, 28), False), (date(2026, 3, 1), True), (date(2026, 12, 31), True)]
)
def test_an_age_is_reached_on_the_birthday(today: date, over: bool) -> None:
    assert age_over(BORN, 18, today) is over


def test_somebody_born_on_a_leap_day_waits_for_march() -> None:
    born = metadata.person("王小明", citizen_number("37160220080229124"))
    assert [age_over(born, 18, day) for day in (date(2026, 2, 28), date(2026, 3, 1))] == [False, True]


def test_an_organisation_has_no_age() -> None:
    company = metadata.organisation("滨州示范食品有限公司", company_code("9137160210002000"))
    assert {age_over(company, age, date(2026, 1, 1)) for age in AGE_OVER.values()} == {None}

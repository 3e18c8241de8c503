from dataclasses import replace
from datetime import date

import pytest

from licences.definition import HolderKind
from licences.definition_file import shipped_types

ANY = shipped_types()[0]


def test_what_is_about_a_thing_is_held_by_whoever_owns_it() -> None:
    of_thing = replace(ANY, holder_kind=HolderKind.OTHER)
    assert of_thing.accepts(HolderKind.PERSON)
    assert of_thing.accepts(HolderKind.ORGANISATION)
    assert not of_thing.accepts(HolderKind.OTHER)


@pytest.mark.parametrize(
    ("months", "start", "last"),
    [
        (None, date(2026, 1, 1), None),
        (72, date(2026, 11, 22), date(2032, 11, 22)),
        (240, date(2024, 2, 29), date(2044, 2, 29)),
        (60, date(2024, 2, 29), date(2029, 2, 28)),
        (1, date(2026, 1, 31), date(2026, 2, 28)),
        (12, date(2026, 12, 31), date(2027, 12, 31)),
        (1, date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_last_day(months: int | None, start: date, last: date | None) -> None:
    assert replace(ANY, validity_months=months).last_day(start) == last

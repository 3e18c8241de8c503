"""Guardians of minors (监护人) and who may grant a proxy: what follows from the birth date in a number.

Civil Code of the People's Republic of China article 17: whoever has completed eighteen years is an adult; article 1259
counts the day itself in. Somebody born on 29 February comes of age on 1 March of a common year. Pure.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from idservice.numbers import citizen
from idservice.register.grants_rules import CITY_TIME

ADULT_AT: Final = 18


def comes_of_age(number: str) -> date:
    """Return the day on which the bearer of a valid number becomes an adult."""
    born = citizen.parts(number).birth_date
    try:
        return born.replace(year=born.year + ADULT_AT)
    except ValueError:
        return date(born.year + ADULT_AT, 3, 1)


def is_minor(number: str, now: datetime) -> bool:
    """Return whether the bearer of a valid number is not yet an adult, by the city's calendar."""
    return now.astimezone(CITY_TIME).date() < comes_of_age(number)


def guarded_until(number: str) -> datetime:
    """Return the instant at which the guardianship of a minor ends: the first of his day of age."""
    return datetime.combine(comes_of_age(number), datetime.min.time(), CITY_TIME)

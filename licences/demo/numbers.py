"""Numbers for people and organisations who do not exist: right check characters, regions that were never assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice.numbers import citizen, credit_code

if TYPE_CHECKING:
    from datetime import date
    from random import Random

#: The city and its districts: GB/T 2260 has no 3799xx.
CITY: Final = "379900"
DISTRICTS: Final = {"379901": "示范区", "379902": "演练区", "379921": "样例县"}


def citizen_number(rng: Random, *, district: str, birth_date: date, male: bool) -> str:
    """Return a valid citizen number (GB 11643) of an unassigned region; the order code is odd for a man."""
    order = 2 * rng.randrange(500) + male
    body = f"{district}{birth_date:%Y%m%d}{order:03d}"
    return body + citizen.check_character(body)


def organisation_code(category: str, serial: int) -> str:
    """Return a valid credit code (GB 32100) of the city; `category` is its first two characters, `serial` below 10^6.

    The organisation code begins with DM, for demonstration.
    """
    inner = f"DM{serial:06d}"
    body = f"{category}{CITY}{inner}{credit_code.inner_check_character(inner)}"
    return body + credit_code.check_character(body)


def phone(serial: int) -> str:
    """Return a telephone number that cannot be called: no network has the prefix 100. `serial` is below 10^8."""
    return f"100{serial:08d}"

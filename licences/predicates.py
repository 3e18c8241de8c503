"""Yes or no in place of data (最少披露): what a holder can prove about his age without showing his birth date.

As `age_over_NN` of ISO/IEC 18013-5 section 7.2.5: true from the birthday on which he reaches that age, in China.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from idservice.numbers import InvalidNumber, citizen

if TYPE_CHECKING:
    from licences.metadata import Holder

AGES: Final = (14, 16, 18, 60)
#: Name of each predicate and the age it is about.
AGE_OVER: Final = {f"age_over_{age}": age for age in AGES}


def age_over(holder: Holder, age: int, today: date) -> bool | None:
    """Return whether a holder has reached an age; None for an organisation, or a number that tells no birth date."""
    try:
        born = citizen.parts(holder.code).birth_date
    except InvalidNumber:
        return None
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years >= age

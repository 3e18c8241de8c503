"""GB 11643-1999 citizen number (公民身份号码), and the three other 18-character numbers with the same shape.

Clause 4: six digits of region, eight of birth date, three of order (odd male, even female), one check character by
ISO 7064 MOD 11-2. Residence permits of Hong Kong, Macau and Taiwan residents (港澳台居民居住证) begin with 81, 82, 83;
the 2023 permanent residence card of foreigners (外国人永久居留身份证) has 9, two digits of province and three of
nationality in place of the region. The 15-digit form ended in 2013 and is not valid.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache

from idservice.numbers import regions
from idservice.numbers.fold import InvalidNumber, fold

_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_BODY = re.compile(r"[0-9]{17}")
_CHECK_CHARACTERS = "0123456789X"
_TAIWAN = "710000"  # GB/T 2260; 830000 exists in permits only


class Kind(StrEnum):
    """Whose number it is (号码种类)."""

    CITIZEN = "citizen"
    HONG_KONG_PERMIT = "hong_kong_permit"
    MACAU_PERMIT = "macau_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PERMANENT_RESIDENT = "permanent_resident"


class Sex(StrEnum):
    """Sex as the order code states it (性别)."""

    MALE = "male"
    FEMALE = "female"


CODE_TYPES = {
    Kind.CITIZEN: "111",
    Kind.HONG_KONG_PERMIT: "551",
    Kind.MACAU_PERMIT: "551",
    Kind.TAIWAN_PERMIT: "552",
    Kind.PERMANENT_RESIDENT: "553",
}
"""Holder code types (持证主体代码类型代码) of the GB/T 36903 code list."""

_PERMITS = {"81": Kind.HONG_KONG_PERMIT, "82": Kind.MACAU_PERMIT, "83": Kind.TAIWAN_PERMIT}


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """What a valid number says; its `repr` does not show the number, so that it may stand in a traceback."""

    number: str = field(repr=False)
    kind: Kind
    region_code: str
    """As written in the number; of a permanent residence number its province."""
    region_name: str | None
    """Full name, or None for a code our table does not know."""
    nationality: str | None
    """Three digits of GB/T 2659.1 (ISO 3166-1 numeric), permanent residence numbers only."""
    birth_date: date = field(repr=False)
    sex: Sex
    warnings: tuple[str, ...]
    """`region_unknown`: regions are renamed and struck every year, so this is never a reason to refuse."""


def normalise(text: str) -> str:
    """Fold what was typed. Raises `InvalidNumber("length")` above 64 characters, and nothing else."""
    return fold(text)


def check_character(body: str) -> str:
    """Return the check character of 17 digits (ISO 7064 MOD 11-2). Raises `InvalidNumber`."""
    if not _BODY.fullmatch(body):
        raise InvalidNumber("alphabet" if len(body) == 17 else "length")
    return _check_character(body)


def _check_character(body: str) -> str:
    # The weight of position i is 2^(18-i) mod 11. As 13 = 2 (mod 11), reading the body in base 13 is that very sum.
    return _CHECK_CHARACTERS[(1 - 2 * int(body, 13)) % 11]


def check(text: str, *, today: date | None = None) -> str:
    """Return the normalised number, or raise `InvalidNumber` (length, alphabet, check_digit, birth_date).

    `today` is the caller's date: a birth date after it is refused. Without it any calendar date passes.
    """
    number = fold(text)
    _birth_date(number, today)
    return number


def is_valid(text: str, *, today: date | None = None) -> bool:
    """Say whether `check` would return."""
    try:
        check(text, today=today)
    except InvalidNumber:
        return False
    return True


def parts(text: str, *, today: date | None = None) -> CitizenNumber:
    """Return what a valid number says; raises as `check` does."""
    number = fold(text)
    birth_date = _birth_date(number, today)
    kind = _kind(number)
    foreign = kind is Kind.PERMANENT_RESIDENT
    region_code = number[1:3] + "0000" if foreign else number[:6]
    region_name = regions.name(_TAIWAN if region_code == "830000" else region_code)
    return CitizenNumber(
        number=number,
        kind=kind,
        region_code=region_code,
        region_name=region_name,
        nationality=number[3:6] if foreign else None,
        birth_date=birth_date,
        sex=Sex.MALE if int(number[16]) % 2 else Sex.FEMALE,
        warnings=() if region_name else ("region_unknown",),
    )


def mask(text: str) -> str:
    """Show the first three and last four characters, `370***********1234`; never raises.

    The check digit is not looked at. What does not have the shape of a number is hidden whole behind 18 stars.
    """
    try:
        number = fold(text)
    except InvalidNumber:
        number = ""
    return f"{number[:3]}{'*' * 11}{number[-4:]}" if _NUMBER.fullmatch(number) else "*" * 18


def _birth_date(number: str, today: date | None) -> date:
    """Apply every rule to a folded number and return the date that proves the last of them."""
    if not _NUMBER.fullmatch(number):
        raise InvalidNumber("alphabet" if len(number) == 18 else "length")
    if _check_character(number[:17]) != number[17]:
        raise InvalidNumber("check_digit")
    birth_date = _day(number[6:14])
    if birth_date is None:
        raise InvalidNumber("birth_date")
    # By ordinals, since a datetime is a date to the type checker but cannot be compared with one.
    if today is not None and birth_date.toordinal() > today.toordinal():
        raise InvalidNumber("birth_date")
    return birth_date


@lru_cache(maxsize=65_536)  # a register is full of the days of one century
def _day(digits: str) -> date | None:
    """Return the day that eight digits name, or None."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _kind(number: str) -> Kind:
    if number[0] == "9":
        return Kind.PERMANENT_RESIDENT
    return _PERMITS.get(number[:2], Kind.CITIZEN)

"""The two hundred people of the demonstration city: the first hundred are fifty couples, the others live alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from licences.demo.numbers import DISTRICTS, citizen_number, phone

if TYPE_CHECKING:
    from random import Random

PEOPLE: Final = 200
MARRIED: Final = 100  # persons, 2k with 2k + 1
#: Officers and clerks are the last of the people, so that no account tried at random is staff.
STAFF_FROM: Final = 185

_SURNAMES = (
    *"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕",
    *("欧阳", "司马", "诸葛", "上官"),
)
_GIVEN = tuple("安宁清和明远嘉禾静文思源雨泽心怡子涵亦辰若溪景行知秋云舒正阳书言望青星河乐平长风怀瑾")
_STREETS = ("演示路", "样例街", "示范大道", "试用巷", "模拟路")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One made-up person; `level` is the assurance of his identity proofing, 1 to 3. `repr` leaves the number out."""

    number: str = field(repr=False)
    name: str
    male: bool
    birth_date: date
    phone: str
    district: str
    address: str
    level: int


def make_people(rng: Random, today: date) -> tuple[DemoPerson, ...]:
    """Return `PEOPLE` adults, no two with the same number or name."""
    made: list[DemoPerson] = []
    numbers: set[str] = set()
    names: set[str] = set()
    while len(made) < PEOPLE:
        place = len(made)
        person = _spouse(rng, place, made[-1]) if place < MARRIED and place % 2 else _person(rng, place, today)
        if person.number not in numbers and person.name not in names:
            made.append(person)
            numbers.add(person.number)
            names.add(person.name)
    return tuple(made)


def _person(rng: Random, place: int, today: date) -> DemoPerson:
    age = rng.randrange(*_ages(place))
    birth_date = today - timedelta(days=365 * age + age // 4 + rng.randrange(300))
    district = rng.choice(tuple(DISTRICTS))
    address = f"演示省示范市{DISTRICTS[district]}{rng.choice(_STREETS)}{rng.randrange(1, 400)}号"
    male = place % 2 == 0 if place < MARRIED else rng.random() < 0.5
    return _make(rng, place, male=male, birth_date=birth_date, district=district, address=address)


def _spouse(rng: Random, place: int, husband: DemoPerson) -> DemoPerson:
    birth_date = husband.birth_date + timedelta(days=rng.randrange(-700, 700))
    return _make(rng, place, male=False, birth_date=birth_date, district=husband.district, address=husband.address)


def _make(rng: Random, place: int, *, male: bool, birth_date: date, district: str, address: str) -> DemoPerson:
    return DemoPerson(
        number=citizen_number(rng, district=district, birth_date=birth_date, male=male),
        name=rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2)))),
        male=male,
        birth_date=birth_date,
        phone=phone(place + 1),
        district=district,
        address=address,
        level=_level(place),
    )


def _ages(place: int) -> tuple[int, int]:
    """Return from which to below which age the person at `place` is: staff works, couples are of an age to be married.

    The first is young enough to hold a birth certificate, so that one account can show every kind of licence.
    """
    if place == 0:
        return 28, 29
    return (26, 59) if place < MARRIED or place >= STAFF_FROM else (19, 85)


def _level(place: int) -> int:
    """Ten people have proved who they are on line only, five not at all: their refusals can be seen too."""
    return {16: 2, 17: 1}.get(place // 10, 3) if place < 175 else 3

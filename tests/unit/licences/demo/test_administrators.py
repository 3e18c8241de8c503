from datetime import date

from licences.demo.administrators import ROLES, administrators
from licences.demo.city import city
from licences.demo.organisations import FIRST_REPRESENTATIVE, ORGANISATIONS
from licences.demo.people import STAFF_FROM


def test_the_roles_are_apart_from_each_other_and_from_every_post() -> None:
    town = city(7, today=date(2026, 11, 22))
    found = administrators(town)
    numbers = {person.number for person, _role in found}
    assert len(numbers) == len(ROLES)
    assert {person.level for person, _role in found} == {3}
    others = town.people[STAFF_FROM:] + town.people[: FIRST_REPRESENTATIVE + 2 * ORGANISATIONS]
    assert numbers.isdisjoint(person.number for person in others)

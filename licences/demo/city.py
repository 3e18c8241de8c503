"""The demonstration city as one value: `city(seed, today=...)` always gives the same city for the same arguments."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from licences.demo.departments import DemoClerk, DemoDepartment, make_clerks, make_departments
from licences.demo.organisations import DemoOrganisation, make_organisations
from licences.demo.people import STAFF_FROM, DemoPerson, make_people
from licences.demo.wallets import DemoLicence, make_wallets

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class DemoCity:
    """Everything the demonstration starts with; `licences` are to be issued in this order."""

    people: tuple[DemoPerson, ...]
    organisations: tuple[DemoOrganisation, ...]
    departments: tuple[DemoDepartment, ...]
    clerks: tuple[DemoClerk, ...]
    licences: tuple[DemoLicence, ...]


def city(seed: int, *, today: date) -> DemoCity:
    """Return the city that `seed` stands for, its dates laid around `today`."""
    rng = Random(seed)  # noqa: S311 - made-up data that must come out the same again; nothing here is secret
    people = make_people(rng, today)
    organisations = make_organisations(rng, people, today)
    staff = people[STAFF_FROM:]
    departments = make_departments(staff)
    clerks = make_clerks(staff[len(departments) :], departments)
    licences = make_wallets(rng, people, organisations, departments, today)
    return DemoCity(people, organisations, departments, clerks, licences)

"""The administrators of the demonstration city: one of each role, and two for security: two must act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.register import people

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.demo.city import DemoCity
    from licences.demo.people import DemoPerson

#: They stand before the staff of departments, and hold no post in one.
FIRST: Final = 181
ROLES: Final = (Role.SYSTEM, Role.SECURITY, Role.SECURITY, Role.AUDIT)


def administrators(town: DemoCity) -> tuple[tuple[DemoPerson, Role], ...]:
    """Return who administers the city, each with one role."""
    return tuple(zip(town.people[FIRST : FIRST + len(ROLES)], ROLES, strict=False))


def appoint(call: Call, town: DemoCity) -> None:
    """Give those their roles who have none yet."""
    for person, role in administrators(town):
        subject = people.find(call, person.number)
        if subject is not None and roles.of(call, subject) is None:
            roles.give(call, subject, role)

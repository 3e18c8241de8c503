"""Officers of the departments of `conftest`, enrolled with made-up numbers."""

from __future__ import annotations

from dataclasses import dataclass

from idservice.call import Call, Caller, House
from idservice.models import Staff
from idservice.register import people
from tests.builders import STAFF_LOGIN, act
from tests.unit.seals.conftest import DEPARTMENT, OTHER

#: Made up, with valid check digits.
NUMBERS = ("110105194912310038", "110105194912310046", "110105199003072039")


@dataclass(frozen=True)
class Officers:
    """Two officers of the department and one of another."""

    first: Caller
    second: Caller
    other: Caller


def enrol_officers(house: House) -> Officers:
    def enrol(call: Call) -> list[str]:
        subjects = []
        for number, name, unit in zip(
            NUMBERS, ("王小明", "李建国", "赵外人"), (DEPARTMENT, DEPARTMENT, OTHER), strict=True
        ):
            subject = people.enrol(call, number=number, name=name)
            call.session.merge(Staff(subject=subject, department=unit, role="officer"))
            subjects.append(subject)
        return subjects

    subjects = act(house, enrol)
    units = (DEPARTMENT, DEPARTMENT, OTHER)
    return Officers(
        *(
            Caller(channel="page", person=subject, posts=frozenset({("officer", unit)}), **STAFF_LOGIN)
            for subject, unit in zip(subjects, units, strict=True)
        )
    )

"""The departments of the demonstration city: which licence types each issues, its officer, its clerks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from licences.definition_file import shipped_types
from licences.demo.numbers import CITY, organisation_code

if TYPE_CHECKING:
    from licences.demo.people import DemoPerson

#: Category of credit code (11 机关, 13 群众团体), names, and the slugs of the types issued first of all: other types of
#: the same authorities follow, and the last department (行政审批局) issues what is left.
_DEPARTMENTS: Final = (
    (
        "11",
        "示范市公安局（演示）",
        "Public Security Bureau",
        ("resident_card", "driving_licence", "household_register"),
    ),
    ("11", "示范市市场监督管理局（演示）", "Market Regulation Bureau", ("business_licence", "food_permit")),
    ("11", "示范市自然资源和规划局（演示）", "Natural Resources Bureau", ("real_estate_title",)),
    ("13", "示范市残疾人联合会（演示）", "Disabled Persons' Federation", ("disability_card",)),
    ("11", "示范市机构编制服务中心（演示）", "Public Establishment Office", ("institution_certificate",)),
    ("11", "示范市民政局（演示）", "Civil Affairs Bureau", ("marriage_certificate",)),
    ("11", "示范市人力资源和社会保障局（演示）", "Human Resources Bureau", ("vocational_qualification",)),
    ("11", "示范市交通运输局（演示）", "Transport Bureau", ("road_transport_permit",)),
    ("11", "示范市卫生健康委员会（演示）", "Health Commission", ("birth_certificate",)),
    ("11", "示范市行政审批服务局（演示）", "Administrative Approval Bureau", ()),
)
#: The first of them, public security, approves and files the seals of organisations and persons.
SEAL_OFFICE: Final = organisation_code(_DEPARTMENTS[0][0], 1)
#: Place of the department in the list above, and the clerk's counter.
_COUNTERS: Final = (
    (0, "公安综合窗口1号"),
    (1, "企业开办窗口2号"),
    (2, "不动产登记窗口3号"),
    (5, "民生服务窗口4号"),
)


@dataclass(frozen=True, slots=True)
class DemoDepartment:
    """One made-up department; `issues` are licence type codes, `officer` issues and changes them.

    Where some of them take two people, `second_officer` is the other.
    """

    credit_code: str
    name: str
    name_en: str
    area: str
    issues: tuple[str, ...]
    officer: DemoPerson
    second_officer: DemoPerson | None


@dataclass(frozen=True, slots=True)
class DemoClerk:
    """One clerk at a counter; `department` is a credit code."""

    person: DemoPerson
    department: str
    counter: str


def make_departments(staff: tuple[DemoPerson, ...]) -> tuple[DemoDepartment, ...]:
    """Return the departments, their officers taken from the front of `staff`; the last of it is second to several."""
    issued = _issued()
    sensitive = {of.code for of in shipped_types() if of.sensitive}
    return tuple(
        DemoDepartment(
            credit_code=organisation_code(category, place),
            name=name,
            name_en=f"{name_en} (demonstration)",
            area=CITY,
            issues=issued[place - 1],
            officer=officer,
            second_officer=None if sensitive.isdisjoint(issued[place - 1]) else staff[-1],
        )
        for place, ((category, name, name_en, _), officer) in enumerate(zip(_DEPARTMENTS, staff, strict=False), 1)
    )


def make_clerks(staff: tuple[DemoPerson, ...], departments: tuple[DemoDepartment, ...]) -> tuple[DemoClerk, ...]:
    """Return the clerks, taken from the front of `staff`."""
    return tuple(
        DemoClerk(person, departments[place].credit_code, counter)
        for (place, counter), person in zip(_COUNTERS, staff, strict=False)
    )


def _issued() -> list[tuple[str, ...]]:
    """Return the codes of the types that each department issues; every shipped type is issued by one."""
    shipped = shipped_types()
    first = [[next(of for of in shipped if of.slug == slug) for slug in slugs] for *_, slugs in _DEPARTMENTS]
    given = [of for some in first for of in some]
    found = []
    for place, some in enumerate(first, 1):
        authorities = {of.defining_authority.code for of in some}
        left = [of for of in shipped if of not in given]
        more = [of for of in left if place == len(first) or of.defining_authority.code in authorities]
        given += more
        found.append(tuple(of.code for of in (*some, *more)))
    return found

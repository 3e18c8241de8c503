"""Seals of companies and persons in the demonstration city (演示企业与个人印章), come by as everybody comes by one.

Applied for by the legal representative, approved and made by an officer of the department that files seals.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import exists, select

from idservice.call import Call, Caller
from idservice.models import Staff
from idservice.register import people
from licences.demo.departments import SEAL_OFFICE
from seals import approval
from seals.change import change
from seals.lifecycle import Change
from seals.models import Seal
from seals.picture_kinds import Design, Kind
from seals.picture_round import Rank

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import House
    from licences.demo.city import DemoCity
    from licences.demo.organisations import DemoOrganisation
    from licences.demo.people import DemoPerson

T = TypeVar("T")

COMPANIES: Final = 2  # the first ones have seals
_FOR_COMPANIES: Final = (Kind.OFFICIAL, Kind.CONTRACT, Kind.REPRESENTATIVE)
_REASON: Final = "演示"


def make(house: House, town: DemoCity) -> None:
    """Have the seals made that are not there yet."""
    office = next(one for one in town.departments if one.credit_code == SEAL_OFFICE)
    for company in town.organisations[:COMPANIES]:
        for kind in _FOR_COMPANIES:
            _make(house, company.representative, office.officer, kind, company)
    _make(house, town.people[0], office.officer, Kind.PERSONAL, None)


def as_person(house: House, person: DemoPerson, verb: Callable[[Call], T]) -> T:
    """Run a verb as a person who has just logged in with two factors would."""

    def deed(call: Call) -> T:
        subject = people.find(call, person.number)
        posts = call.session.scalars(select(Staff).where(Staff.subject == subject)).all()
        call.caller = Caller(
            channel="page",
            person=subject,
            posts=frozenset((post.role, post.department) for post in posts),
            level=person.level,
            amr=("pwd", "otp", "mfa"),
            auth_time=call.now,
        )
        return verb(call)

    return house.database.run(
        lambda session: deed(Call(house, session, Caller(channel="page"), datetime.now(UTC), "demo")), write=True
    )


def find(call: Call, number: str, kind: Kind) -> str | None:
    """Return the number of the seal of that kind whose owner has that number (citizen or credit code)."""
    owner = people.find(call, number)
    return call.session.scalar(select(Seal.seal_id).where(_owned(owner, kind)).limit(1))


def owned(town: DemoCity) -> list[tuple[str, Kind]]:
    """Return who owns a seal of which kind, by number (citizen or credit code)."""
    companies = [(company, kind) for company in town.organisations[:COMPANIES] for kind in _FOR_COMPANIES]
    return [(town.people[0].number, Kind.PERSONAL)] + [
        (company.representative.number if kind is Kind.REPRESENTATIVE else company.credit_code, kind)
        for company, kind in companies
    ]


def listed(call: Call, town: DemoCity) -> list[dict[str, Any]]:
    """Return what FILE tells of them: owner's number, kind, and the number of the seal."""
    return [{"owner": number, "kind": str(kind), "seal_id": find(call, number, kind)} for number, kind in owned(town)]


def _make(
    house: House, applicant: DemoPerson, officer: DemoPerson, kind: Kind, company: DemoOrganisation | None
) -> None:
    code = None if company is None else company.credit_code

    def apply(call: Call) -> str | None:
        number = applicant.number if code is None or kind is Kind.REPRESENTATIVE else code
        owner = people.find(call, number)
        if call.session.scalar(select(exists().where(_owned(owner, kind)))):
            return None
        design = Design(kind, rank=Rank.COMPANY)
        return approval.apply(call, design=design, reason=_REASON, organisation=code).seal_id

    seal_id = as_person(house, applicant, apply)
    if seal_id is not None:
        for deed in (Change.APPROVE, Change.MAKE):
            as_person(house, officer, lambda call, deed=deed: change(call, seal_id, deed, reason=_REASON))  # type: ignore[misc]


def _owned(owner: str | None, kind: Kind) -> Any:
    column = Seal.person if kind in {Kind.PERSONAL, Kind.REPRESENTATIVE} else Seal.organisation
    return (column == owner) & (Seal.kind == kind)

"""The owner of a seal as the registers know him now (印章所有人): of an application, or of a seal that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice.call import Post
from idservice.errors import FieldProblem, Problem
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.models import Department, Organisation
from idservice.numbers import InvalidNumber, credit_code
from idservice.numbers.names import mask_name
from idservice.register import people
from seals import standing
from seals.owner_kinds import KINDS, OwnerKind
from seals.picture_kinds import NAME_SEALS, Kind

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.models import Owned


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a seal: `name` stands on it, `credit_code` is a unit's.

    `is_active`: he is in being; a seal of one who is not is used no more.
    """

    kind: OwnerKind
    name: str
    credit_code: str | None = None
    department: str | None = None
    organisation: str | None = None
    person: str | None = None
    is_active: bool = True

    @property
    def name_kept(self) -> str:
        """Return the name as the register of seals may hold it in the clear: a person's masked."""
        return mask_name(self.name) if self.kind is OwnerKind.PERSON else self.name

    @property
    def columns(self) -> dict[str, Any]:
        """Return what a row says of its owner."""
        return {"department": self.department, "organisation": self.organisation, "person": self.person}


def applying(call: Call, *, kind: Kind, department: str | None, organisation: str | None) -> Owner:
    """Return for whom the caller applies for a seal of that kind.

    Args:
        call: of somebody who acts for the department or organisation, or for himself.
        kind: what seal.
        department: its credit code; None: the seal is an organisation's or the caller's own.
        organisation: its credit code, where the caller's token does not say it.

    Raises:
        Problem: invalid, forbidden, unavailable, or what `step_up.demand` raises.
    """
    if department is not None:
        if kind not in KINDS[OwnerKind.DEPARTMENT] or organisation is not None:
            raise _wrong("kind", "owner", "A department has no name seal: leave `department` out.")
        if not call.caller.may_act_for(department, Post.OFFICER):
            raise Problem("forbidden", "Only who acts for the department may make or use its seals.")
        return of_department(call, department)
    if call.caller.person is None:
        raise _wrong("department", "required", "Name the department: a program applies for no other owner's seal.")
    subject = None if kind is Kind.PERSONAL and organisation is None else _organisation(call, organisation)
    if kind is Kind.PERSONAL and (subject is not None or call.caller.principal is not None):
        raise _wrong("kind", "owner", "A personal seal is yours alone: ask in your own name, without an organisation.")
    _refuse_unreached(call, kind, subject)
    step_up.demand(call, Act.APPLY_FOR_SEAL)
    person = call.caller.person if kind in NAME_SEALS else None
    return _owner(call, organisation=subject, person=person)


def region_of(call: Call, owner: Owner) -> str:
    """Return the six digits that begin the number of the owner's next seal: of the department that files it.

    Raises:
        Problem: unavailable, where none files seals of organisations and persons.
    """
    code = owner.department or call.settings.seal_office
    filing = call.session.get(Department, code) if code else None
    if filing is None:
        raise Problem("unavailable", "No office files seals of organisations and persons: set ONA_SEAL_OFFICE.")
    return filing.region


def of(call: Call, row: Owned) -> Owner:
    """Return the owner of a seal or an application as he stands in the registers now.

    Raises:
        Problem: unavailable, where the registers do not know him.
    """
    if row.department is not None:
        return of_department(call, row.department)
    return _owner(call, organisation=row.organisation, person=row.person)


def of_department(call: Call, code: str) -> Owner:
    """Return the department with that credit code.

    Raises:
        Problem: invalid.
    """
    unit = call.session.get(Department, code)
    if unit is None:
        raise _wrong("department", "unknown", "There is no such department.")
    return Owner(OwnerKind.DEPARTMENT, unit.name, code, department=code)


def outdated(call: Call, row: Owned, bears: str | None) -> str | None:
    """Return why a seal that bears that name may not go on being used, in words for the register; None if it may."""
    owner = of(call, row)
    if not owner.is_active:
        return "单位注销" if owner.kind is OwnerKind.ORGANISATION else "持有人注销"
    if owner.name != bears:
        return "姓名变更" if owner.kind is OwnerKind.PERSON else "单位更名"
    person, organisation = row.person, row.organisation
    if person is not None and organisation is not None and not standing.represents(call, person, organisation):
        return "法定代表人变更"
    return None


def _refuse_unreached(call: Call, kind: Kind, subject: str | None) -> None:
    """Refuse who may not apply for such a seal of that organisation; of a personal one there is none."""
    if subject is None:
        return
    if kind is Kind.REPRESENTATIVE:
        acting = standing.mandate_for(call, subject) is not None
        if not acting or not standing.represents(call, call.caller.person or "", subject):
            raise Problem("forbidden", "The legal representative applies for his name seal himself.")
    elif not standing.manages(call, subject):
        detail = "Act for the organisation by a mandate that is not limited, or names the matter `seals`."
        raise Problem("forbidden", detail)


def _organisation(call: Call, code: str | None) -> str:
    """Return the subject of the organisation that is meant."""
    if code is None:
        if call.caller.principal is None:
            message = "Name a department, or act for an organisation by a mandate, or ask for kind `personal`."
            raise _wrong("department", "required", message)
        return call.caller.principal
    try:
        found = people.find_kind(call, credit_code.check(code))
    except InvalidNumber:
        found = None
    # Whether the register knows it is told to those alone who act for it.
    if found is None or found[1] != "organisation" or standing.mandate_for(call, found[0]) is None:
        raise _wrong("organisation", "unknown", "You hold no mandate of an organisation with that credit code.")
    return found[0]


def _owner(call: Call, *, organisation: str | None, person: str | None) -> Owner:
    if person is not None:
        facts = people.facts(call, person)
        if facts is None:
            raise Problem("unavailable", "The register of persons does not know the owner.")
        is_active = facts.status not in {"deceased", "closed"}
        return Owner(OwnerKind.PERSON, facts.name, organisation=organisation, person=person, is_active=is_active)
    asked = select(Organisation.name, Organisation.credit_code, Organisation.status)
    found = call.session.execute(asked.where(Organisation.subject == organisation)).one_or_none()
    if found is None:
        raise Problem("unavailable", "The register of organisations does not know the owner.")
    is_active = found.status != "closed"
    return Owner(OwnerKind.ORGANISATION, found.name, found.credit_code, organisation=organisation, is_active=is_active)


def _wrong(field: str, code: str, message: str) -> Problem:
    return Problem("invalid", message, errors=[FieldProblem(f"/{field}", code, message)])

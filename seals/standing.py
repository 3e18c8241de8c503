"""Where somebody stands to a seal (印章权限): on its owner's side, in the office that files seals, or nowhere.

A department's seals are its officers' and programs'. An organisation's are those people's who hold a mandate that
reaches seals: its legal representative, and administrators and agents whose mandate is not limited, or names the
matter of seals. A person's are his own. Seals of organisations and persons are approved, made and filed by the
officers of one department (印章管理机关, ONA_SEAL_OFFICE), who see them and never use them. Checked here and nowhere
else; who may use a seal, of those on its owner's side, is said in `custody`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import or_, select

from idservice.call import Post
from idservice.errors import Problem
from idservice.oauth import mandate_detail
from idservice.register import mandates
from idservice.register.grants_rules import Role
from seals.lifecycle import Change
from seals.models import Seal, SealUser
from seals.owner_kinds import OwnerKind

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.register.mandates import LiveMandate
    from seals.models import Owned, SealApplication

#: The matter by which a mandate reaches seals, and its names.
MATTER: Final = "seals"
MATTER_NAMES: Final = ("申请和管理印章", "Apply for and manage seals")
LEADERS: Final = (Role.LEGAL_REPRESENTATIVE, Role.ADMINISTRATOR)
#: What an owner may do to his seal by himself: take it out of use. To bring it back he asks the office.
OF_OWNERS: Final = frozenset({Change.SUSPEND, Change.REPORT_LOST, Change.RETIRE, Change.DESTROY})


def mandate_for(call: Call, organisation: str) -> LiveMandate | None:
    """Return the strongest mandate by which the caller acts for an organisation, or None.

    A token acts for whom it was issued for; a visitor of a page for everybody whose mandate he holds.
    """
    caller = call.caller
    if caller.person is None:
        return None
    if caller.channel == "page":
        found = [one for one in mandates.live(call, caller.person) if one.principal == organisation]
        return min(found, key=_weakness, default=None)
    if caller.principal != organisation:
        return None
    mandate = mandates.find_live(call, caller.person, caller.mandate or "")
    return mandate if mandate is not None and mandate.principal == organisation else None


def manages(call: Call, organisation: str) -> bool:
    """Return whether the caller's mandate reaches the organisation's seals."""
    mandate = mandate_for(call, organisation)
    return mandate is not None and mandate_detail.reaches(call.caller, MATTER) and _reaches_seals(mandate)


def managed(call: Call) -> list[str]:
    """Return the organisations whose seals the caller's mandates reach."""
    return [organisation for organisation in _principals(call) if manages(call, organisation)]


def named(call: Call) -> list[str]:
    """Return the numbers of the organisations' seals that name the caller as user or keeper, if he acts for them."""
    principals = _principals(call)
    if not principals:
        return []
    users = select(SealUser.seal_id).where(SealUser.who == call.caller.name_for_log)
    asked = select(Seal.seal_id).where(
        Seal.person.is_(None),
        Seal.organisation.in_(principals),
        or_(Seal.custodian == call.caller.person, Seal.seal_id.in_(users)),
    )
    return list(call.session.scalars(asked))


def leads(call: Call, organisation: str) -> bool:
    """Return whether the caller is the organisation's legal representative, or an administrator who reaches seals."""
    mandate = mandate_for(call, organisation)
    return mandate is not None and mandate.role in LEADERS and _reaches_seals(mandate)


def represents(call: Call, person: str, organisation: str) -> bool:
    """Return whether a person is the organisation's legal representative now, whoever asks."""
    return any(
        live.principal == organisation and live.role == Role.LEGAL_REPRESENTATIVE
        for live in mandates.live(call, person)
    )


def is_member(call: Call, person: str, organisation: str) -> bool:
    """Return whether a person holds any mandate of the organisation now, whoever asks."""
    return any(live.principal == organisation for live in mandates.live(call, person))


def is_operator(call: Call) -> bool:
    """Return whether the operator at his console asks."""
    return call.caller.channel == "cli" and call.caller.all_departments


def in_office(call: Call) -> bool:
    """Return whether the caller is an officer of the department that files seals, or the operator; no program is."""
    if is_operator(call):
        return True
    office = call.settings.seal_office
    return office is not None and call.caller.person is not None and call.caller.may_act_for(office, Post.OFFICER)


def owns(call: Call, row: Seal | SealApplication) -> bool:
    """Return whether the caller is on the owner's side."""
    match row.owner_kind:
        case OwnerKind.DEPARTMENT:
            return call.caller.may_act_for(row.department or "", Post.OFFICER)
        case OwnerKind.ORGANISATION:
            organisation = row.organisation or ""
            return manages(call, organisation) or (mandate_for(call, organisation) is not None and _is_named(call, row))
        case OwnerKind.PERSON:
            return call.caller.person == row.person and call.caller.principal in {None, row.organisation}


def sees(call: Call, row: Seal | SealApplication) -> bool:
    """Return whether the caller may know of the seal: on the owner's side, or in the office where it is filed."""
    return owns(call, row) or (row.owner_kind is not OwnerKind.DEPARTMENT and in_office(call))


def is_second_person(call: Call, application: SealApplication) -> bool:
    """Return whether this caller may decide on the application: a person, or the operator, who did not apply.

    A department's officers decide among themselves; on others' applications an officer of the office who has no part
    in the owner's affairs.
    """
    caller = call.caller
    if caller.name_for_log == application.applicant or (caller.person is None and not is_operator(call)):
        return False
    if application.owner_kind is OwnerKind.DEPARTMENT:
        return True
    return in_office(call) and not _is_party(call, application)


def may_change(call: Call, row: Seal | SealApplication, deed: Change) -> bool:
    """Return whether the caller may make that change, its state and the second person aside."""
    if row.owner_kind is OwnerKind.DEPARTMENT:
        return owns(call, row)
    his = manages(call, row.organisation or "") if row.owner_kind is OwnerKind.ORGANISATION else owns(call, row)
    return (his and deed in OF_OWNERS) or in_office(call)


def refuse_stranger(call: Call, row: Seal | SealApplication) -> None:
    """Refuse a caller who is not on the owner's side.

    Raises:
        Problem: forbidden.
    """
    if not owns(call, row):
        raise Problem("forbidden", _OWNERS_ALONE[row.owner_kind])


def refuse_change(call: Call, row: Seal | SealApplication, deed: Change) -> None:
    """Refuse a change that is another's to make.

    Raises:
        Problem: forbidden.
    """
    if not may_change(call, row, deed):
        if owns(call, row):
            raise Problem("forbidden", "The office that files seals does this: ask it.")
        raise Problem("forbidden", _OWNERS_ALONE[row.owner_kind])


_OWNERS_ALONE = {
    OwnerKind.DEPARTMENT: "Only who acts for the department may make or use its seals.",
    OwnerKind.ORGANISATION: "Only who acts for the organisation, with a mandate that reaches seals, may do this.",
    OwnerKind.PERSON: "A name seal is its person's alone.",
}


def _principals(call: Call) -> list[str]:
    """Return the organisations for which the caller acts in this call."""
    caller = call.caller
    if caller.person is None:
        return []
    if caller.channel == "page":
        return sorted({live.principal for live in mandates.live(call, caller.person)})
    return [caller.principal] if caller.principal is not None else []


def _is_party(call: Call, row: Owned) -> bool:
    person = call.caller.person
    if person is None:
        return False
    return person == row.person or (row.organisation is not None and is_member(call, person, row.organisation))


def _is_named(call: Call, row: Seal | SealApplication) -> bool:
    named = call.session.get(SealUser, (row.seal_id, call.caller.name_for_log))
    return named is not None or (call.caller.person is not None and call.caller.person == row.custodian)


def _reaches_seals(mandate: LiveMandate) -> bool:
    """Return whether the mandate is one for seals: a legal representative's always, others' within their limits."""
    if mandate.role == Role.LEGAL_REPRESENTATIVE:
        return True
    is_within = not mandate.is_limited or MATTER in mandate.matters
    return mandate.role in {Role.ADMINISTRATOR, Role.AGENT} and is_within


def _weakness(mandate: LiveMandate) -> tuple[bool, int]:
    order = (*LEADERS, Role.AGENT)
    role = order.index(Role(mandate.role)) if mandate.role in order else len(order)
    return not _reaches_seals(mandate), role

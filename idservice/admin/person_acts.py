"""What administrators do to people and mandates (人员与授权管理), and see of them: by exact number only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from idservice import audit
from idservice.admin import roles
from idservice.admin.deeds import AdminDeed
from idservice.errors import FieldProblem, Problem
from idservice.login import proofing
from idservice.models import Mandate, Organisation, Person
from idservice.numbers import citizen, credit_code
from idservice.numbers.fold import InvalidNumber
from idservice.oauth import signing_out
from idservice.register import guardians, mandates, people, representatives
from idservice.register.grants_rules import Role as MandateRole

if TYPE_CHECKING:
    from idservice.call import Call

ACCESS = {"who": "平台管理员 / administrator", "unit": "平台管理 / administration"}


def find(call: Call, number: str) -> tuple[str, str]:
    """Return subject and kind of whoever bears exactly this number.

    Raises:
        Problem: not_found, also for what is no number.
    """
    found = None
    for check in (citizen.check, credit_code.check):
        try:
            found = found or people.find_kind(call, check(number))
        except InvalidNumber:
            continue
    if found is None:
        raise Problem("not_found", "Nobody is registered by this number.")
    return found


def see_person(call: Call, subject: str) -> people.PersonFacts:
    """Return a person's facts, and put the look on his record; what is shown of them is masked.

    Raises:
        Problem: not_found.
    """
    facts = people.facts(call, subject)
    if facts is None:
        raise Problem("not_found", "There is no such person.")
    audit.record_access(call, AdminDeed.PERSON_SEEN, subject=subject, facts={**ACCESS, "basis": "legal_basis"})
    return facts


def see_organisation(call: Call, subject: str) -> Organisation:
    """Return an organisation.

    Raises:
        Problem: not_found.
    """
    row = call.session.get(Organisation, subject)
    if row is None:
        raise Problem("not_found", "There is no such organisation.")
    audit.record_access(call, AdminDeed.ORGANISATION_SEEN, subject=subject, facts={**ACCESS, "basis": "legal_basis"})
    return row


def mandates_of(call: Call, subject: str) -> list[Mandate]:
    """Return the mandates that somebody holds or gave, the newest first."""
    rows = select(Mandate).where((Mandate.subject == subject) | (Mandate.principal == subject))
    return list(call.session.scalars(rows.order_by(Mandate.valid_from.desc(), Mandate.mandate_id).limit(200)))


def check_person(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of an act on a person who exists.

    Raises:
        Problem: not_found.
    """
    if call.session.get(Person, facts["subject"]) is None:
        raise Problem("not_found", "There is no such person.")
    return facts


def check_disabling(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of an account that may be stopped: one that is not the last able to do what its role is for.

    Raises:
        Problem: not_found; conflict.
    """
    check_person(call, facts)
    role = roles.of(call, facts["subject"])
    if role is not None:
        roles.demand_another(call, facts["subject"], role)
    return facts


def disable(call: Call, facts: dict[str, Any]) -> None:
    """Lock a person's account and end every session and token of it.

    Raises:
        Problem: not_found; conflict, if it is the last of its role by now, or not active.
    """
    subject = check_disabling(call, facts)["subject"]
    _set_status(call, subject, "active", "locked")
    signing_out.end_others(call, subject, but=None, by="admin", reason="person_disabled")
    audit.record(call, AdminDeed.PERSON_DISABLED, subject=subject)


def enable(call: Call, facts: dict[str, Any]) -> None:
    """Unlock a person's account; he logs in anew."""
    _set_status(call, facts["subject"], "locked", "active")
    audit.record(call, AdminDeed.PERSON_ENABLED, subject=facts["subject"])


def check_confirmation(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of who was at the counter himself, with his identity card, and may become L4 (窗口核实).

    Raises:
        Problem: not_found; forbidden, for oneself; conflict, if the account is not active or has that level.
    """
    check_person(call, facts)
    _refuse_himself(call, facts["subject"])
    person = call.session.get_one(Person, facts["subject"])
    if person.status != "active" or person.level >= proofing.AT_COUNTER:
        raise Problem("conflict", "Only an active account below level 4 can be confirmed.")
    return facts


def confirm(call: Call, facts: dict[str, Any]) -> None:
    """Enter that a person was confirmed at the counter.

    Raises:
        Problem: forbidden, for oneself; conflict, if the account has changed meanwhile.
    """
    _refuse_himself(call, facts["subject"])
    if not proofing.raise_level(call, facts["subject"], proofing.COUNTER, level=proofing.AT_COUNTER):
        raise Problem("conflict", "Only an active account below level 4 can be confirmed.")


def check_role(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a role that could be given.

    Raises:
        Problem: not_found; role_taken.
    """
    check_person(call, facts)
    if roles.of(call, facts["subject"]) is not None:
        raise Problem("role_taken", "Take the other role away first.")
    return facts


def give_role(call: Call, facts: dict[str, Any]) -> None:
    """Give the account its one role."""
    check_person(call, facts)
    roles.give(call, facts["subject"], roles.Role(facts["role"]))


def check_role_held(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a role that could be taken: somebody else keeps the same one.

    Raises:
        Problem: not_found; conflict.
    """
    role = roles.of(call, facts["subject"])
    if role is None:
        raise Problem("not_found", "This account holds no administrator's role.")
    roles.demand_another(call, facts["subject"], role)
    return {"subject": facts["subject"], "role": str(role)}


def take_role(call: Call, facts: dict[str, Any]) -> None:
    """Take the role away that was spoken of.

    Raises:
        Problem: not_found; conflict, if the account holds another by now, or is the last that holds it.
    """
    if check_role_held(call, facts)["role"] != facts["role"]:
        raise Problem("conflict", "The account holds another role by now: refuse the request.")
    roles.take(call, facts["subject"])


def lay_down_role(call: Call) -> None:
    """Take the caller's own role away: nobody has to agree to that, as long as somebody else holds the same.

    Raises:
        Problem: forbidden; conflict.
    """
    role, subject = roles.demand(call), call.caller.person or ""
    roles.demand_another(call, subject, role)
    roles.take(call, subject)


def check_mandate(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a mandate that has not been withdrawn.

    Raises:
        Problem: not_found.
    """
    row = call.session.get(Mandate, (facts["subject"], facts["mandate_id"]))
    if row is None or row.withdrawn_at is not None:
        raise Problem("not_found", "There is no such mandate, or it was withdrawn.")
    return facts


def revoke_mandate(call: Call, facts: dict[str, Any]) -> None:
    """Withdraw a mandate by office.

    Raises:
        Problem: conflict, if it was withdrawn meanwhile.
    """
    if not representatives.withdraw(call, facts["subject"], facts["mandate_id"], reason="by_office"):
        raise Problem("conflict", "It was withdrawn before.")


def propose_guardian(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the subjects of a minor and of an adult who is to act for him.

    Raises:
        Problem: invalid.
    """
    found = {}
    for member in ("minor", "guardian"):
        try:
            subject, kind = find(call, facts[member])
        except Problem:
            subject, kind = "", ""
        if kind != mandates.PERSON:
            raise Problem("invalid", "", errors=[FieldProblem(f"/{member}", "unknown", "nobody bears this number")])
        if guardians.is_minor(citizen.normalise(facts[member]), call.now) is not (member == "minor"):
            raise Problem("invalid", "", errors=[FieldProblem(f"/{member}", "age", "of the wrong age for this")])
        found[member] = subject
    return found


def enter_guardian(call: Call, facts: dict[str, Any]) -> None:
    """Enter a guardian's mandate, which ends when the minor comes of age.

    Raises:
        Problem: conflict, if the minor has come of age or is gone.
    """
    minor = people.facts(call, facts["minor"])
    if minor is None or not guardians.is_minor(minor.number, call.now):
        raise Problem("conflict", "The ward is no minor any more.")
    mandate_id = mandates.grant(
        call,
        person=facts["guardian"],
        principal=facts["minor"],
        principal_kind=mandates.PERSON,
        role=MandateRole.GUARDIAN,
        valid_until=guardians.guarded_until(minor.number),
    )
    audit.record(call, AdminDeed.GUARDIAN_ENTERED, subject=facts["minor"], person=facts["guardian"], mandate=mandate_id)


def _refuse_himself(call: Call, subject: str) -> None:
    if subject == call.caller.person:
        raise Problem("forbidden", "Nobody confirms himself.")


def _set_status(call: Call, subject: str, before: str, after: str) -> None:
    changed = update(Person).where(Person.subject == subject, Person.status == before).values(status=after)
    if call.session.execute(changed.returning(Person.subject)).one_or_none() is None:
        raise Problem("conflict", f"Only an account that is {before} can be changed so.")

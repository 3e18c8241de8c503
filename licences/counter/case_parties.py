"""Who stands behind a case at the counter: the department that answers, the person it is about, the one who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from idservice.models import Department, Organisation
from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.numbers.names import mask_name
from idservice.register import people
from licences.counter import matters
from licences.models import IssuingAuthority

if TYPE_CHECKING:
    from datetime import date, datetime

    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import Proof

CITY = ZoneInfo("Asia/Shanghai")


def day_of(moment: datetime) -> date:
    """Return the day of an instant in the city, by which offices count."""
    return moment.astimezone(CITY).date()


def answering(call: Call, proof: Proof, asking: str) -> str:
    """Return the credit code of the department that answers for a proof.

    The issuing unit that the matter names, by credit code or name; else the first issuer of the proof's licence type;
    where neither is on this platform, the asking department itself, whose officers write to the unit outside.
    """
    named = or_(Department.credit_code == proof.issuing_unit, Department.name == proof.issuing_unit)
    unit = call.session.scalar(select(Department.credit_code).where(named).order_by(Department.credit_code).limit(1))
    if unit is not None or proof.type_code is None:
        return unit or asking
    issuers = select(IssuingAuthority.department).where(IssuingAuthority.type_code == proof.type_code)
    return call.session.scalar(issuers.order_by(IssuingAuthority.rank, IssuingAuthority.department).limit(1)) or asking


def holder(call: Call, subject: str, *, clear: bool) -> dict[str, str]:
    """Return name and number of the person or organisation a case is about, masked unless `clear`.

    A look-up by law may be about a number that nobody here bears: then both are empty.
    """
    facts = people.facts(call, subject)
    if facts is not None:
        number = facts.number if clear else citizen.mask(facts.number)
        return {"name": facts.name if clear else mask_name(facts.name), "number": number}
    found = call.session.get(Organisation, subject)
    if found is None:
        return {"name": "", "number": ""}
    return {"name": found.name, "number": found.credit_code if clear else credit_code.mask(found.credit_code)}


def subject_of_number(call: Call, number: str) -> str | None:
    """Return who bears a number; None for one that is nobody's or no number at all."""
    try:
        return people.find(call, citizen.check(number) if citizen.is_valid(number) else credit_code.check(number))
    except InvalidNumber:
        return None


class Named(NamedTuple):
    """What a matter and one of its proofs are called, in both languages."""

    matter: tuple[str, str]
    proof: tuple[str, str]


def named(call: Call, matter: str, proof: str) -> Named:
    """Return what a matter and its proof are called now; the codes where it is no longer handled."""
    found = matters.entries(call).get(matter)
    if found is None:
        return Named((matter, matter), (proof, proof))
    titles = {one.proof: (one.name, one.name_en) for one in found.proofs}
    return Named((found.name, found.name_en), titles.get(proof, (proof, proof)))


def asked_by(who: Asker) -> str:
    """Return the pseudonym of whoever asked at the counter."""
    return f"person:{who.operator}" if who.operator is not None else f"client:{who.client}"


def unit_facts(call: Call, department: str, **more: Any) -> dict[str, Any]:
    """Return who looks, from a department of this platform, for the holder's own record."""
    unit = call.session.get(Department, department)
    person = None if call.caller.person is None else people.facts(call, call.caller.person)
    name = mask_name(person.name) if person is not None else call.caller.client_name or call.caller.client_id or ""
    return {"who": name, "unit": unit.name if unit is not None else department, **more}

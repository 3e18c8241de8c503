"""What we can vouch for (核实依据): who somebody is, by which rules that was verified, how surely, when and by what.

OpenID Identity Assurance Schema Definition 1.0 section 5. The trust framework is our own: its levels are the real-name
levels of `login.levels`. Level 1 is an account and verifies nothing. Level 2 stands on the population register; level 3
on a check of the real person as well, and level 4 on one at a counter, which are named where they were made here. An
organisation stands on the legal-entity register, and whoever acts for another shows by which mandate.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from idservice.login import proofing
from idservice.models import Mandate, Organisation, Person
from idservice.numbers import citizen
from idservice.oauth.verified_request import Known
from idservice.register import mandates, people
from idservice.register.grants_rules import CITY_TIME, Role
from idservice.register.population import REAL_NAME

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.login.models import PersonCheck

TRUST_FRAMEWORK: Final = "cn_one_number"
RECORD, VOUCH = "electronic_record", "vouch"
POPULATION, LEGAL_ENTITIES = "population_register", "legal_entity_register"
EVIDENCE: Final = (RECORD, VOUCH)
RECORDS: Final = (POPULATION, LEGAL_ENTITIES)
PERSON_CLAIMS: Final = ("name", "birthdate")
ORGANISATION_CLAIMS: Final = ("name", "credit_code")
CLAIMS: Final = tuple(dict.fromkeys((*PERSON_CLAIMS, *ORGANISATION_CLAIMS)))
# Compared with an authoritative source; the living person, seen from afar; the same at a counter, with his card.
DATA, BIOMETRIC, IN_PERSON = "data", "bvr", "pvp"
_REGISTERS: Final = {POPULATION: "人口库", LEGAL_ENTITIES: "法人库"}
_SOURCES: Final = {
    POPULATION: ("人口库", "Population register"),
    LEGAL_ENTITIES: ("法人库", "Legal-entity register"),
    BIOMETRIC: ("实人核验", "Check of the real person"),
    IN_PERSON: ("窗口核实", "Confirmed at a counter"),
    VOUCH: ("授权委托", "Mandate"),
}
_COUNTRY: Final = "CHN"
OFFICE: Final = "office"  # which entered a guardian


def known(call: Call, holder: str, *, person: str, mandate_id: str | None = None) -> Known | None:
    """Return what can be vouched for of a holder; None where nothing can.

    Args:
        call: the call.
        holder: a person or an organisation.
        person: who logged in.
        mandate_id: by which he acts, where it is not for himself.
    """
    found = _person(call, holder) or _organisation(call, holder)
    if found is None or mandate_id is None:
        return found
    mandate = call.session.get(Mandate, (person, mandate_id))
    if mandate is None:
        return None
    evidence = [*found.verification["evidence"], _mandate(call, mandate)]
    return Known({**found.verification, "evidence": evidence}, found.claims)


def sources(found: Known) -> list[tuple[str, str]]:
    """Return in both languages what stands behind it: registers, checks of the real person, mandates."""
    names = []
    for evidence in found.verification["evidence"]:
        names.append(_SOURCES[evidence["record"]["type"] if evidence["type"] == RECORD else VOUCH])
        methods = {check["check_method"] for check in evidence.get("check_details", ())}
        names += [_SOURCES[method] for method in (BIOMETRIC, IN_PERSON) if method in methods]
    return names


def _person(call: Call, subject: str) -> Known | None:
    row, facts = call.session.get(Person, subject), people.facts(call, subject)
    if row is None or facts is None or facts.level < REAL_NAME:
        return None
    checks = [
        {"check_method": _method(check), "organization": check.checker, "time": _moment(check.at)}
        for check in proofing.checks_of(call, subject)
    ]
    evidence = _record(POPULATION, row.created_at, checks)
    verification = {
        "trust_framework": TRUST_FRAMEWORK,
        "assurance_level": f"L{facts.level}",
        "time": checks[-1]["time"] if checks else _moment(row.created_at),
        "evidence": [evidence],
    }
    birthdate = citizen.parts(facts.number).birth_date.isoformat()
    return Known(verification, {"name": facts.name, "birthdate": birthdate})


def _method(check: PersonCheck) -> str:
    return IN_PERSON if check.level >= proofing.AT_COUNTER else BIOMETRIC


def _organisation(call: Call, subject: str) -> Known | None:
    row = call.session.get(Organisation, subject)
    if row is None or row.status != "active":
        return None
    verification = {
        "trust_framework": TRUST_FRAMEWORK,
        "time": _moment(row.created_at),
        "evidence": [_record(LEGAL_ENTITIES, row.created_at, [])],
    }
    return Known(verification, {"name": row.name, "credit_code": row.credit_code})


def _record(register: str, since: datetime, checks: list[dict[str, str]]) -> dict[str, Any]:
    """Return the evidence of a register, with the comparison that entered somebody here, and checks made since."""
    compared = {"check_method": DATA, "organization": _REGISTERS[register], "time": _moment(since)}
    return {
        "type": RECORD,
        "check_details": [compared, *checks],
        "time": _moment(since),
        "record": {"type": register, "source": {"name": _REGISTERS[register], "country_code": _COUNTRY}},
    }


def _mandate(call: Call, mandate: Mandate) -> dict[str, Any]:
    """Return the evidence of a mandate: as what it was granted, since when and until when. It names no third person."""
    attestation: dict[str, Any] = {
        "type": "digital_attestation",
        "date_of_issuance": _day(mandate.valid_from),
        "voucher": _grantor(call, mandate),
    }
    if mandate.valid_until is not None:
        attestation["date_of_expiry"] = _day(mandate.valid_until - timedelta(seconds=1))
    return {"type": VOUCH, "time": _moment(mandate.accepted_at or mandate.valid_from), "attestation": attestation}


def _grantor(call: Call, mandate: Mandate) -> dict[str, str]:
    """Return who granted it: a register, the office that entered a guardian, or somebody as what he was."""
    if mandate.granted_by is None:
        of_organisation = mandate.principal_kind == mandates.ORGANISATION
        return {"organization": _REGISTERS[LEGAL_ENTITIES]} if of_organisation else {"occupation": OFFICE}
    if mandate.parent_id is None:
        return {"occupation": str(Role.SELF)}
    return {"occupation": call.session.get_one(Mandate, (mandate.granted_by, mandate.parent_id)).role}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _day(at: datetime) -> str:
    return at.astimezone(CITY_TIME).date().isoformat()

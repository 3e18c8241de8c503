"""Look up the proofs of a matter instead of asking for paper (免提交核验, 无证明城市).

Who asks (a clerk of a department), why (purpose and case number), on what ground (the holder's one-use code, or his
consent given in an app): each is required, and what is missing or does not fit is refused with 403 and recorded.
The holder's record of this look is written before anything is answered, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.register import people
from keys.verdict import Reason, Result
from licences import artefacts, asker, show, verify, view
from licences.counter import consents, matters
from licences.deeds import Deed
from licences.lifecycle import State
from licences.models import Licence, Lookup

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import Matter, Proof

register(
    {
        "purpose_required": Kind(403, "缺少用途", "The purpose is missing"),
        "case_number_required": Kind(403, "缺少办件编号", "The case number is missing"),
        "authorisation_required": Kind(403, "缺少当事人授权", "The holder's authorisation is missing"),
        "authorisation_refused": Kind(
            403,
            "授权无效、已用过或与当事人、事项不符",
            "The authorisation is void, used, or of somebody or something else",
        ),
        "legal_basis_not_offered": Kind(403, "暂不支持以法定依据查询", "Look-ups on a legal basis are not offered"),
    }
)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the holder authorised: `licences` None means all he has, `clear` are the fields to be read unmasked."""

    subject: str
    basis: str
    reference: str
    licences: frozenset[str] | None
    clear: frozenset[str]


def look_up(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Return, for each proof of the matter, the licence found with the fields the matter needs, or "not_held".

    Raises:
        Problem: purpose_required, case_number_required, operator_required, operator_unknown, authorisation_required,
            authorisation_refused, legal_basis_not_offered (all 403); not_found for the matter; invalid.
    """
    for name in ("purpose", "case_number"):
        if not (body.get(name) or "").strip():
            raise Problem(f"{name}_required", "A look-up states its purpose and its case number.")
    who = asker.of_call(call, body)
    if who.operator is None or who.department is None:
        raise Problem("operator_required", "Name the clerk who asks, by id_number.")
    given = _authorisation(body.get("authorisation"))
    matter = matters.find(call, body["matter"])
    subject = _subject(call, body["subject"]["number"])
    ground = _ground(call, given, subject, matter, who)
    proofs = [_proof(call, ground, proof) for proof in matter.proofs]
    lookup_id = timed_id(call.now)
    outcomes = {proof["proof"]: proof["outcome"] for proof in proofs}
    _store(call, lookup_id, ground, matter, who.department, outcomes)
    facts = who.facts(
        matter=matter.code,
        case_number=body["case_number"],
        basis=ground.basis,
        fields=list(dict.fromkeys(name for proof in proofs for name in proof.get("fields", ()))),
    )
    more = {"lookup": lookup_id, "matter": matter.code, "department": who.department, "operator": who.operator}
    audit.record_access(call, Deed.LOOKED_UP, subject=ground.subject, facts=facts, **more)
    return {"id": lookup_id, "at": call.now, "matter": matter.code, "proofs": proofs}


def _authorisation(given: dict[str, str | None] | None) -> tuple[str, str]:
    """Return the one ground that is given, as its kind and value."""
    found = [(kind, value) for kind, value in (given or {}).items() if value]
    if not found:
        raise Problem("authorisation_required", "Send the holder's show code or the id of his consent.")
    if len(found) > 1:
        raise Problem("invalid", "", errors=[FieldProblem("/authorisation", "choice", "one ground, not several")])
    return found[0]


def _subject(call: Call, number: str) -> str | None:
    """Return the subject of a number; None for one nobody bears, which the caller must not be able to tell."""
    try:
        folded = citizen.check(number) if citizen.is_valid(number) else credit_code.check(number)
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem("/subject/number", error.code, str(error))]) from None
    return people.find(call, folded)


def _ground(call: Call, given: tuple[str, str], subject: str | None, matter: Matter, who: Asker) -> Ground:
    """Return what the holder authorised; an unknown subject, a foreign code and a void one are answered alike.

    A refusal rolls the transaction back, so a code that is refused is not used up.
    """
    kind, value = given
    if kind == "legal_basis":
        raise Problem("legal_basis_not_offered", "Ask the holder for a show code or a consent.")
    found = _by_code(call, value, matter, who) if kind == "code" else _by_consent(call, value, subject, matter, who)
    if found is None or found.subject != subject:
        raise Problem("authorisation_refused", "Ask the holder for a new show code, or for a consent to this matter.")
    return found


def _by_code(call: Call, text: str, matter: Matter, who: Asker) -> Ground | None:
    code = show.find_code(text)
    shown = show.redeem(call, code, who) if code is not None else Reason.CODE_EXPIRED
    if isinstance(shown, Reason) or shown.matter not in {None, matter.code}:
        return None
    clear = frozenset(shown.fields or ()) if shown.matter is None else _needed(matter)
    return Ground(shown.subject, "show_code", "show_code", frozenset(shown.licences), clear)


def _by_consent(call: Call, consent_id: str, subject: str | None, matter: Matter, who: Asker) -> Ground | None:
    if subject is None or not consents.covers(call, subject, consent_id, matter=matter.code, department=who.department):
        return None
    return Ground(subject, "consent", f"consent:{consent_id}", None, _needed(matter))


def _needed(matter: Matter) -> frozenset[str]:
    return frozenset(name for proof in matter.proofs for name in proof.fields)


def _proof(call: Call, ground: Ground, proof: Proof) -> dict[str, Any]:
    answer = {"proof": proof.proof, "name": proof.name, "name_en": proof.name_en}
    licence = _best(call, ground, proof.type_code)
    if licence is None:
        return {**answer, "outcome": "not_held"}
    return {
        **answer,
        "outcome": "licence",
        "licence": view.summary(call, licence),
        "fields": _fields(call, licence, proof.fields, ground.clear),
    }


def _best(call: Call, ground: Ground, type_code: str) -> Licence | None:
    """Return the licence of a type that is valid now, whose seal holds, and that runs longest."""
    rows = call.session.scalars(
        select(Licence).where(
            Licence.subject == ground.subject, Licence.type_code == type_code, Licence.state == State.VALID
        )
    )
    held = [row for row in rows if ground.licences is None or row.identifier in ground.licences]
    valid = [row for row in held if view.state(call, row) is State.VALID]
    longest = sorted(
        valid, key=lambda row: (row.valid_until is None, row.valid_until or row.valid_from, row.issued_at), reverse=True
    )
    return next((row for row in longest if verify.seal_check(call, row).result is Result.OK), None)


def _fields(call: Call, licence: Licence, names: Collection[str], clear: frozenset[str]) -> dict[str, Any]:
    metadata = artefacts.open_record(call, licence).metadata
    found = {name: view.shown(call, metadata, licence, name, clear=clear) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _store(
    call: Call, lookup_id: str, ground: Ground, matter: Matter, department: str, outcomes: dict[str, str]
) -> None:
    call.session.execute(
        insert(Lookup),
        {
            "subject": ground.subject,
            "lookup_id": lookup_id,
            "matter": matter.code,
            "department": department,
            "outcomes": outcomes,
            "basis": ground.reference,
            "at": call.now,
        },
    )

"""Look up the proofs of a matter instead of asking for paper (免提交核验, 无证明城市).

Who asks (a clerk of a department), why (purpose and case number), on what ground (see `authorisation`): each is
required, and what is missing or does not fit is refused with 403 and recorded. So is asking for more than the matter
needs. The holder's record of this look is written before anything is answered, in the same transaction.

Nobody and somebody who holds nothing are looked up alike: the same statements, the same rows, the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from idservice import audit
from idservice.db import table_of
from idservice.ids import timed_id
from idservice.statement import Statement
from licences import judging
from licences.counter import applicant, asked, authorisation, clerk, matters, notices, proofs
from licences.counter.proofs import Case
from licences.deeds import Deed
from licences.guard import touches
from licences.guard.admit import admit
from licences.judging import Foresight
from licences.models import Lookup

if TYPE_CHECKING:
    from idservice.call import Call

_INSERT = Statement(insert(table_of(Lookup)))


def foresee(call: Call, body: dict[str, Any]) -> Foresight:
    """Return what is judged before a look-up by a show code: the licences it shows, of the types that the matter needs.

    On any other ground nothing is read before it was judged whether anything may be.
    """
    text = (body.get("authorisation") or {}).get("code")
    matter = matters.entries(call).get(body["matter"])
    return judging.foresee_code(call, text, matter.types) if text and matter is not None else Foresight()


def look_up(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Return, for each proof of the matter, the first of its ways that led somewhere, or "not_held".

    `not_needed` lists the proofs that are cancelled: nobody asks for these any more.

    Raises:
        Problem: purpose_required, case_number_required, operator_required, operator_unknown, authorisation_required,
            authorisation_refused, legal_basis_not_offered, fields_exceeded (all 403); what `admit` refuses; not_found
            for the matter; invalid.
    """
    touches.watch(call, body, authorisation.agent_of(body.get("authorisation")))
    with touches.watched(call, body, body["subject"]["number"]):
        who = clerk.demand(call, body)
        given = authorisation.one_of(body.get("authorisation"))
        matter = matters.find(call, body["matter"])
        whom = applicant.find(call, body["subject"]["number"])
    asking = authorisation.Asking(who, matter, body["case_number"], whom.subject)
    by_law = authorisation.is_by_law(call, given, asking)
    known = whom.subject if whom.known else None
    admit(call, who, matter=matter.code, subject=known, number=whom.number, by_law=by_law)
    wanted = asked.read(matter, body)
    ground = authorisation.accept(call, given, asking)
    case = Case(timed_id(call.now), matter, body["case_number"], who, ground)
    found = [proofs.resolve(call, case, one, wanted[one.proof]) for one in matter.needed]
    _record(call, case, found)
    if ground.law is not None:
        notices.tell(call, ground.subject, department=who.department or "", matter=matter.code)
    return {
        "id": case.lookup_id,
        "at": call.now,
        "matter": matter.code,
        "matter_version": matter.version,
        "basis": ground.basis,
        "proofs": found,
        "not_needed": [
            {"proof": one.proof, "name": one.name, "name_en": one.name_en}
            for one in matter.proofs
            if one not in matter.needed
        ],
    }


def _record(call: Call, case: Case, found: list[dict[str, Any]]) -> None:
    """Enter the look-up, and the look in the holder's record: what was read, and what was compared."""
    who, matter, ground = case.who, case.matter, case.ground
    row = {
        "subject": ground.subject,
        "lookup_id": case.lookup_id,
        "matter": matter.code,
        "matter_version": matter.version,
        "department": who.department,
        "outcomes": {proof["proof"]: proof["outcome"] for proof in found},
        "basis": ground.reference,
        "at": call.now,
    }
    _INSERT.run(call.connection, row)
    seen = (name for proof in found for member in ("fields", "compared") for name in proof.get(member, ()))
    more = {"law": ground.law} | ({"acting": ground.acting} if ground.acting is not None else {})
    facts = who.facts(
        matter=matter.code,
        case_number=case.case_number,
        basis=ground.basis,
        fields=list(dict.fromkeys(seen)),
        **more,
    )
    public = {"matter": matter.code, "department": who.department, "operator": who.operator, "basis": ground.basis}
    audit.record_access(call, Deed.LOOKED_UP, subject=ground.subject, facts=facts, lookup=case.lookup_id, **public)

"""Meeting one proof of a matter (证明办理): by the ways the matter names, the first that leads somewhere.

A licence hands over the fields asked for; a data check says yes or no to what is claimed; a department check asks the
issuing unit; a commitment is a text for the applicant to sign. Where none of them does, the proof is not held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from licences import view
from licences.counter import assists, commitments, data_checks, held_licences
from licences.counter.asked import BEYOND_CHOICE
from licences.counter.matter_definition import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.asked import Asked
    from licences.counter.authorisation import Ground
    from licences.counter.held_licences import Held
    from licences.counter.matter_definition import Matter, Proof


@dataclass(frozen=True, slots=True)
class Case:
    """One look-up: for which matter and case, by whom, on what ground."""

    lookup_id: str
    matter: Matter
    case_number: str
    who: Asker
    ground: Ground


def resolve(call: Call, case: Case, proof: Proof, asked: Asked) -> dict[str, Any]:
    """Return the outcome for one proof.

    Where it is not met, `claims_wanted` says what could be compared if it were claimed, and `ways_left` which of the
    matter's ways were not tried and may be asked for. `not_shown` are the fields that the holder left out of what he
    shows: they are neither read nor compared. `ways_beyond` are the ways that would tell more than he chose to.
    """
    answer: dict[str, Any] = {"proof": proof.proof, "name": proof.name, "name_en": proof.name_en}
    asked, left_out = asked.within(case.ground.chosen)
    if left_out:
        answer["not_shown"] = list(left_out)
    for way in asked.ways:
        met = _WAYS[way](call, case, proof, asked)
        if met is not None:
            return answer | {"way": str(way)} | met
    beyond = [str(way) for way in proof.ways if case.ground.chosen is not None and way in BEYOND_CHOICE]
    untried = [str(way) for way in proof.ways if way not in asked.ways and way not in beyond]
    answer |= {"outcome": "not_held", "ways_left": untried} | ({"ways_beyond": beyond} if beyond else {})
    if Way.DATA_CHECK in asked.ways and not asked.claims:
        answer["claims_wanted"] = [name for name in proof.fields if name not in left_out]
    return answer


def _licence(call: Call, case: Case, proof: Proof, asked: Asked) -> dict[str, Any] | None:
    if case.ground.chosen is not None and proof.fields and not asked.fields:
        return None  # not even that there is one: the holder chose to show other things
    held = held_licences.best(call, case.ground, proof.type_code or "")
    if held is None:
        return None
    fields = _fields(call, held, asked.fields, case.ground.clear)
    return {"outcome": "licence", "licence": view.summary(call, held.licence), "fields": fields}


def _fields(call: Call, held: Held, names: Collection[str], clear: frozenset[str]) -> dict[str, Any]:
    metadata = held.record.metadata
    found = {name: view.shown(call, metadata, held.licence, name, clear=clear) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _data_check(call: Call, case: Case, proof: Proof, asked: Asked) -> dict[str, Any] | None:
    if not asked.claims:
        return None
    compared = data_checks.compare(call, case.ground, proof, asked.claims)
    return {"outcome": data_checks.outcome(compared), "compared": compared}


def _department_check(call: Call, case: Case, proof: Proof, _asked: Asked) -> dict[str, Any]:
    return {"outcome": "department", **assists.open_check(call, **_particulars(case, proof))}


def _commitment(call: Call, case: Case, proof: Proof, _asked: Asked) -> dict[str, Any] | None:
    if commitments.barred(call, case.ground.subject, case.matter.code):
        return None
    return {"outcome": "commitment", **commitments.offer(call, **_particulars(case, proof))}


def _particulars(case: Case, proof: Proof) -> dict[str, Any]:
    return {
        "subject": case.ground.subject,
        "lookup_id": case.lookup_id,
        "matter": case.matter,
        "proof": proof,
        "who": case.who,
        "case_number": case.case_number,
    }


_WAYS: Mapping[Way, Callable[[Call, Case, Proof, Asked], dict[str, Any] | None]] = {
    Way.LICENCE: _licence,
    Way.DATA_CHECK: _data_check,
    Way.DEPARTMENT_CHECK: _department_check,
    Way.COMMITMENT: _commitment,
}

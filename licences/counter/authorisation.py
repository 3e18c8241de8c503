"""On what ground a proof may be looked up (授权依据): one of the holder's making, or a provision of law.

The holder shows a code, has consented in an app, or hands over a code that authorises (用证码); somebody holds his
mandate; his face was checked at the counter; or the matter names a provision. One way in for each, all of them closed
by default. An unknown subject, a foreign ground and a void one are answered alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import FieldProblem, Problem
from idservice.numbers.names import mask_name
from idservice.register import mandates, people
from keys.verdict import Reason
from licences import show
from licences.counter import applicant, authorisation_codes, consents, face_checks, legal_grounds
from licences.counter.authorisation_codes import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import LegalGround, Matter


#: What is kept of a look-up under a code with chosen fields: nobody goes on from it to what was not chosen.
CHOSEN_FIELDS: Final = "show_code:fields"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is authorised: `licences` and `types` None mean all he has, `clear` are the fields to be read unmasked.

    `chosen` are the fields the holder chose to show, beyond which nothing is told; None: he left it to the matter.
    `basis` is what the holder reads, `reference` what is kept; `law` names the provision of a look by law, `acting`
    the masked name of whoever acts for the holder.
    """

    subject: str
    basis: str
    reference: str
    clear: frozenset[str]
    licences: frozenset[str] | None = None
    types: frozenset[str] | None = None
    law: str | None = None
    acting: str | None = None
    chosen: frozenset[str] | None = None

    def reaches(self, type_code: str) -> bool:
        """Return whether licences of that type may be looked at."""
        return self.types is None or type_code in self.types


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, for which matter and case, about whom; `subject` stands in where nobody bears the number."""

    who: Asker
    matter: Matter
    case_number: str
    subject: str


def one_of(given: Mapping[str, Any] | None) -> tuple[str, Any]:
    """Return the one ground that is given, as its kind and value.

    Raises:
        Problem: authorisation_required; invalid, where there are several.
    """
    found = [(kind, value) for kind, value in (given or {}).items() if value]
    if not found:
        raise Problem("authorisation_required", "Send the holder's show code or the id of his consent.")
    if len(found) > 1:
        raise Problem("invalid", "", errors=[FieldProblem("/authorisation", "choice", "one ground, not several")])
    return found[0]


def agent_of(given: Mapping[str, Any] | None) -> str | None:
    """Return the number of the agent whom a ground names, if any."""
    mandate = (given or {}).get("mandate")
    return mandate["agent"] if mandate else None


def is_by_law(call: Call, given: tuple[str, Any], asking: Asking) -> bool:
    """Return whether a ground is a provision of law: one that is named, or a code that was made by duty.

    Asked before the policy is, since a code for which the holder was never asked must not pass as his own.
    """
    kind, value = given
    if kind != "auth_code":
        return kind == "legal_basis"
    mode = authorisation_codes.mode(call, value, matter=asking.matter, who=asking.who, case_number=asking.case_number)
    return mode is Mode.AUTH


def accept(call: Call, given: tuple[str, Any], asking: Asking) -> Ground:
    """Return what is authorised by a ground.

    A refusal rolls the transaction back, so a code that is refused is not used up.

    Raises:
        Problem: authorisation_refused; legal_basis_not_offered; invalid, for an agent's number that is none.
    """
    kind, value = given
    found = _GROUNDS[kind](call, value, asking)
    if found is None or found.subject != asking.subject:
        raise Problem("authorisation_refused", "Ask the holder for a new show code, or for a consent to this matter.")
    return found


def _by_code(call: Call, text: str, asking: Asking) -> Ground | None:
    code = show.find_code(text)
    shown = show.redeem(call, code, asking.who) if code is not None else Reason.CODE_EXPIRED
    if isinstance(shown, Reason) or shown.matter not in {None, asking.matter.code}:
        return None
    chosen = frozenset(shown.fields) if shown.fields is not None else None
    clear = asking.matter.fields if shown.matter is not None else chosen or frozenset()
    licences = frozenset(shown.licences)
    reference = "show_code" if chosen is None else CHOSEN_FIELDS
    return Ground(shown.subject, "show_code", reference, clear, licences=licences, chosen=chosen)


def _by_consent(call: Call, consent_id: str, asking: Asking) -> Ground | None:
    matter, department = asking.matter, asking.who.department
    if not consents.covers(call, asking.subject, consent_id, matter=matter.code, department=department):
        return None
    return Ground(asking.subject, "consent", f"consent:{consent_id}", matter.fields)


def _by_authorisation_code(call: Call, text: str, asking: Asking) -> Ground | None:
    found = authorisation_codes.redeem(call, text, matter=asking.matter, who=asking.who, case_number=asking.case_number)
    if found is None:
        return None
    if found.mode == Mode.AUTH:
        return _lawful(found.subject, legal_grounds.demand(asking.matter, asking.who, found.ground or ""), asking)
    if found.agent is not None:
        return _mandated(call, found.agent, found.mandate or "", asking)
    return Ground(found.subject, "consent", "auth_code", asking.matter.fields)


def _by_mandate(call: Call, named: Mapping[str, str], asking: Asking) -> Ground | None:
    agent = applicant.find(call, named["agent"], "/authorisation/mandate/agent").subject
    return _mandated(call, agent, named["id"], asking)


def _mandated(call: Call, agent: str, mandate_id: str, asking: Asking) -> Ground | None:
    live = mandates.find_live(call, agent, mandate_id)
    facts = people.facts(call, agent)
    if live is None or facts is None or (live.matters and asking.matter.code not in live.matters):
        return None
    reference, acting = f"mandate:{mandate_id}", mask_name(facts.name)
    types = frozenset(live.licence_types) or None
    return Ground(live.principal, "mandate", reference, asking.matter.fields, types=types, acting=acting)


def _by_law(_call: Call, code: str, asking: Asking) -> Ground | None:
    return _lawful(asking.subject, legal_grounds.demand(asking.matter, asking.who, code), asking)


def _lawful(subject: str, ground: LegalGround, asking: Asking) -> Ground:
    reference, law = f"legal_basis:{ground.code}", legal_grounds.text(ground)
    return Ground(subject, "legal_basis", reference, asking.matter.fields, law=law)


def _by_face(call: Call, result: str, asking: Asking) -> Ground | None:
    subject = face_checks.accept(call, result, asking.who)
    return Ground(subject, "face", "face", asking.matter.fields) if subject is not None else None


_GROUNDS: Mapping[str, Callable[[Call, Any, Asking], Ground | None]] = {
    "code": _by_code,
    "auth_code": _by_authorisation_code,
    "consent": _by_consent,
    "mandate": _by_mandate,
    "legal_basis": _by_law,
    "face": _by_face,
}

"""A person signs a commitment (签署承诺书): by his own login, or at the counter by a code he made for it.

The platform signs what he approved, with the time and the way of his approval: no key, no signature, no commitment.
A signature at the counter stands on his record at once, with the clerk and the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice import audit
from idservice.errors import Problem
from idservice.login import step_up
from idservice.login.levels import Act
from keys.ring import Purpose
from licences import asker
from licences.counter import case_log, case_parties, commitment_codes, commitment_statement, commitments
from licences.counter.commitment_life import RULES, State, Step
from licences.counter.commitment_statement import Statement
from licences.counter.models import Commitment
from licences.deeds import Deed
from licences.guard.admit import admit

if TYPE_CHECKING:
    from idservice.call import Call

_STATEMENT = ("commitment", "statement_sealed")


def sign(call: Call, commitment_id: str, *, language: str) -> Commitment:
    """Have the logged-in person sign his commitment.

    Args:
        call: of the person, or of who acts for the organisation that commits.
        commitment_id: the commitment.
        language: `zh` or `en`, in which he read it.

    Raises:
        Problem: not_found, step_not_open, level_too_low, insufficient_user_authentication.
        StepUpNeeded: on a page, where the login is not strong or recent enough.
    """
    found = commitments.find_own(call, commitment_id)
    step_up.demand(call, Act.SIGN_COMMITMENT)
    return _signed(call, found, {"way": "login"} | commitment_codes.login(call, found), language)


def sign_at_counter(call: Call, commitment_id: str, body: dict[str, Any], *, language: str) -> Commitment:
    """Have the person who stands at the counter sign by the code he made for this; a clerk of the unit scans it.

    Args:
        call: of the clerk, or of the counter's system, which names the clerk in `operator`.
        commitment_id: the commitment.
        body: `code`, the text scanned, and `operator`.
        language: `zh` or `en`, in which the text was shown to him.

    Raises:
        Problem: operator_required, operator_unknown, authorisation_refused (403) for a code that is void, used, of
            another commitment, or that shows a licence; what `admit` refuses; not_found; step_not_open.
    """
    who = asker.of_call(call, body)
    if who.department is None or who.operator is None:
        raise Problem("operator_required", "Name the clerk who scans, by id_number.")
    subject = case_log.subject_of(call, commitment_id)
    found = None if subject is None else call.session.get(Commitment, (subject, commitment_id))
    if found is None or found.department != who.department:
        raise Problem("not_found", "Your department has no such commitment.")
    approved = commitment_codes.redeem(call, body["code"], found)
    if approved is None:
        raise Problem("authorisation_refused", "Ask the person for the code that his page of this commitment makes.")
    # Asked only now: before his code nothing may tell whether anybody bears the number that the look-up was for.
    number = case_parties.holder(call, found.subject, clear=True)["number"]
    admit(call, who, matter=found.matter, subject=found.subject, number=number)
    said = commitments.content(call, found)
    facts = who.facts(matter=found.matter, case_number=said["case_number"], fields=["commitment"], basis="show_code")
    more = {"commitment": commitment_id, "department": who.department, "operator": who.operator}
    audit.record_access(call, Deed.COMMITMENT_SIGNED, subject=found.subject, facts=facts, **more)
    act = approved | {"way": "counter", "unit": who.shown_to_holder, "clerk": who.who}
    return _signed(call, found, act, language)


def statement(call: Call, found: Commitment) -> str:
    """Return what was signed, as it was signed.

    Raises:
        Problem: not_found, where it is not signed.
    """
    if found.statement_sealed is None:
        raise Problem("not_found", "This commitment is not signed.")
    opened: str = case_log.opened(call, *_STATEMENT, found.commitment_id, found.statement_sealed)
    return opened


def _signed(call: Call, found: Commitment, act: dict[str, Any], language: str) -> Commitment:
    if State(found.state) not in RULES[Step.SIGN].sources:
        raise Problem("step_not_open", "This commitment is signed, or declined.")
    said = commitments.content(call, found)
    stated = Statement(
        issuer=call.settings.issuer,
        commitment_id=found.commitment_id,
        at=call.now,
        matter={"code": found.matter, "name": said["matter"][0], "name_en": said["matter"][1]},
        proof={"code": found.proof, "name": said["proof"][0], "name_en": said["proof"][1]},
        unit=said["unit"],
        case_number=said["case_number"],
        signer=case_parties.holder(call, found.subject, clear=True),
        text=said["text"],
        text_en=said["text_en"],
        language=language,
        act=act,
    )
    token = commitment_statement.sign(stated, call.keys.signer(Purpose.RECEIPT))
    sealed = case_log.seal(call, *_STATEMENT, found.commitment_id, token)
    return commitments.take(call, found, Step.SIGN, statement_sealed=sealed, signed_at=call.now)

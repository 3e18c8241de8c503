"""A person signs a commitment (签署承诺书): by his own login, or at the counter by his show code.

The platform signs what he approved, with the time and the way of his approval: no key, no signature, no commitment.
A signature at the counter stands on his record at once, with the clerk and the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice import audit
from idservice.errors import Problem
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.numbers.names import mask_name
from idservice.register import people
from keys.ring import Purpose
from keys.verdict import Reason
from licences import asker, show
from licences.counter import case_log, case_parties, commitment_statement, commitments
from licences.counter.commitment_life import RULES, State, Step
from licences.counter.commitment_statement import Statement
from licences.counter.models import Commitment
from licences.deeds import Deed

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
    caller = call.caller
    act: dict[str, Any] = {"way": "login", "amr": list(caller.amr), "level": caller.level}
    if caller.auth_time is not None:
        act["auth_time"] = int(caller.auth_time.timestamp())
    if caller.person is not None and caller.person != found.subject:
        facts = people.facts(call, caller.person)
        act["acting"] = mask_name(facts.name) if facts is not None else ""
    return _signed(call, found, act, language)


def sign_at_counter(call: Call, commitment_id: str, body: dict[str, Any], *, language: str) -> Commitment:
    """Have the person who stands at the counter sign by his show code; a clerk of the unit scans it.

    Args:
        call: of the clerk, or of the counter's system, which names the clerk in `operator`.
        commitment_id: the commitment.
        body: `code`, the text scanned, and `operator`.
        language: `zh` or `en`, in which the text was shown to him.

    Raises:
        Problem: operator_required, operator_unknown, authorisation_refused (403) for a code that is void, used, for
            another matter or another person's; not_found; step_not_open.
    """
    who = asker.of_call(call, body)
    if who.department is None or who.operator is None:
        raise Problem("operator_required", "Name the clerk who scans, by id_number.")
    subject = case_log.subject_of(call, commitment_id)
    found = None if subject is None else call.session.get(Commitment, (subject, commitment_id))
    if found is None or found.department != who.department:
        raise Problem("not_found", "Your department has no such commitment.")
    code = show.find_code(body["code"])
    shown = show.redeem(call, code, who) if code is not None else Reason.CODE_EXPIRED
    if isinstance(shown, Reason) or shown.subject != found.subject or shown.matter not in {None, found.matter}:
        raise Problem("authorisation_refused", "Ask the holder for a new show code.")
    said = commitments.content(call, found)
    facts = who.facts(matter=found.matter, case_number=said["case_number"], fields=["commitment"], basis="show_code")
    more = {"commitment": commitment_id, "department": who.department, "operator": who.operator}
    audit.record_access(call, Deed.COMMITMENT_SIGNED, subject=found.subject, facts=facts, **more)
    return _signed(call, found, {"way": "counter", "unit": who.shown_to_holder, "clerk": who.who}, language)


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

"""Commitments in place of proofs (告知承诺): offered by a counter, signed by the person, checked by the unit.

What is signed is stored as it was signed, encrypted. Who committed falsely is barred from commitments for that matter
until he is cleared (失信记录); he reads who said so and why on his own pages, and may object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, insert, select, update

from idservice import audit
from idservice.call import Post
from idservice.errors import Kind, Problem, register
from idservice.ids import timed_id
from licences import acting
from licences.counter import case_log, case_parties, commitment_notices, working_days
from licences.counter.commitment_life import MARKED, OBJECTION_DAYS, RULES, Side, State, Step
from licences.counter.models import Commitment
from licences.deeds import Deed

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import Matter, Proof

register(
    {
        "objection_too_late": Kind(409, "已过异议期限", "The time for an objection is over"),
        "another_officer": Kind(403, "须由另一名经办人员处理", "Another officer must decide this"),
    }
)

MOST: Final = 200
_CONTENT = ("commitment", "content_sealed")


def offer(
    call: Call, *, subject: str, lookup_id: str, matter: Matter, proof: Proof, who: Asker, case_number: str
) -> dict[str, Any]:
    """Offer a commitment in place of a proof, and return its number, the text to be signed and where that is done.

    Args:
        call: of the look-up.
        subject: who would commit.
        lookup_id: the look-up.
        matter: what is being handled.
        proof: what the commitment stands for; its text is kept as it is now.
        who: the clerk; his department checks the commitment later.
        case_number: the counter's own.
    """
    commitment_id = timed_id(call.now)
    text, text_en = proof.commitment or "", proof.commitment_en or proof.commitment or ""
    content = {
        "text": text,
        "text_en": text_en,
        "case_number": case_number,
        "purpose": who.purpose,
        "unit": who.unit,
        "matter": [matter.name, matter.name_en],
        "proof": [proof.name, proof.name_en],
    }
    row = {
        "subject": subject,
        "commitment_id": commitment_id,
        "matter": matter.code,
        "proof": proof.proof,
        "lookup_id": lookup_id,
        "department": who.department,
        "state": str(State.OFFERED),
        "content_sealed": case_log.seal(call, *_CONTENT, commitment_id, content),
        "offered_at": call.now,
        "changed_at": call.now,
    }
    call.session.execute(insert(Commitment), row)
    case_log.enter(call, commitment_id, subject)
    case_log.note(call, subject, commitment_id, Step.OFFER, State.OFFERED)
    facts = {"commitment": commitment_id, "step": str(Step.OFFER), "lookup": lookup_id}
    audit.record(call, Deed.COMMITMENT_STEPPED, subject=subject, **facts)
    url = f"{call.settings.issuer}/me/commitments/{commitment_id}"
    return {"commitment": commitment_id, "text": text, "text_en": text_en, "sign_url": url}


def barred(call: Call, subject: str, matter_code: str) -> bool:
    """Return whether a false commitment bars the person from another one for that matter."""
    marked = (
        Commitment.subject == subject,
        Commitment.matter == matter_code,
        Commitment.state.in_(sorted(MARKED)),
    )
    return bool(call.session.scalar(select(exists().where(*marked))))


def find_own(call: Call, commitment_id: str) -> Commitment:
    """Return a commitment of the caller or of whom he acts for.

    Raises:
        Problem: not_found; forbidden for a matter that his mandate does not reach.
    """
    subject = case_log.subject_of(call, commitment_id)
    found = None if subject is None else call.session.get(Commitment, (subject, commitment_id))
    if found is None or found.subject != call.caller.holder:
        raise Problem("not_found", "You have no such commitment.")
    acting.demand_matter(call, found.matter)
    return found


def find_of_unit(call: Call, commitment_id: str, *, post: Post = Post.OFFICER) -> Commitment:
    """Return a commitment that the caller's department was given.

    Raises:
        Problem: not_found.
    """
    subject = case_log.subject_of(call, commitment_id)
    found = None if subject is None else call.session.get(Commitment, (subject, commitment_id))
    if found is None or not call.caller.may_act_for(found.department, post):
        raise Problem("not_found", "Your department has no such commitment.")
    return found


def decline(call: Call, commitment_id: str) -> Commitment:
    """Have the person turn a commitment down; he brings the proof instead.

    Raises:
        Problem: not_found, step_not_open.
    """
    return take(call, find_own(call, commitment_id), Step.DECLINE)


def object_to(call: Call, commitment_id: str, reason: str | None) -> Commitment:
    """Have the person object to a mark (异议), while there is time.

    Raises:
        Problem: not_found, step_not_open, invalid without a reason, objection_too_late.
    """
    found = find_own(call, commitment_id)
    said = case_log.demand_reason(reason)
    until = found.objection_until
    if found.state == State.FALSE and until is not None and case_parties.day_of(call.now) > until:
        raise Problem("objection_too_late", "Ask the unit itself to clear the mark.")
    return take(call, found, Step.OBJECT, said)


def judge(call: Call, commitment_id: str, step: Step, reason: str | None = None) -> Commitment:
    """Have an officer check a commitment, decide on an objection, or clear a mark.

    Args:
        call: of an officer of the unit that was given it.
        commitment_id: the commitment.
        step: find_kept, find_false, uphold or clear.
        reason: what was found; all but find_kept need it.

    Raises:
        Problem: not_found, step_not_open, invalid without a reason, another_officer for whoever set the mark.
    """
    found, rule = find_of_unit(call, commitment_id), RULES[step]
    said = case_log.demand_reason(reason) if rule.with_reason else None
    if rule.side is Side.OTHER_OFFICER and found.marked_by == call.caller.name_for_log:
        raise Problem("another_officer", "Whoever called the commitment false does not decide on the objection.")
    if step is not Step.FIND_FALSE:
        _tell(call, found, Deed.COMMITMENT_READ, basis="commitment")  # the answer names him
        return take(call, found, step, said)
    until = working_days.after(case_parties.day_of(call.now), OBJECTION_DAYS).day
    taken = take(call, found, step, said, marked_by=call.caller.name_for_log, objection_until=until)
    _tell(call, taken, Deed.COMMITMENT_MARKED, basis="commitment_check")
    commitment_notices.tell(call, taken)
    return taken


def take(call: Call, found: Commitment, step: Step, reason: str | None = None, **values: Any) -> Commitment:
    """Take one step of the table, in one statement, note it and audit it.

    Raises:
        Problem: step_not_open, also where somebody else was faster.
    """
    rule = RULES[step]
    done = call.session.execute(
        update(Commitment)
        .where(
            Commitment.subject == found.subject,
            Commitment.commitment_id == found.commitment_id,
            Commitment.state.in_(sorted(rule.sources)),
        )
        .values(values | {"state": str(rule.target), "changed_at": call.now})
        .returning(Commitment.commitment_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if done is None:
        raise Problem("step_not_open", f"This step is open from: {', '.join(sorted(rule.sources))}.")
    call.session.refresh(found)
    case_log.note(call, found.subject, found.commitment_id, step, rule.target, reason)
    facts = {"commitment": found.commitment_id, "step": str(step)}
    audit.record(call, Deed.COMMITMENT_STEPPED, subject=found.subject, **facts)
    return found


def of_holder(call: Call, *, limit: int, cursor: str | None = None) -> list[Commitment]:
    """Return one page (and one more) of the commitments of the caller or of whom he acts for, as `case_log.own`."""
    return case_log.own(call, Commitment, Commitment.commitment_id, limit=limit, cursor=cursor)


def of_unit(call: Call, *, states: frozenset[State], limit: int, cursor: str | None = None) -> list[Commitment]:
    """Return one page (and one more) of the commitments given to the caller's departments, oldest first."""
    query = select(Commitment).where(Commitment.state.in_(sorted(states)))
    if not call.caller.all_departments:
        query = query.where(Commitment.department.in_(call.caller.departments_as(Post.OFFICER)))
    if cursor is not None:
        query = query.where(Commitment.commitment_id > cursor)
    return list(call.session.scalars(query.order_by(Commitment.commitment_id).limit(limit + 1)))


def content(call: Call, found: Commitment) -> dict[str, Any]:
    """Return what was offered: the text in both languages, the case, the unit, the names of matter and proof."""
    opened: dict[str, Any] = case_log.opened(call, *_CONTENT, found.commitment_id, found.content_sealed)
    return opened


def entry(call: Call, found: Commitment) -> dict[str, Any]:
    """Return a commitment as the list of a unit has it: a list is on nobody's record, so it names nobody."""
    said = content(call, found)
    return {
        "id": found.commitment_id,
        "matter": found.matter,
        "proof": found.proof,
        "state": found.state,
        "department": found.department,
        "unit": said["unit"],
        "case_number": said["case_number"],
        "offered_at": found.offered_at,
        "signed_at": found.signed_at,
        "objection_until": found.objection_until,
    }


def shown(call: Call, found: Commitment) -> dict[str, Any]:
    """Return what the person and the unit see of a commitment; its steps say why it was judged as it was.

    Until it is signed it names nobody: a look-up by law may offer one for a number that nobody bears, and whoever
    reads it is not to learn which.
    """
    said = content(call, found)
    signer = case_parties.holder(call, found.subject, clear=False) if found.signed_at is not None else None
    return entry(call, found) | {
        "text": said["text"],
        "text_en": said["text_en"],
        "holder": signer,
        "steps": case_log.history(call, found.subject, found.commitment_id),
    }


def read(call: Call, found: Commitment) -> dict[str, Any]:
    """Return a commitment to an officer of the unit, on the person's record."""
    _tell(call, found, Deed.COMMITMENT_READ, basis="commitment")
    return shown(call, found)


def _tell(call: Call, found: Commitment, deed: Deed, *, basis: str) -> None:
    """Enter on the person's own record who looked at his commitment, or judged it."""
    said = content(call, found)
    facts = case_parties.unit_facts(
        call,
        found.department,
        purpose=said["purpose"],
        matter=found.matter,
        case_number=said["case_number"],
        fields=["commitment"],
        basis=basis,
    )
    audit.record_access(call, deed, subject=found.subject, facts=facts, commitment=found.commitment_id)

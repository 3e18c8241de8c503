"""Department checks (部门协查): asked by a counter, answered by the unit that keeps the files, within working days.

A check is opened in the transaction of the look-up whose authorisation it rests on. Both departments see it; to all
others it is not there. Only the officer to whom it is assigned reads whom it is about in full, and each time the person
finds that on his record, written before the answer leaves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, insert, select, true, update

from idservice import audit
from idservice.call import Post
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from idservice.models import Staff
from licences import asker
from licences.counter import applicant, authorisation, case_log, case_parties, matters, working_days
from licences.counter.assist_life import RULES, Side, State, Step
from licences.counter.matter_definition import Way
from licences.counter.models import DepartmentCheck
from licences.deeds import Deed
from licences.guard import touches
from licences.models import Lookup

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import Matter, Proof

register(
    {
        "asked_already": Kind(409, "已就此提出协查", "The department has been asked about this"),
        "reminded_already": Kind(409, "今天已经催办过", "A reminder was sent today already"),
        "not_assigned_to_you": Kind(403, "这件协查不在您手上", "This check is not assigned to you"),
    }
)

DAYS: Final = 3  # working days where the matter states none
LOOKUP_STANDS: Final = timedelta(hours=24)  # how long a look-up's authorisation carries a check asked for afterwards
REQUEST: Final = ("department_check", "request_sealed")


def open_check(
    call: Call, *, subject: str, lookup_id: str, matter: Matter, proof: Proof, who: Asker, case_number: str
) -> dict[str, Any]:
    """Ask the unit that issues a proof whether it holds, and return the check's number and the day it is due.

    Args:
        call: of the look-up.
        subject: whom it is about.
        lookup_id: the look-up in which that was authorised.
        matter: what is being handled.
        proof: what is asked.
        who: the clerk; his department is the asking one.
        case_number: the counter's own.
    """
    asking = who.department or ""
    days = proof.days or DAYS
    due = working_days.after(case_parties.day_of(call.now), days)
    check_id = timed_id(call.now)
    request = {"who": who.who, "unit": who.shown_to_holder, "purpose": who.purpose, "case_number": case_number}
    row = {
        "subject": subject,
        "check_id": check_id,
        "matter": matter.code,
        "proof": proof.proof,
        "lookup_id": lookup_id,
        "department": case_parties.answering(call, proof, asking),
        "asking_department": asking,
        "asked_by": case_parties.asked_by(who),
        "state": str(State.REQUESTED),
        "days": days,
        "due_on": due.day,
        "reminders": 0,
        "opened_at": call.now,
        "changed_at": call.now,
        "request_sealed": case_log.seal(call, *REQUEST, check_id, request),
    }
    call.session.execute(insert(DepartmentCheck), row)
    case_log.enter(call, check_id, subject)
    case_log.note(call, subject, check_id, Step.REQUEST, State.REQUESTED)
    _record(call, check_id, subject, Step.REQUEST, department=row["department"], lookup=lookup_id)
    return {"check": check_id, "due": due.day}


def ask(call: Call, body: dict[str, Any]) -> DepartmentCheck:
    """Open a check for a proof that a look-up of the same department left open, within a day of it.

    Raises:
        Problem: operator_required, operator_unknown, authorisation_refused (403), for a look-up that is not the
            caller's department's, or too old, as for one that never was, and for one in which the holder chose what to
            show; invalid for a proof that no department is asked about, and for what is no number; asked_already.
    """
    touches.watch(call, body, body["subject"]["number"])
    who = asker.of_call(call, body)
    if who.department is None or who.operator is None:
        raise Problem("operator_required", "Name the clerk who asks, by id_number.")
    looked = _lookup(call, body["lookup"], body["subject"]["number"])
    if looked is None or looked.department != who.department or call.now - looked.at > LOOKUP_STANDS:
        raise Problem("authorisation_refused", "A check rests on a look-up of your own department, made today.")
    if looked.basis == authorisation.CHOSEN_FIELDS:
        raise Problem("authorisation_refused", "Its code had chosen fields: ask for a code without, or for a consent.")
    matter = matters.find(call, looked.matter)
    proof = next((one for one in matter.proofs if one.proof == body["proof"]), None)
    if proof is None or Way.DEPARTMENT_CHECK not in proof.ways:
        raise Problem("invalid", "", errors=[FieldProblem("/proof", "choice", "no department is asked about it")])
    if _is_asked(call, looked, proof):
        raise Problem("asked_already", "Follow, remind or close the check that is open.")
    facts: dict[str, Any] = {"subject": looked.subject, "lookup_id": looked.lookup_id, "matter": matter, "proof": proof}
    opened = open_check(call, **facts, who=who, case_number=body["case_number"])
    return call.session.get_one(DepartmentCheck, (looked.subject, opened["check"]))


def find(call: Call, check_id: str, *, side: Side | None = None) -> DepartmentCheck:
    """Return a check in which the caller's department has a part, on that side where one is named.

    Raises:
        Problem: not_found, whether there is none or it is nobody's business of his.
    """
    subject = case_log.subject_of(call, check_id)
    check = None if subject is None else call.session.get(DepartmentCheck, (subject, check_id))
    held = frozenset() if check is None else sides(call, check)
    if check is None or not held or (side is not None and side not in held):
        raise Problem("not_found", "Your department has no such check.")
    return check


def sides(call: Call, check: DepartmentCheck) -> frozenset[Side]:
    """Return on which sides of a check the caller stands."""
    may = call.caller.may_act_for
    found = {Side.ISSUING} if may(check.department, Post.OFFICER) else set()
    if any(may(check.asking_department, post) for post in (Post.CLERK, Post.OFFICER)):
        found.add(Side.ASKING)
    return frozenset(found)


def assign(call: Call, check_id: str, *, to: str | None = None) -> DepartmentCheck:
    """Give an open check to an officer of the issuing unit, by default to the caller himself.

    Args:
        call: of an officer of the unit.
        check_id: the check.
        to: a colleague's number.

    Raises:
        Problem: not_found, step_not_open, invalid for somebody who is no officer there.
    """
    check = find(call, check_id, side=Side.ISSUING)
    if to is None:
        return take(call, check, Step.ASSIGN, assigned_to=call.caller.name_for_log)
    colleague = case_parties.subject_of_number(call, to)
    if colleague is None or call.session.get(Staff, (colleague, check.department, str(Post.OFFICER))) is None:
        raise Problem("invalid", "", errors=[FieldProblem("/officer", "unknown", "no officer of this unit")])
    return take(call, check, Step.ASSIGN, assigned_to=f"person:{colleague}")


def give_back(call: Call, check_id: str, reason: str | None) -> DepartmentCheck:
    """Return a check to the asking unit, saying why it cannot be answered as it is (退回).

    Raises:
        Problem: not_found, step_not_open, invalid without a reason.
    """
    check = find(call, check_id, side=Side.ISSUING)
    return take(call, check, Step.RETURN, case_log.demand_reason(reason), assigned_to=None)


def resend(call: Call, check_id: str, reason: str | None) -> DepartmentCheck:
    """Send a returned check once more, with what was wanting; the period begins anew.

    Raises:
        Problem: not_found, step_not_open, invalid without a reason.
    """
    check = find(call, check_id, side=Side.ASKING)
    due = working_days.after(case_parties.day_of(call.now), check.days).day
    more: dict[str, Any] = {"due_on": due, "escalated_at": None, "reminders": 0, "reminded_at": None}
    return take(call, check, Step.RESEND, case_log.demand_reason(reason), **more)


def close(call: Call, check_id: str, reason: str | None = None) -> DepartmentCheck:
    """End a check: its answer was used, or it is not needed any more.

    Raises:
        Problem: not_found, step_not_open.
    """
    return take(call, find(call, check_id, side=Side.ASKING), Step.CLOSE, reason or None)


def remind(call: Call, check_id: str, reason: str | None = None) -> DepartmentCheck:
    """Remind the issuing unit of an open check (催办), once a day at most.

    Raises:
        Problem: not_found, step_not_open, reminded_already.
    """
    check = find(call, check_id, side=Side.ASKING)
    last = check.reminded_at
    if last is not None and case_parties.day_of(last) == case_parties.day_of(call.now):
        raise Problem("reminded_already", "The unit has been reminded today.")
    more: dict[str, Any] = {"reminders": DepartmentCheck.reminders + 1, "reminded_at": call.now}
    return take(call, check, Step.REMIND, reason or None, **more)


def take(
    call: Call,
    check: DepartmentCheck,
    step: Step,
    reason: str | None = None,
    *,
    by_holder: bool = False,
    **values: Any,
) -> DepartmentCheck:
    """Take one step of the table on a check, in one statement, note it and audit it.

    `by_holder`: only if it is still assigned as it was read.

    Raises:
        Problem: step_not_open, also where somebody else was faster.
    """
    rule = RULES[step]
    changes = values | {"changed_at": call.now} | ({"state": str(rule.target)} if rule.target is not None else {})
    done = call.session.execute(
        update(DepartmentCheck)
        .where(
            DepartmentCheck.subject == check.subject,
            DepartmentCheck.check_id == check.check_id,
            DepartmentCheck.state.in_(sorted(rule.sources)),
            DepartmentCheck.assigned_to == check.assigned_to if by_holder else true(),
        )
        .values(changes)
        .returning(DepartmentCheck.check_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if done is None:
        raise Problem("step_not_open", f"This step is open from: {', '.join(sorted(rule.sources))}.")
    call.session.refresh(check)
    case_log.note(call, check.subject, check.check_id, step, State(check.state), reason)
    _record(call, check.check_id, check.subject, step)
    return check


def _lookup(call: Call, lookup_id: str, number: str) -> Lookup | None:
    """Return the look-up of that number about the bearer of the other number, or about who stands in for nobody."""
    return call.session.get(Lookup, (applicant.find(call, number).subject, lookup_id))


def _is_asked(call: Call, looked: Lookup, proof: Proof) -> bool:
    found = (
        DepartmentCheck.subject == looked.subject,
        DepartmentCheck.lookup_id == looked.lookup_id,
        DepartmentCheck.proof == proof.proof,
        DepartmentCheck.state != str(State.CLOSED),
    )
    return bool(call.session.scalar(select(exists().where(*found))))


def _record(call: Call, check_id: str, subject: str, step: Step, **facts: Any) -> None:
    audit.record(call, Deed.CHECK_STEPPED, subject=subject, check=check_id, step=str(step), **facts)

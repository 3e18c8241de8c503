"""Two people for a sensitive licence (双人复核): one officer asks, another decides, and the decision does the deed.

A request that nobody decides within three days is void. Of two who decide at once one does; whoever asked never does,
and a system on its own may ask but not decide.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from idservice import audit
from idservice.call import Post
from idservice.errors import Kind, Problem, register
from idservice.ids import timed_id
from licences import catalogue, change, co_holders, issue
from licences.deeds import Deed
from licences.life.models import ChangeRequest
from licences.lifecycle import Change

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.issue import Intent

STANDS: Final = timedelta(days=3)

register(
    {
        "second_person_not_needed": Kind(
            409, "此变更无须复核，可直接办理", "This needs no second person: do it directly"
        ),
        "request_decided": Kind(409, "这项申请已处理或已过期", "This request was decided before, or is too old"),
    }
)


def ask(call: Call, body: dict[str, Any]) -> ChangeRequest:
    """Ask that a sensitive licence be issued or changed; what can be told ahead is checked now.

    Raises:
        Problem: second_person_not_needed; second_person_other, for a licence of his own; or why the deed itself would
            be refused.
    """
    if body.get("issue") is not None:
        deed, wanted, code = Change.ISSUE, body["issue"], None
        entry = catalogue.find(call, wanted["type"])
        department = catalogue.authority(call, entry, wanted.get("department")).department
        subject, _holder = issue.find_holder(call, wanted["holder"]["number"], entry)
        beside = wanted.get("holders", [])[1:]
        named = [issue.find_holder(call, other["number"], entry, at="/holders")[0] for other in beside]
        co_holders.refuse_own(call, [subject, *named])
        needed = entry.type.sensitive
    else:
        wanted, code = body["change"], body["identifier"]
        licence, deed, _party = change.admitted(call, code, wanted, approved=True)
        subject, department, code = licence.subject, licence.issuer_code, licence.identifier
        needed = change.takes_two(call, licence, deed)
        if not catalogue.is_issuer(call, department):
            raise Problem("not_entitled", "Only the issuing department asks for this.")
    if not needed:
        raise Problem("second_person_not_needed")
    request_id = timed_id(call.now)
    made = ChangeRequest(
        subject=subject,
        request_id=request_id,
        department=department,
        change=str(deed),
        identifier=code,
        body_sealed=_seal(call, request_id, wanted),
        asked_by=call.caller.name_for_log,
        asked_at=call.now,
        expires_at=call.now + STANDS,
        decision=None,
        decided_by=None,
        decided_at=None,
        result=None,
    )
    call.session.add(made)
    facts: dict[str, Any] = {"request": request_id, "change": str(deed), "licence": code, "department": department}
    audit.record(call, Deed.CHANGE_ASKED, subject=subject, **facts)
    return made


def intend(call: Call, request_id: str, *, approve: bool) -> Intent | None:
    """For a decision that issues a licence or a next version, record what is about to be signed.

    Raises:
        Problem: see `decide`.
    """
    row = _waiting(call, request_id)
    if not approve:
        return None
    body = body_of(call, row)
    if row.identifier is None:
        return issue.intend(call, body, approved=True)
    return change.intend(call, row.identifier, body, approved=True)


def decide(call: Call, request_id: str, prepared: Intent | None, *, approve: bool) -> ChangeRequest:
    """Approve a request and do what it asks for, or refuse it.

    Raises:
        Problem: not_found, second_person_other, request_decided; or why the deed is refused now: then it goes on
            waiting.
    """
    row = _waiting(call, request_id)
    result = _carry_out(call, row, prepared) if approve else None
    closed = call.session.execute(
        update(ChangeRequest)
        .where(
            ChangeRequest.subject == row.subject,
            ChangeRequest.request_id == request_id,
            ChangeRequest.decision.is_(None),
        )
        .values(
            decision="approved" if approve else "refused",
            decided_by=call.caller.name_for_log,
            decided_at=call.now,
            result=result,
        )
        .returning(ChangeRequest.request_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if closed is None:
        raise Problem("request_decided", "Look at the list again.")
    call.session.refresh(row)
    facts: dict[str, Any] = {"request": request_id, "decision": row.decision, "asked_by": row.asked_by}
    audit.record(call, Deed.CHANGE_DECIDED, subject=row.subject, licence=result or row.identifier, **facts)
    return row


def waiting(call: Call, department: str) -> list[ChangeRequest]:
    """Return what waits for a decision in a department, oldest first, 100 at most.

    Raises:
        Problem: forbidden.
    """
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    rows = select(ChangeRequest).where(
        ChangeRequest.department == department, ChangeRequest.decision.is_(None), ChangeRequest.expires_at > call.now
    )
    return list(call.session.scalars(rows.order_by(ChangeRequest.request_id).limit(100)))


def body_of(call: Call, row: ChangeRequest) -> dict[str, Any]:
    """Return what a request asks for, as the operation itself would take it."""
    opened = json.loads(
        call.cipher.open(row.body_sealed, table="change_request", column="body_sealed", row=row.request_id)
    )
    dates = {
        name: date.fromisoformat(opened[name]) for name in ("valid_from", "valid_until") if opened.get(name) is not None
    }
    found: dict[str, Any] = opened | dates
    return found


def _carry_out(call: Call, row: ChangeRequest, prepared: Intent | None) -> str:
    if row.identifier is not None:
        done = change.change(call, row.identifier, body_of(call, row), prepared, approved=True)
        return str(done["licence"].identifier)
    if prepared is None:
        raise Problem("conflict", "The request changed while this ran; repeat it.")
    return issue.issue(call, prepared).identifier


def _waiting(call: Call, request_id: str) -> ChangeRequest:
    """Return a request that the caller may decide now."""
    row = call.session.scalars(select(ChangeRequest).where(ChangeRequest.request_id == request_id)).one_or_none()
    if row is None or not catalogue.is_issuer(call, row.department):
        raise Problem("not_found", "Your department has no such request.")
    his_own = call.caller.name_for_log == row.asked_by or call.caller.person == row.subject
    if his_own or not call.caller.holds(Post.OFFICER):
        raise Problem("second_person_other", "Nobody decides on what he asked for, or on a licence of his own.")
    if row.decision is not None or row.expires_at <= call.now:
        raise Problem("request_decided", "Look at the list again.")
    return row


def _seal(call: Call, request_id: str, body: dict[str, Any]) -> bytes:
    text = json.dumps(body, ensure_ascii=False, default=date.isoformat).encode()
    return call.cipher.seal(text, table="change_request", column="body_sealed", row=request_id)

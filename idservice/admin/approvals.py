"""Two people for a risky act (双人复核): one asks, another decides, and the act is done in the decision's transaction.

A request that nobody decides within three days expires; it is void while its author could not ask for it any more. Of
two who decide at once one does; whoever asked never does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, select, update

from idservice import audit
from idservice.admin import roles
from idservice.admin.acts import RULES, RiskyAct
from idservice.admin.deeds import AdminDeed
from idservice.admin.models import Administrator, AdminRequest
from idservice.errors import Kind, Problem, register
from idservice.ids import timed_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

STANDS: Final = timedelta(days=3)
SECRET: Final = "secret"  # kept sealed until the decision, which needs it
TOLD: Final = "told"  # to whoever asks, and kept nowhere

register(
    {
        "decided": Kind(409, "这项申请已处理或已过期", "This request was decided before, or is too old"),
        "request_void": Kind(
            409,
            "申请人已停用或不再担任该角色，这项申请已失效",
            "Whoever asked is disabled or has lost the role: this request is void",
        ),
    }
)

_ROLE: Final = case({str(act): str(rule.asks) for act, rule in RULES.items()}, value=AdminRequest.act)
_HIS: Final = (Administrator.subject == AdminRequest.requested_by, Administrator.role == _ROLE)
_COULD_ASK: Final = roles.ABLE.where(*_HIS).correlate(AdminRequest).exists()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as made: its identifier and, once only, the secret that will hold when it is approved."""

    request_id: str
    facts: Mapping[str, Any]
    secret: str | None = field(default=None, repr=False)


def ask(call: Call, act: RiskyAct, facts: dict[str, Any]) -> Asked:
    """Ask for a risky act.

    Raises:
        Problem: forbidden; or what the act's own check says.
    """
    rule = RULES[act]
    roles.demand(call, rule.asks)
    kept = rule.check(call, facts)
    told = kept.pop(TOLD, None)
    request_id = timed_id(call.now)
    call.session.add(
        AdminRequest(
            request_id=request_id,
            act=str(act),
            facts_sealed=_seal(call, request_id, kept),
            requested_by=call.caller.person or "",
            requested_at=call.now,
            expires_at=call.now + STANDS,
        )
    )
    call.session.flush()
    audit.record(call, AdminDeed.REQUESTED, request=request_id, act=str(act), **_public(kept))
    shown = {name: value for name, value in kept.items() if name != SECRET}
    return Asked(request_id, shown, told or kept.get(SECRET))


def decide(call: Call, request_id: str, *, approve: bool) -> AdminRequest:
    """Approve a request and do what it asks for, or refuse it.

    Raises:
        Problem: not_found; forbidden; second_person; request_void; decided; or why the act cannot be done any more.
    """
    row, rule = _found(call, request_id)
    roles.demand(call, *rule.decides)
    if row.requested_by == call.caller.person:
        raise Problem("second_person", "Nobody decides on what he asked for himself.")
    if approve and state(row, call) == "void":
        raise Problem("request_void", "Whoever asked could not ask for this any more: refuse the request.")
    facts = facts_of(call, row)
    _close(call, row, "approved" if approve else "refused", facts)
    deed = AdminDeed.APPROVED if approve else AdminDeed.REFUSED
    audit.record(call, deed, request=request_id, act=row.act, asked_by=row.requested_by)
    if approve:
        rule.do(call, facts)
    return row


def withdraw(call: Call, request_id: str) -> AdminRequest:
    """Take back a request of the caller's own.

    Raises:
        Problem: not_found; forbidden; decided.
    """
    row, _rule = _found(call, request_id)
    roles.demand(call)
    if row.requested_by != call.caller.person:
        raise Problem("not_found", "You made no such request.")
    _close(call, row, "withdrawn", facts_of(call, row))
    audit.record(call, AdminDeed.WITHDRAWN, request=request_id, act=row.act)
    return row


def listed(call: Call, *, limit: int, cursor: str | None, waiting: bool) -> list[AdminRequest]:
    """Return one page (and one more) of requests, newest first; of those that wait, or of all.

    Raises:
        Problem: forbidden.
    """
    roles.demand(call)
    rows = select(AdminRequest).order_by(AdminRequest.request_id.desc()).limit(limit + 1)
    if waiting:
        rows = rows.where(AdminRequest.decision.is_(None), AdminRequest.expires_at > call.now, _COULD_ASK)
    return list(call.session.scalars(rows.where(AdminRequest.request_id < cursor) if cursor is not None else rows))


def state(row: AdminRequest, call: Call) -> str:
    """Return waiting, void (its author could not ask for it now), expired, approved, refused or withdrawn."""
    if row.decision is not None:
        return row.decision
    if row.expires_at <= call.now:
        return "expired"
    stands = select(AdminRequest.request_id).where(AdminRequest.request_id == row.request_id, _COULD_ASK)
    return "waiting" if call.session.scalar(stands) is not None else "void"


def facts_of(call: Call, row: AdminRequest) -> dict[str, Any]:
    """Return what a request asks for; a secret in it is for `decide` alone."""
    opened = call.cipher.open(row.facts_sealed, table="admin_request", column="facts_sealed", row=row.request_id)
    facts: dict[str, Any] = json.loads(opened)
    return facts


def _found(call: Call, request_id: str) -> tuple[AdminRequest, Any]:
    row = call.session.get(AdminRequest, request_id)
    if row is None:
        raise Problem("not_found", "There is no such request.")
    return row, RULES[RiskyAct(row.act)]


def _close(call: Call, row: AdminRequest, decision: str, facts: dict[str, Any]) -> None:
    """Decide a request that waits, in one statement, and forget the secret in it."""
    kept = {name: value for name, value in facts.items() if name != SECRET}
    closed = call.session.execute(
        update(AdminRequest)
        .where(
            AdminRequest.request_id == row.request_id,
            AdminRequest.decision.is_(None),
            AdminRequest.expires_at > call.now,
        )
        .values(
            decision=decision,
            decided_by=call.caller.person,
            decided_at=call.now,
            facts_sealed=_seal(call, row.request_id, kept),
        )
        .returning(AdminRequest.request_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if closed is None:
        raise Problem("decided", "Look at the list again.")
    call.session.refresh(row)


def _seal(call: Call, request_id: str, facts: dict[str, Any]) -> bytes:
    text = json.dumps(facts, ensure_ascii=False).encode()
    return call.cipher.seal(text, table="admin_request", column="facts_sealed", row=request_id)


def _public(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit row says of a request: identifiers, never a secret."""
    names = ("client_id", "subject", "organisation", "mandate_id", "role", "minor", "guardian")
    return {name: facts[name] for name in names if name in facts}

"""What administrators are shown: people masked, requests without their secrets, audit rows as they are stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice import audit
from idservice.admin import approvals, person_acts, roles
from idservice.admin.deeds import AdminDeed
from idservice.errors import Problem
from idservice.models import AuditEntry
from idservice.numbers import citizen
from idservice.numbers.names import mask_name
from idservice.register import grants_view, mandates, organisations, people

if TYPE_CHECKING:
    from idservice.admin.models import AdminRequest
    from idservice.call import Call


def found(call: Call, subject: str, kind: str) -> dict[str, Any]:
    """Return a person or an organisation in the shape of `FoundSchema`; the look goes on his record.

    Raises:
        Problem: forbidden; not_found.
    """
    roles.demand(call, roles.Role.SYSTEM, roles.Role.SECURITY)
    held = [
        grants_view.seen(call, row) | {"person_subject": row.subject} for row in person_acts.mandates_of(call, subject)
    ]
    if kind == mandates.ORGANISATION:
        row = person_acts.see_organisation(call, subject)
        facts: dict[str, Any] = {"name": row.name, "number": row.credit_code, "status": row.status, "level": None}
        return {"subject": subject, "kind": kind, "administrator": None, "mandates": held, **facts}
    person = person_acts.see_person(call, subject)
    role = roles.of(call, subject)
    return {
        "subject": subject,
        "kind": kind,
        "name": mask_name(person.name),
        "number": citizen.mask(person.number),
        "status": person.status,
        "level": person.level,
        "administrator": str(role) if role is not None else None,
        "mandates": held,
    }


def request(call: Call, row: AdminRequest) -> dict[str, Any]:
    """Return a request in the shape of `ApprovalSchema`; people in it are masked names."""
    facts = approvals.facts_of(call, row)
    facts.pop(approvals.SECRET, None)
    for member in ("subject", "minor", "guardian"):
        if member in facts:
            facts[member] = masked_name(call, facts[member])
    if "organisation" in facts:
        found = organisations.facts(call, facts["organisation"])
        facts["organisation"] = found.name if found is not None else ""
    return {
        "id": row.request_id,
        "act": row.act,
        "state": approvals.state(row, call),
        "requested_by": masked_name(call, row.requested_by),
        "requested_at": row.requested_at,
        "expires_at": row.expires_at,
        "decided_by": masked_name(call, row.decided_by) if row.decided_by else None,
        "decided_at": row.decided_at,
        "facts": facts,
        "is_own": row.requested_by == call.caller.person,
    }


def masked_name(call: Call, subject: str) -> str:
    """Return a person's masked name."""
    facts = people.facts(call, subject)
    return mask_name(facts.name) if facts is not None else ""


def log_entries(call: Call, *, limit: int, cursor: str | None) -> list[AuditEntry]:
    """Return one page (and one more) of the audit rows, newest first; that somebody read them is audited too.

    Raises:
        Problem: forbidden, to all but the audit administrator.
    """
    roles.demand(call, roles.Role.AUDIT)
    if cursor is not None and not cursor.isalnum():
        raise Problem("bad_request", "The cursor is not one of ours.")
    rows = select(AuditEntry).order_by(AuditEntry.entry_id.desc()).limit(limit + 1)
    read = list(call.session.scalars(rows.where(AuditEntry.entry_id < cursor) if cursor is not None else rows))
    audit.record(call, AdminDeed.LOG_READ, rows=len(read[:limit]))
    return read


def log_entry(row: AuditEntry) -> dict[str, Any]:
    """Return an audit row in the shape of `LogEntrySchema`."""
    return {
        "id": row.entry_id,
        "at": row.at,
        "deed": row.deed,
        "outcome": row.outcome,
        "actor": row.actor,
        "facts": json.loads(row.facts),
        "log_index": row.log_index,
    }

"""What administrators do to organisations (单位管理): stop one and let it go on.

While one is stopped nobody acts for it. Its mandates stay as they are, and its licences and seals with them: those end
by the register and by their issuers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from idservice import audit
from idservice.admin.deeds import AdminDeed
from idservice.errors import Problem
from idservice.models import Organisation
from idservice.register import representatives

if TYPE_CHECKING:
    from idservice.call import Call


def check(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of an act on an organisation that exists.

    Raises:
        Problem: not_found.
    """
    if call.session.get(Organisation, facts["organisation"]) is None:
        raise Problem("not_found", "There is no such organisation.")
    return facts


def disable(call: Call, facts: dict[str, Any]) -> None:
    """Stop an organisation, and end every token with which somebody acts for it."""
    subject = facts["organisation"]
    _set_status(call, subject, "active", "locked")
    representatives.end_tokens(call, subject, reason="organisation_disabled")
    audit.record(call, AdminDeed.ORGANISATION_DISABLED, subject=subject)


def enable(call: Call, facts: dict[str, Any]) -> None:
    """Let an organisation go on; those who act for it log in anew."""
    _set_status(call, facts["organisation"], "locked", "active")
    audit.record(call, AdminDeed.ORGANISATION_ENABLED, subject=facts["organisation"])


def _set_status(call: Call, subject: str, before: str, after: str) -> None:
    changed = update(Organisation).where(Organisation.subject == subject, Organisation.status == before)
    if call.session.execute(changed.values(status=after).returning(Organisation.subject)).one_or_none() is None:
        raise Problem("conflict", f"Only an organisation that is {before} can be changed so.")

"""Consents to look-ups (用证授权): the proofs of one matter may be looked up, for a time or until he withdraws."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import FieldProblem, Problem
from idservice.ids import timed_id
from idservice.models import Department
from idservice.statement import Statement
from licences import acting
from licences.counter import matters
from licences.deeds import Deed
from licences.models import LookupConsent

if TYPE_CHECKING:
    from idservice.call import Call

_ID = re.compile(r"[0-9a-f]{32}")
_consents = table_of(LookupConsent).c
_GIVEN = Statement(
    select(_consents.matter, _consents.department, _consents.withdrawn_at, _consents.expires_at).where(
        _consents.subject == bindparam("subject"), _consents.consent_id == bindparam("consent")
    )
)


def give(call: Call, body: dict[str, Any]) -> LookupConsent:
    """Record the caller's consent to look-ups for a matter.

    Raises:
        Problem: forbidden where the caller is no holder; not_found for the matter; invalid for the department.
    """
    holder = _holder(call)
    matter = matters.find(call, body["matter"])
    acting.demand_matter(call, matter.code)
    if not all(map(acting.reach(call).covers, matter.types)):
        raise Problem("forbidden", "This matter needs licences that your mandate does not reach.")
    department = body.get("department")
    if department is not None and call.session.get(Department, department) is None:
        raise Problem("invalid", "", errors=[FieldProblem("/department", "unknown", "no such department")])
    consent = LookupConsent(
        subject=holder,
        consent_id=timed_id(call.now),
        matter=matter.code,
        department=department,
        given_at=call.now,
        expires_at=call.now + timedelta(days=body["days"]),
        withdrawn_at=None,
    )
    call.session.add(consent)
    facts: dict[str, Any] = {"consent": consent.consent_id, "matter": matter.code, "department": department}
    audit.record(call, Deed.LOOKUP_CONSENTED, subject=holder, **facts)
    return consent


def of_holder(call: Call, *, limit: int, cursor: str | None) -> list[LookupConsent]:
    """Return one page (and one more) of the caller's consents, newest first.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    newest = LookupConsent.consent_id.desc()
    rows = select(LookupConsent).where(LookupConsent.subject == _holder(call)).order_by(newest).limit(limit + 1)
    if cursor is not None:
        rows = rows.where(LookupConsent.consent_id < cursor)
    return list(call.session.scalars(rows))


def withdraw(call: Call, consent_id: str) -> LookupConsent:
    """End one of the caller's consents at once; one that has ended stays as it ended.

    Raises:
        Problem: forbidden, where the caller is no holder; not_found for a consent that is not his.
    """
    holder = _holder(call)
    consent = call.session.get(LookupConsent, (holder, consent_id)) if _ID.fullmatch(consent_id) else None
    if consent is None:
        raise Problem("not_found", "You gave no such consent.")
    ended = call.session.execute(
        update(LookupConsent)
        .where(
            LookupConsent.subject == holder,
            LookupConsent.consent_id == consent_id,
            LookupConsent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=call.now)
        .returning(LookupConsent.consent_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if ended is not None:
        audit.record(call, Deed.LOOKUP_CONSENT_WITHDRAWN, subject=holder, consent=consent_id)
    call.session.refresh(consent)
    return consent


def covers(call: Call, subject: str, consent_id: str, *, matter: str, department: str | None) -> bool:
    """Return whether `subject` has consented, and still does, to a look-up for `matter` by `department`."""
    given = {"subject": subject, "consent": consent_id}
    consent = _GIVEN.first(call.connection, given) if _ID.fullmatch(consent_id) else None
    return (
        consent is not None
        and consent.matter == matter
        and consent.department in {None, department}
        and consent.withdrawn_at is None
        and consent.expires_at > call.now
    )


def _holder(call: Call) -> str:
    if call.caller.holder is None:
        raise Problem("forbidden", "Only a logged-in holder can consent.")
    return call.caller.holder

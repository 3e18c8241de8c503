"""Check stored licences anew (证照库自检): does each row still say what was sealed, and do seal and credential hold?

For the operator, after a restore or on suspicion. It reads everything and changes nothing; what cannot be read is a
finding like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_

from keys.fields import FieldError
from keys.ring import Purpose
from keys.sm2 import sm3
from keys.verdict import Result
from licences import artefacts
from licences.formats import sdjwt
from licences.lifecycle import State
from licences.metadata import MetadataError
from licences.models import IssueIntent, Licence, LicenceRoute
from licences.status import entries
from licences.status.models import StatusEntry
from licences.verify import seal_check

if TYPE_CHECKING:
    from idservice.call import Call

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one licence: `fault` is one of `record row seal credential intent route status`."""

    identifier: str
    fault: str
    detail: str


def recheck(call: Call, *, after: Place | None, limit: int) -> tuple[list[Finding], int, Place | None]:
    """Check the next licences after a place; return what is wrong, how many were checked, and the place reached."""
    rows = select(Licence).order_by(Licence.subject, Licence.identifier).limit(limit)
    if after is not None:
        rows = rows.where(tuple_(Licence.subject, Licence.identifier) > after)
    found = list(call.session.scalars(rows))
    findings = [finding for licence in found for finding in check(call, licence)]
    return findings, len(found), (found[-1].subject, found[-1].identifier) if found else None


def check(call: Call, licence: Licence) -> list[Finding]:
    """Return everything that is wrong with one licence."""
    try:
        record = artefacts.open_record(call, licence)
        metadata = record.metadata
    except (FieldError, MetadataError, ValueError) as error:
        return [Finding(licence.identifier, "record", str(error)[:200])]
    stated = (metadata.identifier, metadata.type_code, metadata.issuer.code, metadata.valid_from, metadata.valid_until)
    stored = (
        licence.identifier,
        licence.type_code,
        licence.issuer_code,
        licence.valid_from,
        licence.valid_until,
    )
    faults = {
        "row": "" if stated == stored else "the row does not say what was sealed",
        "seal": _seal_fault(call, licence),
        "credential": _credential_fault(call, licence),
        "intent": "" if _was_intended(call, licence, record.content) else "no recorded intent of these bytes",
        "route": "" if _is_routed(call, licence) else "its identifier does not lead to it",
        "status": "" if _is_listed(call, licence) else "its copies' places in the status lists say something else",
    }
    return [Finding(licence.identifier, fault, detail) for fault, detail in faults.items() if detail]


def _seal_fault(call: Call, licence: Licence) -> str:
    found = seal_check(call, licence)
    return "" if found.result is Result.OK else found.detail or str(found.result)


def _credential_fault(call: Call, licence: Licence) -> str:
    try:
        keys = call.keys.public(Purpose.LICENCE)
        sdjwt.authenticate(artefacts.credential(call, licence), keys=keys, issuer=call.settings.signs_as)
    except sdjwt.SDJWTError as error:
        return error.code
    return ""


def _was_intended(call: Call, licence: Licence, content: bytes) -> bool:
    intents = select(IssueIntent.record_digest).where(
        IssueIntent.subject == licence.subject,
        IssueIntent.identifier == licence.identifier,
        IssueIntent.done_at.is_not(None),
    )
    return sm3(content) in set(call.session.scalars(intents))


def _is_listed(call: Call, licence: Licence) -> bool:
    """Return whether every copy's place says what the licence is, the credential's own among them."""
    rows = select(StatusEntry.place, StatusEntry.value).where(
        StatusEntry.licence_key == entries.key_of(licence.identifier)
    )
    found: dict[int, int] = {row.place: row.value for row in call.session.execute(rows)}
    own = {licence.status_place} - {None}
    return own <= found.keys() and set(found.values()) <= {entries.status_of(State(licence.state))}


def _is_routed(call: Call, licence: Licence) -> bool:
    route = call.session.get(LicenceRoute, licence.identifier)
    return route is not None and route.subject == licence.subject

"""Check stored licences anew (证照库自检): does each row still say what was sealed, and do seal and credential hold?

For the operator, after a restore or on suspicion. It reads everything and changes nothing; what cannot be read is a
finding like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import func, select, tuple_

from idservice import bulk
from idservice.db import table_of
from idservice.errors import Problem
from keys.fields import FieldError
from keys.ring import Purpose
from keys.sm2 import sm3
from keys.verdict import Result
from licences import artefacts
from licences.formats import sdjwt
from licences.judging import seal_check
from licences.lifecycle import State
from licences.metadata import MetadataError
from licences.models import Licence, LicenceRoute
from licences.portions import Walk
from licences.slices import EVERYTHING
from licences.status import entries
from licences.status.models import StatusEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.slices import Slice

Place = tuple[str, str]
_licences = table_of(Licence)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one licence: `fault` is one of `record row seal credential intent route status`."""

    identifier: str
    fault: str
    detail: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What the register says of some licences beside their rows."""

    routes: dict[str, str]
    places: dict[bytes, dict[int, int]]  # by the licence's key: what stands at each of its places

    @classmethod
    def read(cls, call: Call, licences: Sequence[Licence]) -> Beside:
        """Return it for `licences`, asking once for all of them."""
        codes = [licence.identifier for licence in licences]
        routes = bulk.select_where_in(
            call.connection, table_of(LicenceRoute), ("identifier", "subject"), "identifier", codes
        )
        keys = [entries.key_of(code) for code in codes]
        stands = bulk.select_where_in(
            call.connection, table_of(StatusEntry), ("licence_key", "place", "value"), "licence_key", keys
        )
        places: dict[bytes, dict[int, int]] = {}
        for key, place, value in stands:
            places.setdefault(key, {})[place] = value
        return cls(dict(routes), places)


def count(call: Call, *, part: Slice) -> int:
    """Return how many licences there are in a part."""
    asked = select(func.count()).select_from(_licences).where(_licences.c.subject >= part.first)
    return call.session.scalar(asked if part.end is None else asked.where(_licences.c.subject < part.end)) or 0


def recheck(
    call: Call, *, after: Place | None, limit: int, part: Slice = EVERYTHING, walk: Walk | None = None
) -> tuple[list[Finding], int, Place | None]:
    """Check the next licences of a part after a place; `walk` goes on from one step to the next.

    Return what is wrong, how many were checked, and the place reached.
    """
    # By the plain bound alone SQLite finds where to begin: with `part.first` it would read the part anew for each page.
    rows = select(_licences).where(_licences.c.subject >= (part.first if after is None else after[0])).limit(limit)
    if part.end is not None:
        rows = rows.where(_licences.c.subject < part.end)
    if after is not None:
        rows = rows.where(tuple_(_licences.c.subject, _licences.c.identifier) > after)
    in_order = rows.order_by(_licences.c.subject, _licences.c.identifier)
    found = cast("Sequence[Licence]", call.connection.execute(in_order).all())  # rows read like the model
    beside, walk = Beside.read(call, found), walk or Walk()
    findings = [finding for licence in found for finding in check(call, licence, beside, walk)]
    return findings, len(found), (found[-1].subject, found[-1].identifier) if found else None


def check(call: Call, licence: Licence, beside: Beside | None = None, walk: Walk | None = None) -> list[Finding]:
    """Return everything that is wrong with one licence."""
    beside = beside or Beside.read(call, [licence])
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
    is_routed = beside.routes.get(licence.identifier) == licence.subject
    faults = {
        "row": "" if stated == stored else "the row does not say what was sealed",
        "seal": _seal_fault(call, licence, record, walk),
        "credential": _credential_fault(call, licence, record),
        "intent": "" if _is_intended(licence, record) else "no recorded intent of these bytes",
        "route": "" if is_routed else "its identifier does not lead to it",
        "status": "" if _is_listed(licence, beside) else "its copies' places in the status lists say something else",
    }
    return [Finding(licence.identifier, fault, detail) for fault, detail in faults.items() if detail]


def _is_intended(licence: Licence, record: artefacts.Record) -> bool:
    """Return whether these bytes were announced; of a portion that is what its seal is judged by."""
    return licence.portion_id is not None or licence.record_digest == sm3(record.content)


def _seal_fault(call: Call, licence: Licence, record: artefacts.Record, walk: Walk | None) -> str:
    found = seal_check(call, licence, record, walk)
    return "" if found.result is Result.OK else found.detail or str(found.result)


def _credential_fault(call: Call, licence: Licence, record: artefacts.Record) -> str:
    try:
        keys = call.keys.public(Purpose.LICENCE)
        made = artefacts.credential(call, licence, record)
        if made is None:
            return "" if _lacks_all(licence) else "a part of it is missing"
        sdjwt.authenticate(made, keys=keys, issuer=call.settings.signs_as)
    except (sdjwt.SDJWTError, Problem) as error:
        return error.code
    return ""


def _lacks_all(licence: Licence) -> bool:
    """Return whether a licence has no credential yet, which those issued in bulk alone may."""
    parts = (licence.credential_kid, licence.credential_signature, licence.status_place)
    return licence.portion_id is not None and parts == (None, None, None)


def _is_listed(licence: Licence, beside: Beside) -> bool:
    """Return whether every copy's place says what the licence is, the credential's own among them."""
    found = beside.places.get(entries.key_of(licence.identifier), {})
    own = {licence.status_place} - {None}
    return own <= found.keys() and set(found.values()) <= {entries.status_of(State(licence.state))}

"""Seal what was collected (归集签发): waiting rows become licences through the same verbs as every issue.

Two transactions for each portion, as for one licence: what is about to be signed is on record before a key is used. A
row that cannot be sealed says why and waits for its source; all others go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_, update

from idservice import audit
from idservice.errors import Problem
from idservice.register import organisations, people
from licences import change, issue
from licences.collection import rows
from licences.collection.models import CollectedLicence
from licences.deeds import Deed
from licences.lifecycle import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.issue import Intent

Place = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of all holders, so that several processes share the work: from one subject on, up to another."""

    first: str
    end: str | None

    @classmethod
    def of(cls, place: int, parts: int) -> Slice:
        """Return part `place` (from 0) of `parts` equal ones."""
        step = 16**8 // parts
        return cls(f"{place * step:08x}", f"{(place + 1) * step:08x}" if place + 1 < parts else None)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One waiting row with what is about to be signed for it; `refused` says why nothing is."""

    place: Place
    body: dict[str, Any]
    replaces: str | None
    intent: Intent | None
    refused: str | None


def waiting(call: Call, part: Slice, *, after: Place | None, limit: int) -> list[CollectedLicence]:
    """Return the next waiting rows of a part, in the order of their keys."""
    table = CollectedLicence
    asked = select(table).where(table.state == "waiting", table.subject >= part.first)
    if part.end is not None:
        asked = asked.where(table.subject < part.end)
    if after is not None:
        asked = asked.where(tuple_(table.subject, table.source) > after)
    return list(call.session.scalars(asked.order_by(table.subject, table.source).limit(limit)))


def intend(call: Call, found: Sequence[CollectedLicence]) -> list[Prepared]:
    """Record, for each row, what is about to be signed; a row that is refused leaves nothing behind."""
    return [_intend(call, row) for row in found]


def _intend(call: Call, row: CollectedLicence) -> Prepared:
    place = (row.subject, row.source)
    body = _body(call, row)
    replaces = row.identifier
    try:
        with call.session.begin_nested():
            if replaces is None:
                return Prepared(place, body, None, issue.intend(call, body, approved=True), None)
            body = {"change": Change.CHANGE, "reason": "归集数据更新", "fields": body["fields"], **_dates(body)}
            return Prepared(place, body, replaces, change.intend(call, replaces, body, approved=True), None)
    except Problem as problem:
        return Prepared(place, body, replaces, None, _word(problem))


def sign(call: Call, prepared: Sequence[Prepared]) -> tuple[int, int]:
    """Seal and sign what was prepared; return how many became licences and how many could not."""
    done = 0
    for one in prepared:
        identifier, refused = None, one.refused
        if refused is None:
            try:
                with call.session.begin_nested():
                    identifier = _issue(call, one)
            except Problem as problem:
                refused = _word(problem)
        done += identifier is not None
        _mark(call, one.place, identifier, refused)
    return done, len(prepared) - done


def _issue(call: Call, one: Prepared) -> str:
    if one.intent is None:
        raise Problem("conflict", "Nothing was recorded to be signed.")
    if one.replaces is None:
        identifier = issue.issue(call, one.intent).identifier
    else:
        identifier = change.change(call, one.replaces, one.body, one.intent, approved=True)["licence"].identifier
    audit.record(call, Deed.COLLECTED_SEALED, subject=one.place[0], licence=identifier, source=one.place[1].hex()[:16])
    return identifier


def _mark(call: Call, place: Place, identifier: str | None, refused: str | None) -> None:
    values = (
        {"state": "failed", "reason": refused} if identifier is None else {"state": "signed", "identifier": identifier}
    )
    table = CollectedLicence
    call.session.execute(
        update(table)
        .where(table.subject == place[0], table.source == place[1], table.state == "waiting")
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _body(call: Call, row: CollectedLicence) -> dict[str, Any]:
    """Return a row as the body of `POST /v1/licences`."""
    said = rows.open_record(call.cipher, row.source, row.record_sealed)
    person = people.facts(call, row.subject)
    holder = person.number if person is not None else getattr(organisations.facts(call, row.subject), "credit_code", "")
    return {
        "type": row.type_code,
        "department": row.department,
        "holder": {"number": holder},
        "number": said["number"],
        "fields": said["fields"],
        **_dates(said),
    }


def _dates(said: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: date.fromisoformat(said[name]) if isinstance(said[name], str) else said[name]
        for name in ("valid_from", "valid_until")
        if said.get(name) is not None
    }
    return found | ({"valid_until": None} if said.get("long_term") else {})


def _word(problem: Problem) -> str:
    """Return why a row could not be sealed, as a stable code that fits its column."""
    pointer = next((fault.pointer for fault in problem.errors), "")
    return f"{problem.code}{pointer}"[:40]

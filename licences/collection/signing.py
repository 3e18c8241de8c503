"""Seal what was collected (归集签发): waiting rows become licences through the same verbs as every issue.

Four steps for each portion: its rows are opened and stated (`prepare`), what is about to be signed is on record before
a key is used (`intend`), keys are used while nothing is locked (`sign`), and what was made is stored (`store`). A row
that cannot be sealed says why and waits for its source; all others go on. A portion that was killed half way is done
again under new identifiers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, case, func, select, tuple_, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import Problem
from idservice.models import Organisation
from idservice.register import people
from licences import bulk_issue, catalogue, change, issue, metadata
from licences.bulk_issue import Order
from licences.collection import approving, rows, source_identifiers, standing, states
from licences.collection.models import CollectedLicence
from licences.deeds import Deed
from licences.lifecycle import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from keys.fields import FieldCipher
    from licences.bulk_issue import Announced, Described, Signed
    from licences.issue import Intent
    from licences.metadata import Holder
    from licences.models import Licence
    from licences.slices import Slice

Place = tuple[str, bytes]
After = tuple[datetime, str, bytes]  # up to where the waiting rows were seen
_table = table_of(CollectedLicence)
_MARK = (
    update(_table)
    .where(_table.c.subject == bindparam("whose"), _table.c.source == bindparam("which"))
    .values(
        state=bindparam("now_state"),
        identifier=func.coalesce(bindparam("licence", type_=_table.c.identifier.type), _table.c.identifier),
        reason=case((bindparam("now_state") == "failed", bindparam("why")), else_=_table.c.reason),
        record_sealed=func.coalesce(bindparam("kept", type_=_table.c.record_sealed.type), _table.c.record_sealed),
    )
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One waiting row with what is about to be signed for it; `refused` says why nothing is.

    Most rows are licences to be issued for the first time, and go the way of many at once: `described`, `announced`,
    `signed`. The others, a next version, a type that one may hold once, several holders or a licence that does not
    hold, go the way of a single licence: `intent`, and `deed`, the change that its source's state stands for.
    """

    place: Place
    digest: bytes  # of what the source said
    number: str  # that the licence has there
    body: dict[str, Any]
    said: dict[str, Any]  # by the source
    replaces: str | None = None
    deed: Change | None = None
    source_identifier: tuple[str, str] | None = None  # with the department that collected it
    intent: Intent | None = None
    described: Described | None = None
    announced: Announced | None = None
    signed: Signed | None = None
    refused: str | None = None


def waiting(call: Call, part: Slice, *, after: After | None, limit: int) -> list[CollectedLicence]:
    """Return the next waiting rows of a part, in the order in which they came in."""
    table = _table.c
    asked = select(_table).where(table.state == "waiting", table.subject >= part.first)
    if part.end is not None:
        asked = asked.where(table.subject < part.end)
    if after is not None:
        asked = asked.where(tuple_(table.collected_at, table.subject, table.source) > after)
    in_order = asked.order_by(table.collected_at, table.subject, table.source).limit(limit)
    return cast("list[CollectedLicence]", list(call.connection.execute(in_order)))  # rows read like the model


def prepare(call: Call, found: Sequence[CollectedLicence]) -> list[Prepared]:
    """Open rows and state the licences that are to be made of them; nothing is written."""
    holders, cipher = _holders(call, {row.subject for row in found}), call.cipher.for_portion()
    sensitive = approving.sensitive_types(call)
    prepared = [_opened(cipher, row, holders.get(row.subject), sensitive) for row in found]
    together = [one for one in prepared if _goes_with_others(call, one)]
    orders = [Order(one.place[0], holders[one.place[0]], one.body) for one in together]
    described = dict(zip((one.place for one in together), bulk_issue.describe(call, orders), strict=True))
    return [_with(one, "described", described[one.place]) if one.place in described else one for one in prepared]


def intend(call: Call, prepared: Sequence[Prepared]) -> list[Prepared]:
    """Record, for each row, what is about to be signed; a row that is refused leaves nothing behind."""
    announced = iter(bulk_issue.intend(call, [one.described for one in prepared if one.described is not None]))
    return [
        _with(one, "announced", next(announced))
        if one.described is not None
        else one
        if one.refused is not None
        else _intend(call, one)
        for one in prepared
    ]


def sign(call: Call, prepared: Sequence[Prepared]) -> list[Prepared]:
    """Seal and sign what goes together; nothing is written, so that several processes do so at once."""
    announced = [one.announced for one in prepared if one.announced is not None]
    made = iter(bulk_issue.sign(call, announced))
    return [one if one.announced is None else _with(one, "signed", next(made)) for one in prepared]


def store(call: Call, prepared: Sequence[Prepared]) -> tuple[int, int]:
    """Store what was signed, sign and store the rest; return how many became licences and how many could not.

    A row that was signed by somebody else meanwhile, or whose source has said something else, is left as it is now.
    """
    now = _still_waiting(call, prepared)
    mine = [one for one in prepared if now.get(one.place) == one.digest]
    bulk_issue.note(call, [one.signed for one in prepared if one.signed is not None])
    bulk_issue.store(call, [one.signed for one in mine if one.signed is not None])
    ended = [_ended(call, one) for one in mine]
    done = [(one.place, identifier) for one, identifier, _refused in ended if identifier is not None]
    _lead(call, ended)
    if ended:
        cipher = call.cipher.for_portion()
        call.connection.execute(_MARK, [_marked(cipher, one, *end) for one, *end in ended])
    if done:
        named = "\n".join(sorted(f"{place[0]} {place[1].hex()} {identifier}" for place, identifier in done))
        digest = hashlib.sha256(named.encode()).hexdigest()
        audit.record(call, Deed.COLLECTED_SEALED, licences=len(done), digest=digest)
    return len(done), len(ended) - len(done)


def _lead(call: Call, ended: Sequence[tuple[Prepared, str | None, str | None]]) -> None:
    """Let whoever has an identifier of the source find the licence."""
    ours = {found.department for entry in catalogue.entries(call).values() for found in entry.authorities}
    ways = [
        (source_identifiers.readable(*one.source_identifier, ours), code, one.replaces)
        for one, code, _refused in ended
        if code is not None and one.source_identifier is not None
    ]
    source_identifiers.lead(call, [(given, code, before) for given, code, before in ways if given is not None])


def _holders(call: Call, subjects: set[str]) -> dict[str, Holder]:
    """Return who the holders are by the registers now."""
    found = {subject: metadata.person(name, number) for subject, (number, name) in people.named(call, subjects).items()}
    rest = sorted(subjects - found.keys())
    for row in call.session.scalars(select(Organisation).where(Organisation.subject.in_(rest))) if rest else ():
        found[row.subject] = metadata.organisation(row.name, row.credit_code)
    return found


def _opened(cipher: FieldCipher, row: CollectedLicence, holder: Holder | None, sensitive: frozenset[str]) -> Prepared:
    said = rows.open_record(cipher, row.source, row.record_sealed)
    code = holder.code if holder is not None else ""
    body = {
        "type": row.type_code,
        "department": row.department,
        "holder": {"number": code},
        "holders": [{"number": number} for number in (code, *said.get("co_holders", ()))],
        "number": said["number"],
        "fields": said["fields"],
        "associated": said.get("identifier"),
        **_dates(said),
    }
    is_parked = row.type_code in sensitive and row.reason != approving.APPROVED and not _suspends(row, said)
    return Prepared(
        (row.subject, row.source),
        row.digest,
        said["number"],
        body,
        said,
        row.identifier,
        source_identifier=(said["identifier"], row.department) if "identifier" in said else None,
        refused=approving.PARKED if is_parked else None,
    )


def _suspends(row: CollectedLicence, said: dict[str, Any]) -> bool:
    """Return whether all that a row can do is to suspend a licence that is there, for which one person is enough."""
    return row.identifier is not None and states.first_deed(states.of(said)) in {Change.SUSPEND, Change.FREEZE}


def _goes_with_others(call: Call, one: Prepared) -> bool:
    entry = catalogue.entries(call).get(one.body["type"])
    if one.refused is not None or one.said.get("co_holders") or states.first_deed(states.of(one.said)) is not None:
        return False
    return one.replaces is None and bool(one.body["holder"]["number"]) and entry is not None and not entry.type.single


def _with(one: Prepared, step: str, made: Described | Announced | Signed | Problem) -> Prepared:
    """Return a row with what a step made of it, or with why it is refused."""
    change: dict[str, Any] = {"refused": _word(made)} if isinstance(made, Problem) else {step: made}
    return replace(one, **change)


def _intend(call: Call, one: Prepared) -> Prepared:
    try:
        with call.session.begin_nested():
            if one.replaces is not None:
                return _intend_next(call, one, standing.newest(call, one.replaces))
            stands = states.of(one.said)
            made = issue.intend(call, one.body, approved=True, ended=states.ends(stands))
            return replace(one, intent=made, deed=states.first_deed(stands))
    except Problem as problem:
        return replace(one, refused=_word(problem))


def _intend_next(call: Call, one: Prepared, licence: Licence) -> Prepared:
    """Record what is to become of a licence that is there: a next version, another state, or nothing.

    To be changed it must hold, so that it is resumed at once: what is signed afterwards is the next version.
    """
    deeds = standing.steps(call, licence, one.said, one.body)
    if Change.CHANGE not in deeds:
        return replace(one, replaces=licence.identifier, deed=deeds[0] if deeds else None)
    if Change.RESUME in deeds and _still_waiting(call, [one]).get(one.place) == one.digest:
        standing.carry_out(call, licence.identifier, Change.RESUME, one.said)
    body = {"change": Change.CHANGE, "reason": "归集数据更新", "fields": one.body["fields"]}
    body |= {name: one.body[name] for name in standing.DATES if name in one.body}
    made = change.intend(call, str(one.replaces), body, approved=True)
    return replace(one, body=body, intent=made)


def _still_waiting(call: Call, prepared: Sequence[Prepared]) -> dict[Place, bytes]:
    """Return the digests of those rows that wait still; nobody else can sign or change them until this ends."""
    table = CollectedLicence
    asked = (
        select(table.subject, table.source, table.digest)
        .where(table.subject.in_(sorted({one.place[0] for one in prepared})), table.state == "waiting")
        .order_by(table.subject, table.source)
        .with_for_update()
    )
    return {(row.subject, row.source): row.digest for row in call.connection.execute(asked)}


def _ended(call: Call, one: Prepared) -> tuple[Prepared, str | None, str | None]:
    """Return a row with the identifier of its licence, or with why there is none."""
    if one.signed is not None:
        return one, one.signed.announced.stated.identifier, None
    if one.refused is not None or (one.intent is None and one.replaces is None):
        return one, None, one.refused or "conflict"
    try:
        with call.session.begin_nested():
            code = _issue(call, one, one.intent)
            return one, code if one.deed is None else standing.carry_out(call, code, one.deed, one.said), None
    except Problem as problem:
        return one, None, _word(problem)


def _issue(call: Call, one: Prepared, intent: Intent | None) -> str:
    """Return the identifier of the licence of a row: the one that is there, its next version, or a new one."""
    if intent is None:
        return str(one.replaces)
    if one.replaces is None:
        return issue.issue(call, intent).identifier
    return str(change.change(call, one.replaces, one.body, intent, approved=True)["licence"].identifier)


def _marked(cipher: FieldCipher, one: Prepared, identifier: str | None, refused: str | None) -> dict[str, Any]:
    """Return what becomes of a row; what a licence says from now on is not kept a second time, but for its number."""
    state = "failed" if identifier is None else "signed"
    kept = None if identifier is None else rows.seal_number(cipher, one.place[1], one.number)
    marked = {"whose": one.place[0], "which": one.place[1], "now_state": state, "licence": identifier, "why": refused}
    return marked | {"kept": kept}


def _dates(said: dict[str, Any]) -> dict[str, Any]:
    found = {name: date.fromisoformat(said[name]) for name in standing.DATES if said.get(name) is not None}
    return found | ({"valid_until": None} if said.get("long_term") else {})


def _word(problem: Problem) -> str:
    """Return why a row could not be sealed, as a stable code that fits its column."""
    pointer = next((fault.pointer for fault in problem.errors), "")
    return f"{problem.code}{pointer}"[:40]

"""Enter collected rows (入库): many at a time, each for a holder the register knows; the same again changes nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError

from idservice import bulk
from idservice.db import table_of
from idservice.register.importing_index import Outcome, find_hashes
from idservice.register.importing_work import Register
from licences import catalogue
from licences.collection import columns, refusals, rows
from licences.collection.models import CollectedLicence
from licences.deeds import Deed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call
    from licences.collection.rows import Known, Row

KIND = "licences"
NEEDED = frozenset({"holder", "number"})
_table = table_of(CollectedLicence)
_COLUMNS = (
    "subject", "source", "type_code", "department", "state", "reason", "record_sealed", "digest", "identifier",
    "missing", "updated_on", "collected_at",
)  # fmt: skip
_CHANGED = ("state", "reason", "record_sealed", "digest", "missing", "updated_on", "collected_at")
_UPDATE = (
    update(_table)
    .where(_table.c.subject == bindparam("whose"), _table.c.source == bindparam("which"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)
_TOUCH = (
    update(_table)
    .where(_table.c.subject == bindparam("whose"), _table.c.source == bindparam("which"))
    .values(updated_on=bindparam("new_updated_on"), collected_at=bindparam("new_collected_at"))
)


if TYPE_CHECKING:
    _Placed = tuple[str, bytes, Row]  # whose it is, the hash it is named by, and the row


class _Held(NamedTuple):
    """What is stored of a row: the hash it is named by, and the digest of its record."""

    source: bytes
    digest: bytes


def known(call: Call, *, type_code: str | None = None, department: str | None = None) -> Known:
    """Return what rows are checked against now."""
    entries = catalogue.entries(call)
    return rows.Known(
        types={code: entry.type for code, entry in entries.items() if type_code in {None, code}},
        departments={code: tuple(a.department for a in entry.authorities) for code, entry in entries.items()},
        type_code=type_code,
        department=department,
    )


def register(checked_against: Known) -> Register:
    """Return the library of licences as something that a file can be brought into."""
    needed = NEEDED if checked_against.type_code is not None else NEEDED | {"type"}
    return Register(
        KIND,
        rows.members(checked_against),
        needed,
        prepare=partial(rows.prepare, checked_against),
        take=take,
        deed=Deed.COLLECTED,
        prepare_many=partial(columns.prepare_many, checked_against),
        refused=partial(refusals.note_lines, checked_against),
    )


def take(call: Call, portion: Sequence[Row], *, dry_run: bool) -> Outcome:
    """Enter rows that are new, bring those up to date whose source says something else now, and leave the rest."""
    outcome = Outcome()
    holders = find_hashes(call, [row.holder for row in portion])
    placed: list[_Placed] = []
    for row in portion:
        found = holders.get(row.holder[0])
        if found is not None and found.kind == row.kind:
            placed.append((found.subject, row.hashes[0], row))
        else:
            outcome.rejects.append((row.line, ("holder_unknown" if found is None else "holder_kind",)))
    placed.sort()  # neighbours in the keys; no two rows have the same first hash, so that it never comes to the rows
    if not dry_run and _enter_as_new(call, placed):
        outcome.added, outcome.subjects = len(placed), [subject for subject, _source, _row in placed]
        return outcome
    stored = _stored(call, placed)
    fresh = [one for one in placed if _held(stored, one[2], one[0]) is None]
    standing = [
        (row, subject, held) for subject, _source, row in placed if (held := _held(stored, row, subject)) is not None
    ]
    changed = [(row, subject, held) for row, subject, held in standing if held.digest != row.digest]
    same = [(row, subject, held) for row, subject, held in standing if held.digest == row.digest]
    outcome.added, outcome.changed, outcome.unchanged = len(fresh), len(changed), len(same)
    outcome.subjects = [subject for subject, *_row in fresh] + [subject for _row, subject, _held in changed]
    if not dry_run:
        _write(call, fresh, changed, same)
    return outcome


def _enter_as_new(call: Call, placed: Sequence[_Placed]) -> bool:
    """Enter all rows if none of them is there yet, and say whether that was so: a first import asks nothing of each.

    Their key says so, as long as there is one secret alone that rows may have been named under.
    """
    if any(len(row.hashes) > 1 for _subject, _source, row in placed):
        return False
    try:
        with call.connection.begin_nested():
            _insert(call, placed)
    except IntegrityError:
        return False
    return True


def _insert(call: Call, placed: Sequence[_Placed]) -> None:
    now = call.now
    new = [
        (subject, source, row.type_code, row.department, "waiting", row.notice, row.sealed, row.digest, None,
         row.missing, row.updated_on, now)
        for subject, source, row in placed
    ]  # fmt: skip
    bulk.insert(call.connection, _table, _COLUMNS, new)


def _write(
    call: Call,
    fresh: Sequence[_Placed],
    changed: Sequence[tuple[Row, str, _Held]],
    same: Sequence[tuple[Row, str, _Held]],
) -> None:
    if fresh:
        _insert(call, fresh)
    if changed:
        call.connection.execute(_UPDATE, [_change(call, row, subject, held.source) for row, subject, held in changed])
    if same:
        seen = [
            {"whose": subject, "which": held.source, "new_updated_on": row.updated_on, "new_collected_at": call.now}
            for row, subject, held in same
        ]
        call.connection.execute(_TOUCH, seen)


def _stored(call: Call, placed: Sequence[_Placed]) -> dict[tuple[str, bytes], Any]:
    # By holder alone, who has a few: every pair of two long lists would be looked for otherwise.
    whose = sorted({subject for subject, *_row in placed})
    found = bulk.select_where_in(call.connection, _table, ("subject", "source", "digest"), "subject", whose)
    return {(subject, source): _Held(source, digest) for subject, source, digest in found}


def _held(stored: Mapping[tuple[str, bytes], _Held], row: Row, subject: str) -> _Held | None:
    """Return the stored row under any of the hashes that name it: the secret of the index may have been rotated."""
    return next((found for value in row.hashes if (found := stored.get((subject, value))) is not None), None)


def _change(call: Call, row: Row, subject: str, source: bytes) -> dict[str, Any]:
    sealed = row.sealed if source == row.hashes[0] else rows.seal_anew(call.cipher, row.sealed, row.hashes[0], source)
    return {
        "whose": subject,
        "which": source,
        "new_state": "waiting",
        "new_reason": row.notice,
        "new_record_sealed": sealed,
        "new_digest": row.digest,
        "new_missing": row.missing,
        "new_updated_on": row.updated_on,
        "new_collected_at": call.now,
    }

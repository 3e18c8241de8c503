"""Enter collected rows (入库): many at a time, each for a holder the register knows; the same again changes nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from idservice.db import table_of
from idservice.register.importing import Register
from idservice.register.importing_index import Outcome, find_hashes
from licences import catalogue
from licences.collection import rows
from licences.collection.models import CollectedLicence
from licences.deeds import Deed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call
    from licences.collection.rows import Known, Row

KIND = "licences"
NEEDED = frozenset({"holder", "number"})
_table = table_of(CollectedLicence)
_INSERT = insert(_table)
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
    prepare = partial(rows.prepare, checked_against)
    return Register(KIND, rows.members(checked_against), needed, prepare, take, Deed.COLLECTED)


def take(call: Call, portion: Sequence[Row], *, dry_run: bool) -> Outcome:
    """Enter rows that are new, bring those up to date whose source says something else now, and leave the rest."""
    outcome = Outcome()
    holders = find_hashes(call, [row.holder for row in portion])
    placed: list[tuple[Row, str]] = []
    for row in portion:
        found = holders.get(row.holder[0])
        if found is None:
            outcome.rejects.append((row.line, ("holder_unknown",)))
        elif found.kind != row.kind:
            outcome.rejects.append((row.line, ("holder_kind",)))
        else:
            placed.append((row, found.subject))
    stored = _stored(call, placed)
    fresh = [(row, subject) for row, subject in placed if _held(stored, row, subject) is None]
    standing = [(row, subject, held) for row, subject in placed if (held := _held(stored, row, subject)) is not None]
    changed = [(row, subject, held) for row, subject, held in standing if held.digest != row.digest]
    same = [(row, subject, held) for row, subject, held in standing if held.digest == row.digest]
    outcome.added, outcome.changed, outcome.unchanged = len(fresh), len(changed), len(same)
    outcome.subjects = [subject for _row, subject in fresh] + [subject for _row, subject, _held in changed]
    if not dry_run:
        _write(call, fresh, changed, same)
    return outcome


def _write(
    call: Call,
    fresh: Sequence[tuple[Row, str]],
    changed: Sequence[tuple[Row, str, Any]],
    same: Sequence[tuple[Row, str, Any]],
) -> None:
    if fresh:
        call.connection.execute(_INSERT, [_new(call, row, subject) for row, subject in fresh])
    if changed:
        call.connection.execute(_UPDATE, [_change(call, row, subject, held.source) for row, subject, held in changed])
    if same:
        seen = [
            {"whose": subject, "which": held.source, "new_updated_on": row.updated_on, "new_collected_at": call.now}
            for row, subject, held in same
        ]
        call.connection.execute(_TOUCH, seen)


def _stored(call: Call, placed: Sequence[tuple[Row, str]]) -> dict[tuple[str, bytes], Any]:
    if not placed:
        return {}
    # By holder alone, who has a few: every pair of two long lists would be looked for otherwise.
    asked = select(_table.c.subject, _table.c.source, _table.c.digest).where(
        _table.c.subject.in_({subject for _row, subject in placed})
    )
    return {(found.subject, found.source): found for found in call.connection.execute(asked)}


def _held(stored: Mapping[tuple[str, bytes], Any], row: Row, subject: str) -> Any | None:
    """Return the stored row under any of the hashes that name it: the secret of the index may have been rotated."""
    return next((found for value in row.hashes if (found := stored.get((subject, value))) is not None), None)


def _new(call: Call, row: Row, subject: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "source": row.hashes[0],
        "type_code": row.type_code,
        "department": row.department,
        "state": "waiting",
        "reason": row.notice,
        "record_sealed": row.sealed,
        "digest": row.digest,
        "identifier": None,
        "missing": row.missing,
        "updated_on": row.updated_on,
        "collected_at": call.now,
    }


def _change(call: Call, row: Row, subject: str, source: bytes) -> dict[str, Any]:
    sealed = row.sealed if source == row.hashes[0] else rows.seal(call.cipher, source, row.record)
    new = {name: value for name, value in _new(call, row, subject).items() if name in _CHANGED}
    values = {f"new_{name}": value for name, value in new.items()} | {"new_record_sealed": sealed}
    return {"whose": subject, "which": source, **values}

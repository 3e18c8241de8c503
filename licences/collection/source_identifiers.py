"""The identifiers that sources gave licences before they were collected (来源标识): who looks by one finds ours.

A paper or file that is out there bears the source's identifier. It stands in the record of the first version made of it
(关联证照标识), and its digest leads to the version that says what the source said last. Nobody takes the identifier of
another department of ours, and what leads to one licence already leads to no other.
"""

from __future__ import annotations

from hashlib import sha256
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idservice.db import table_of
from idservice.numbers import InvalidNumber
from idservice.statement import Statement
from licences import identifier
from licences.collection.models import SourceIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from idservice.call import Call

Way = tuple[str, str, str | None]
_table = table_of(SourceIdentifier)
_FIND = Statement(select(_table.c.identifier).where(_table.c.source_hash == bindparam("named")))
_INSERT = {
    "sqlite": sqlite.insert(_table).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_table).on_conflict_do_nothing(),
}
_MOVE = (
    update(_table)
    .where(_table.c.source_hash == bindparam("named"), _table.c.identifier == bindparam("old"))
    .values(identifier=bindparam("new"))
)


def find(call: Call, code: str) -> str | None:
    """Return the identifier of the licence that a source's identifier, as `licences.identifier` folds it, leads to."""
    found = _FIND.first(call.connection, {"named": _digest(code)})
    return found.identifier if found is not None else None


def readable(given: str, department: str, ours: Collection[str]) -> str | None:
    """Return what leads to a licence of `department`: its source's identifier, folded, or None.

    None where somebody who scans it could not read it, and where it names another of `ours`, the departments here.
    """
    try:
        named = identifier.parts(given)
    except InvalidNumber:
        return None
    return None if named.issuer_code != department and named.issuer_code in ours else named.identifier


def lead(call: Call, ways: Iterable[Way]) -> None:
    """Let identifiers of sources lead to licences: the source's, ours, and the version of ours before."""
    new: list[dict[str, Any]] = []
    for given, code, before in ways:
        new.append({"source_hash": _digest(given), "identifier": code})
        if before is not None:
            call.connection.execute(_MOVE, {"named": _digest(given), "old": before, "new": code})
    if new:
        new.sort(key=itemgetter("source_hash"))  # of two who sign at once none waits for the other in a circle
        call.connection.execute(_INSERT[call.connection.dialect.name], new)


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()[:16]

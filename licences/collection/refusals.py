"""How many rows were refused, and why (退回数据): counted for each import and batch as the rows are refused.

A department sees by it what its systems have to mend. Counted is in the transaction of the portion or batch, so that a
run that was killed and goes on counts nothing twice; a file that is brought in anew begins its counts anew. Kept are
numbers alone: a reason names a field only where the catalogue has it, and no value of a row.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from idservice import expiry
from idservice.db import table_of
from idservice.errors import Problem
from licences import catalogue
from licences.collection import refusal_words
from licences.collection.models import CollectedRefusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from idservice.call import Call
    from licences.collection.rows import Known
    from licences.definition import LicenceType

KEPT: Final = timedelta(days=90)
MOST_LISTED: Final = 200
_LONGEST_REASON: Final = 64
_table = table_of(CollectedRefusal)
_KEY: Final = ("batch", "department", "type_code", "reason")
_Count = Counter[tuple[str, str, str]]  # by department, type and reason

expiry.sweep_also(CollectedRefusal.batch, CollectedRefusal.counted_at, KEPT)


def note_lines(
    known: Known,
    call: Call,
    import_name: str,
    refused: Iterable[tuple[Mapping[str, str], Sequence[str]]],
    *,
    begins: bool,
) -> None:
    """Count refused lines of a file; whose nobody can tell, for they name no department, are in its rejects alone."""
    if begins:
        call.connection.execute(delete(_table).where(_table.c.batch == import_name))
    departments = frozenset(code for issuing in known.departments.values() for code in issuing)
    counts: _Count = Counter()
    for values, reasons in refused:
        kind = known.types.get(values.get("type", known.type_code or ""))
        if (department := _sender(known, kind, values, departments)) is not None:
            counts.update((department, kind.code if kind else "", _folded(reason, kind)) for reason in reasons)
    _add(call, import_name, counts)


def note_rows(
    call: Call, known: Known, batch_id: str, refused: Iterable[tuple[Mapping[str, Any], Sequence[str]]]
) -> None:
    """Count refused rows of a batch, all of which its department sent."""
    counts: _Count = Counter()
    for given, reasons in refused:
        named = given.get("type", given.get("证照类型代码"))
        kind = known.types.get(named) if isinstance(named, str) else None
        of = known.department or "", kind.code if kind else ""
        counts.update((*of, _folded(reason, kind)) for reason in reasons)
    _add(call, batch_id, counts)


def listed(call: Call, department: str) -> list[dict[str, Any]]:
    """Return the newest counts of a department, `MOST_LISTED` at most, those of one import or batch together.

    Raises:
        Problem: forbidden.
    """
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    table = CollectedRefusal
    asked = (
        select(table)
        .where(table.department == department)
        .order_by(table.counted_at.desc(), table.batch, table.type_code, table.refused.desc(), table.reason)
        .limit(MOST_LISTED)
    )
    return [
        {
            "batch": row.batch,
            "type": row.type_code or None,
            "reason": row.reason,
            "rows": row.refused,
            "next": refusal_words.next_step(row.reason),
            "counted_at": row.counted_at,
        }
        for row in call.session.scalars(asked)
    ]


def _sender(
    known: Known, kind: LicenceType | None, values: Mapping[str, str], departments: frozenset[str]
) -> str | None:
    """Return the department that a row is from: as it says, as was given with the file, or the usual issuer."""
    named = values.get("department", known.department)
    if named in departments:
        return named
    issuing = known.departments.get(kind.code, ()) if kind is not None else ()
    return issuing[0] if issuing else known.department


def _folded(reason: str, kind: LicenceType | None) -> str:
    """Return a reason without what the row itself brought: names of fields that no type has."""
    head, colon, code = reason.partition(":")
    if not colon:
        return reason[:_LONGEST_REASON]
    if head.startswith("field."):
        names = {one.name for one in kind.fields} if kind is not None else set()
        return reason[:_LONGEST_REASON] if head.removeprefix("field.") in names else f"field:{code}"[:_LONGEST_REASON]
    return head[:_LONGEST_REASON]


def _add(call: Call, batch: str, counts: _Count) -> None:
    if not counts:
        return
    made = [
        dict(zip(_KEY, (batch, *of), strict=True)) | {"refused": count, "counted_at": call.now}
        for of, count in sorted(counts.items())
    ]
    dialect = sqlite if call.connection.dialect.name == "sqlite" else postgresql
    added = dialect.insert(_table)
    more = {"refused": _table.c.refused + added.excluded.refused, "counted_at": added.excluded.counted_at}
    call.connection.execute(added.on_conflict_do_update(index_elements=list(_KEY), set_=more), made)

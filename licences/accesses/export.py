"""The holder's record as a file of his own (用证记录导出): JSON with a proof of each look, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice import accesses, audit
from idservice.models import AccessRecord
from licences.accesses import proofs
from licences.deeds import Deed

if TYPE_CHECKING:
    from idservice.call import Call

MOST: Final = 1000  # looks in one file; the next one begins at `next_cursor`
COLUMNS: Final = (
    "id", "at", "act", "who", "unit", "acting", "purpose", "matter", "case_number", "fields", "basis", "log_index",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_json(call: Call, **wanted: Any) -> dict[str, Any]:
    """Return the caller's own records with what proves each to stand in the log, newest first.

    Args:
        call: the call.
        wanted: cursor, year and unit, as `accesses.of_holder` takes them.

    Raises:
        Problem: forbidden.
    """
    found = _read(call, wanted)
    holder, names = accesses.holder_of(call), [item["id"] for item in found["items"]]
    records = select(AccessRecord).where(AccessRecord.subject == holder, AccessRecord.record_id.in_(names))
    proved = proofs.of_records(call, list(call.session.scalars(records)))
    items = [item | {"at": item["at"].isoformat(), "proof": proved.get(item["id"])} for item in found["items"]]
    return {"log": f"{call.settings.issuer}/log", "items": items, "next_cursor": found["next_cursor"]}


def as_csv(call: Call, **wanted: Any) -> str:
    """Return the caller's own records as RFC 4180, newest first; what would be a formula there is made text.

    Raises:
        Problem: forbidden.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for item in _read(call, wanted)["items"]:
        told = item | {"at": item["at"].isoformat(), "fields": " ".join(item["fields"])}
        writer.writerow([_cell(told[name]) for name in COLUMNS])
    return file.getvalue()


def json_text(call: Call, **wanted: Any) -> str:
    """Return `as_json` as text."""
    return json.dumps(as_json(call, **wanted), ensure_ascii=False, indent=1)


def _read(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    found = accesses.of_holder(call, limit=MOST, **wanted)
    audit.record(call, Deed.ACCESSES_EXPORTED, subject=accesses.holder_of(call), rows=len(found["items"]))
    return found


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

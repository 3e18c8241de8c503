"""Collection by API (批量归集): up to 500 rows in one request, and one answer for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_

from idservice import audit
from idservice.errors import Problem
from idservice.ids import timed_id
from idservice.register.importing_rows import RowRefused
from licences import catalogue
from licences.collection import approving, entering, refusals, rows
from licences.collection.models import CollectedLicence
from licences.deeds import Deed
from licences.lifecycle import local_day

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.collection.rows import Known, Row


def bring_in(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Enter the rows of a batch; a bad row costs nothing but itself.

    Raises:
        Problem: forbidden, if the caller may not act for the department.
    """
    department: str = body["department"]
    if not catalogue.is_issuer(call, department):
        raise Problem("forbidden", "You may not act for that department.")
    known = entering.known(call, department=department)
    results: list[dict[str, Any]] = []
    good: list[Row] = []
    seen: set[bytes] = set()
    for line, given in enumerate(body["rows"]):
        try:
            good.append(_row(known, call, line, given, seen))
        except RowRefused as error:
            results.append({"row": line, "outcome": "refused", "reasons": list(error.reasons)})
    outcome = entering.take(call, good, dry_run=False)
    results += [{"row": line, "outcome": "refused", "reasons": list(reasons)} for line, reasons in outcome.rejects]
    refused = {result["row"] for result in results}
    results += [{"row": row.line, "outcome": "entered", "reasons": []} for row in good if row.line not in refused]
    told: dict[str, Any] = {name: getattr(outcome, name) for name in ("added", "changed", "unchanged")}
    told["refused"] = len(refused)
    batch_id = timed_id(call.now)
    refused_rows = ((body["rows"][one["row"]], one["reasons"]) for one in results if one["reasons"])
    refusals.note_rows(call, known, batch_id, refused_rows)
    audit.record(call, Deed.COLLECTED, batch=batch_id, department=department, **told)
    return {"id": batch_id, **told, "results": sorted(results, key=lambda result: int(result["row"]))}


def _row(known: Known, call: Call, line: int, given: Mapping[str, Any], seen: set[bytes]) -> Row:
    """Return one row of a batch, checked, and add what names it to `seen`; raises `RowRefused`."""
    row = rows.prepare(known, call.cipher, line, _flat(given), local_day(call.now))
    if row.department != known.department:
        raise RowRefused("department")
    if row.hashes[0] in seen:
        raise RowRefused("twice")
    if call.caller.person is not None and known.types[row.type_code].sensitive:
        raise RowRefused(approving.PARKED)  # he would be the only one: he asks with a change request
    seen.add(row.hashes[0])
    return row


def listed(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """Return one page of what a department sent, in the order of keys: its state, and why it is not sealed.

    Raises:
        Problem: forbidden.
    """
    if not catalogue.is_issuer(call, query["department"]):
        raise Problem("forbidden", "You may not act for that department.")
    table = CollectedLicence
    asked = select(table).where(table.department == query["department"])
    if query["state"] is not None:
        asked = asked.where(table.state == query["state"])
    if query["cursor"] is not None:
        subject, source = query["cursor"][:32], bytes.fromhex(query["cursor"][32:])
        asked = asked.where(tuple_(table.subject, table.source) > (subject, source))
    found = list(call.session.scalars(asked.order_by(table.subject, table.source).limit(query["limit"] + 1)))
    page = found[: query["limit"]]
    items = [_told(call, row) for row in page]
    return {"items": items, "next_cursor": page[-1].subject + page[-1].source.hex() if len(found) > len(page) else None}


def _told(call: Call, row: CollectedLicence) -> dict[str, Any]:
    return {
        "type": row.type_code,
        "number": rows.open_record(call.cipher, row.source, row.record_sealed)["number"],
        "state": row.state,
        "reason": row.reason,
        "identifier": row.identifier,
        "updated_on": row.updated_on,
        "collected_at": row.collected_at,
    }


def _flat(given: Mapping[str, Any]) -> dict[str, str]:
    """Return a row as a table would hold it; raises `RowRefused`."""
    fields = given.get("fields", {})
    flat = {name: value for name, value in given.items() if name != "fields"} | {
        f"field.{name}": value for name, value in (fields.items() if isinstance(fields, Mapping) else ())
    }
    if strangers := flat.keys() - rows.MEMBERS.keys() - {name for name in flat if name.startswith("field.")}:
        raise RowRefused(*(f"unknown:{name[:40]}" for name in sorted(strangers)[:5]))
    others = flat.get("co_holders")
    if isinstance(others, list) and all(isinstance(number, str) for number in others):
        flat["co_holders"] = ";".join(others)
    if not all(isinstance(value, str | int) or value is None for value in flat.values()):
        raise RowRefused("json")
    return {rows.MEMBERS.get(name, name): _text(value) for name, value in flat.items() if value not in {None, ""}}


def _text(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()

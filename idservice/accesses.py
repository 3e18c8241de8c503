"""Who looked at my data (用证留痕): the holder's own access records, as an API operation and for the pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from idservice.audit import SALT
from idservice.call import Call
from idservice.errors import Problem
from idservice.http.endpoint import endpoint
from idservice.models import AccessRecord, AuditEntry
from idservice.oauth import mandate_detail

blueprint = Blueprint("accesses", __name__, url_prefix="/v1", description="Who looked at my data")

CITY = ZoneInfo("Asia/Shanghai")
MOST_READ = 2000  # records that one request opens in search of those of a unit
_AT_ONCE = 200


class PageQuery(Schema):
    """Keyset paging: an opaque cursor, never a page number."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"^[0-9a-f]{32}$"))


class AccessesQuery(PageQuery):
    """Which of the holder's records."""

    year = fields.Integer(load_default=None, validate=validate.Range(2000, 2999))
    unit = fields.String(
        load_default=None,
        validate=validate.Length(1, 100),
        metadata={"description": "Part of the unit's name. A page may be short, or empty, and yet have a next one"},
    )


class AccessSchema(Schema):
    """One look at the holder's data."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    act = fields.String(required=True)
    who = fields.String(allow_none=True)
    unit = fields.String(allow_none=True)
    acting = fields.String(allow_none=True, metadata={"description": "Who acted for the holder, masked"})
    purpose = fields.String(allow_none=True)
    matter = fields.String(allow_none=True)
    case_number = fields.String(allow_none=True)
    fields_ = fields.List(fields.String(), data_key="fields", attribute="fields")
    basis = fields.String(allow_none=True)
    law = fields.String(allow_none=True, metadata={"description": "Of a look by law: the provision"})
    log_index = fields.Integer(allow_none=True, metadata={"description": "Null until sequenced, at most 10 s"})


class AccessesSchema(Schema):
    """A page of accesses, newest first."""

    items = fields.List(fields.Nested(AccessSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


def of_holder(
    call: Call, *, limit: int, cursor: str | None = None, year: int | None = None, unit: str | None = None
) -> dict[str, Any]:
    """Return a page of the caller's own access records, newest first, with the cursor of the next page.

    Args:
        call: the call.
        limit: how many at most.
        cursor: where the page before ended.
        year: of the city's calendar.
        unit: a part of the unit's name. Names are encrypted, so at most `MOST_READ` records are opened for a page.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    items: list[dict[str, Any]] = []
    read = 0
    while read < MOST_READ:
        size = min(limit + 1 if unit is None else _AT_ONCE, MOST_READ - read)
        rows = call.session.execute(_query(holder_of(call), cursor=cursor, year=year).limit(size)).all()
        for place, (record, log_index) in enumerate(rows):
            item = shown(call, record, log_index)
            if unit is None or unit.casefold() in (item["unit"] or "").casefold():
                items.append(item)
            cursor = record.record_id
            if len(items) == limit:
                return {"items": items, "next_cursor": cursor if place + 1 < len(rows) or len(rows) == size else None}
        read += len(rows)
        if len(rows) < size:
            return {"items": items, "next_cursor": None}
    return {"items": items, "next_cursor": cursor}


def holder_of(call: Call) -> str:
    """Return the subject whose records the caller may read.

    A record says what was seen, in words; of which licence types it was is not to be told for all, so that a mandate
    limited to some of them reads none.

    Raises:
        Problem: forbidden.
    """
    holder = call.caller.holder
    if holder is None:
        raise Problem("forbidden", "Only a logged-in holder has access records.")
    mandate_detail.demand_whole(call)
    return holder


def find(call: Call, record_id: str) -> AccessRecord:
    """Return one of the caller's own records.

    Raises:
        Problem: forbidden; not_found.
    """
    found = call.session.get(AccessRecord, (holder_of(call), record_id))
    if found is None:
        raise Problem("not_found", "There is no such record of yours.")
    return found


def shown(call: Call, record: AccessRecord, log_index: int | None) -> dict[str, Any]:
    """Return a record in the shape of `AccessSchema`."""
    facts = {name: value for name, value in json.loads(text_of(call, record)).items() if name != SALT}
    nothing = dict.fromkeys(("who", "unit", "acting", "purpose", "matter", "case_number", "basis", "law"))
    stated = {"id": record.record_id, "at": record.at, "act": record.act, "log_index": log_index}
    return {**nothing, "fields": [], **facts, **stated}


def text_of(call: Call, record: AccessRecord) -> str:
    """Return the facts of a record as they were recorded: the bytes whose digest is in the audit row."""
    place = {"table": "access_record", "column": "facts_sealed", "row": record.record_id}
    return call.cipher.open(record.facts_sealed, **place).decode()  # type: ignore[arg-type]  # no place is a version


def _query(holder: str, *, cursor: str | None, year: int | None) -> Any:
    query = (
        select(AccessRecord, AuditEntry.log_index)
        .outerjoin(AuditEntry, AuditEntry.entry_id == AccessRecord.audit_id)
        .where(AccessRecord.subject == holder)
        .order_by(AccessRecord.record_id.desc())
    )
    if cursor is not None:
        query = query.where(AccessRecord.record_id < cursor)
    if year is not None:
        query = query.where(AccessRecord.record_id.between(_first(year), _first(year + 1)))
    return query


def _first(year: int) -> str:
    """Return where the identifiers of a year begin: they begin with their milliseconds (`ids.timed_id`)."""
    moment = datetime(year, 1, 1, tzinfo=CITY).astimezone(UTC)
    return f"{int(moment.timestamp() * 1000):012x}"


@endpoint(blueprint, "GET", "/accesses", scope="accesses.read", query=AccessesQuery, answer=AccessesSchema)
def list_accesses(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List who looked at the holder's data, what, when and why, newest first."""
    return of_holder(call, **query)

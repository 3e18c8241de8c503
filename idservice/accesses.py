"""Who looked at my data (用证留痕): the holder's own access records, as an API operation and for the pages."""

from __future__ import annotations

import json
from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from sqlalchemy import select

from idservice.call import Call
from idservice.errors import Problem
from idservice.http.endpoint import endpoint
from idservice.models import AccessRecord, AuditEntry

blueprint = Blueprint("accesses", __name__, url_prefix="/v1", description="Who looked at my data")


class PageQuery(Schema):
    """Keyset paging: an opaque cursor, never a page number."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"^[0-9a-f]{32}$"))


class AccessSchema(Schema):
    """One look at the holder's data."""

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
    log_index = fields.Integer(allow_none=True, metadata={"description": "Null until sequenced, at most 10 s"})


class AccessesSchema(Schema):
    """A page of accesses, newest first."""

    items = fields.List(fields.Nested(AccessSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


def of_holder(call: Call, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """Return a page of the caller's own access records, newest first, with the cursor of the next page.

    Raises:
        Problem: forbidden, where the caller is no holder.
    """
    holder = call.caller.holder
    if holder is None:
        raise Problem("forbidden", "Only a logged-in holder has access records.")
    query = (
        select(AccessRecord, AuditEntry.log_index)
        .outerjoin(AuditEntry, AuditEntry.entry_id == AccessRecord.audit_id)
        .where(AccessRecord.subject == holder)
        .order_by(AccessRecord.record_id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(AccessRecord.record_id < cursor)
    rows = call.session.execute(query).all()
    items = [_item(call, record, log_index) for record, log_index in rows[:limit]]
    return {"items": items, "next_cursor": rows[limit - 1][0].record_id if len(rows) > limit else None}


def _item(call: Call, record: AccessRecord, log_index: int | None) -> dict[str, Any]:
    sealed = record.facts_sealed
    facts = json.loads(call.cipher.open(sealed, table="access_record", column="facts_sealed", row=record.record_id))
    nothing = dict.fromkeys(("who", "unit", "acting", "purpose", "matter", "case_number", "basis"))
    return {**nothing, "fields": [], **facts, "at": record.at, "act": record.act, "log_index": log_index}


@endpoint(blueprint, "GET", "/accesses", scope="accesses.read", query=PageQuery, answer=AccessesSchema)
def list_accesses(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List who looked at the holder's data, what, when and why, newest first."""
    return of_holder(call, limit=query["limit"], cursor=query["cursor"])

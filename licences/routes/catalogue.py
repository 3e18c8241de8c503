"""The two public lists: licence types and matters. Cacheable; they change when an administrator changes them."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema

from idservice.call import Call
from idservice.http.endpoint import encode, endpoint, json_response
from licences import catalogue
from licences.counter import matters
from licences.counter.schemas import MattersSchema
from licences.schemas import TypesSchema

types = Blueprint("licence_types", __name__, url_prefix="/v1", description="The catalogue of licence types")
matter_list = Blueprint("matters", __name__, url_prefix="/v1", description="The list of matters")

SECONDS = 60
LIMIT = "6000/minute"


@endpoint(types, "GET", "/licence-types", scope=None, answer=TypesSchema, limit=LIMIT)
def list_licence_types(call: Call) -> Response:
    """List the licence types with their fields, an example for each, and the departments that issue them."""
    items = []
    for entry in catalogue.entries(call).values():
        issuers = [{"name": a.name, "code": a.department} for a in entry.authorities]
        items.append({**entry.type.as_json(), "issuers": issuers})
    return _cacheable(TypesSchema(), items)


@endpoint(matter_list, "GET", "/matters", scope=None, answer=MattersSchema, limit=LIMIT)
def list_matters(call: Call) -> Response:
    """List the matters, the proofs each needs, and the fields of each proof."""
    return _cacheable(MattersSchema(), [matter.as_json() for matter in matters.entries(call).values()])


def _cacheable(schema: Schema, items: list[dict[str, Any]]) -> Response:
    response = json_response(encode(schema, {"items": items, "next_cursor": None}), 200)
    response.cache_control.public = True
    response.cache_control.max_age = SECONDS
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]

"""The two public lists, licence types and matters, and the entering of licence types.

The lists are cacheable; they change when an officer or an administrator changes them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import encode, endpoint, json_response
from licences import catalogue, catalogue_change
from licences.catalogue import Entry
from licences.catalogue_schemas import TypeBody, TypeEnteredSchema, TypeQuery, TypesQuery, TypeVersionSchema
from licences.counter import matters
from licences.counter.schemas import MattersSchema
from licences.schemas import TypesSchema

types = Blueprint("licence_types", __name__, url_prefix="/v1", description="The catalogue of licence types")
matter_list = Blueprint("matters", __name__, url_prefix="/v1", description="The list of matters")

SECONDS = 60
LIMIT = "6000/minute"
_VERSION = TypeVersionSchema()


@endpoint(types, "GET", "/licence-types", scope=None, query=TypesQuery, answer=TypesSchema, limit=LIMIT)
def list_licence_types(call: Call, query: dict[str, Any]) -> Response:
    """List licence types by code, each with its fields, an example for each, and the departments that issue it."""
    limit = query["limit"]
    found = catalogue.search(
        call, text=query.get("q", ""), kind=query["holder_kind"], after=query["cursor"], limit=limit
    )
    more = found[limit - 1].type.code if len(found) > limit else None
    return _cacheable(encode(TypesSchema(), {"items": [_item(entry) for entry in found[:limit]], "next_cursor": more}))


@endpoint(types, "GET", "/licence-types/<code>", scope=None, query=TypeQuery, limit=LIMIT)
def read_licence_type(call: Call, code: str, query: dict[str, Any]) -> Response:
    """Return one licence type as it is, or as one of its versions was, and when each version was entered."""
    entry = catalogue.find(call, code)
    version = query["version"] or entry.version
    shown = Entry(catalogue.type_at(call, code, version), entry.authorities, version)
    versions = _VERSION.dump(catalogue_change.history(call, code), many=True)
    return _cacheable(encode(None, {**_item(shown), "latest_version": entry.version, "versions": versions}))


@endpoint(
    types,
    "POST",
    "/licence-types",
    scope="catalogue.manage",
    body=TypeBody,
    answer=TypeEnteredSchema,
    status=201,
    write=True,
)
def enter_licence_type(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Enter a licence type or its next version; it is in use at once, and licences keep the version they have."""
    done = catalogue_change.enter(call, body)
    return {"code": done.type.code, "version": done.version, "changes": [asdict(change) for change in done.changes]}


@endpoint(matter_list, "GET", "/matters", scope=None, answer=MattersSchema, limit=LIMIT)
def list_matters(call: Call) -> Response:
    """List the matters, the proofs each needs, and the fields of each proof."""
    items = [matter.as_json() for matter in matters.entries(call).values()]
    return _cacheable(encode(MattersSchema(), {"items": items, "next_cursor": None}))


def _item(entry: Entry) -> dict[str, Any]:
    issuers = [{"name": found.name, "code": found.department} for found in entry.authorities]
    return {**entry.type.as_json(), "version": entry.version, "issuers": issuers}


def _cacheable(body: bytes) -> Response:
    response = json_response(body, 200)
    response.cache_control.public = True
    response.cache_control.max_age = SECONDS
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]

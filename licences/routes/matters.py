"""One matter and its versions, for everybody; and entering a matter, for the system administrator."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Call
from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import endpoint
from licences.counter import matter_file, matters
from licences.counter.schemas import MatterBody, MatterEnteredSchema, MatterVersionSchema, MatterVersionsSchema
from licences.record_reader import DefinitionError

blueprint = Blueprint("matter_versions", __name__, url_prefix="/v1", description="Matters, version by version")


@endpoint(
    blueprint,
    "POST",
    "/matters",
    scope="admin.manage",
    body=MatterBody,
    answer=MatterEnteredSchema,
    status=201,
    write=True,
)
def enter_matter(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Enter a matter as a new version; one that says the same as the newest changes nothing."""
    roles.demand(call, Role.SYSTEM)
    try:
        [(matter, fate)] = matter_file.enter(call, [("definition", body["definition"])])
    except DefinitionError as error:
        raise Problem("invalid", "", errors=[FieldProblem("/definition", "definition", str(error))]) from None
    return {"code": matter.code, "version": matter.version, "result": fate}


@endpoint(blueprint, "GET", "/matters/<code>/versions", scope=None, answer=MatterVersionsSchema)
def list_versions(call: Call, code: str) -> dict[str, Any]:
    """List the versions of a matter, the newest first; a look-up states under which it ran."""
    found = matters.versions(call, code)
    if not found:
        raise Problem("not_found", "There never was such a matter; GET /v1/matters lists them.")
    return {"items": found, "next_cursor": None}


@endpoint(blueprint, "GET", "/matters/<code>/versions/<int:number>", scope=None, answer=MatterVersionSchema)
def read_version(call: Call, code: str, number: int) -> Any:
    """Read a matter as it stood in one of its versions."""
    return matters.version(call, code, number)

"""Issue, list, read and change licences."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences import change, issue, metadata_form, read, view, wallet
from licences.detail_types import LICENCE_ISSUE
from licences.issue import Intent
from licences.schemas import (
    ChangeBody,
    ChangedSchema,
    IssueBody,
    LicenceQuery,
    LicenceSchema,
    LicencesQuery,
    LicencesSchema,
)

blueprint = Blueprint("licences", __name__, url_prefix="/v1", description="Electronic licences")


@endpoint(
    blueprint,
    "POST",
    "/licences",
    scope="licences.issue",
    body=IssueBody,
    answer=LicenceSchema,
    status=201,
    write=True,
    prepare=issue.intend,
    detail=LICENCE_ISSUE.name,
)
def issue_licence(call: Call, body: dict[str, Any], prepared: Intent) -> dict[str, Any]:  # noqa: ARG001 - checked in `intend`
    """Issue a licence: recorded, sealed by the department, signed, verified by our own verifier, stored."""
    return view.whole(call, issue.issue(call, prepared))


@endpoint(blueprint, "GET", "/licences", scope="licences.read", query=LicencesQuery, answer=LicencesSchema, write=True)
def list_licences(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List licences: a person his own; a client, or an officer who names his `department`, those it issued."""
    if call.caller.person is not None and query["department"] is None:
        found = wallet.own(
            call, type_code=query["type"], state=query["state"], limit=query["limit"], cursor=query["cursor"]
        )
    else:
        found = read.issued(call, query)
    shown, more = found[: query["limit"]], len(found) > query["limit"]
    return {
        "items": [view.summary(call, licence) for licence in shown],
        "next_cursor": shown[-1].identifier if more else None,
    }


@endpoint(
    blueprint,
    "GET",
    "/licences/<identifier>",
    scope="licences.read",
    query=LicenceQuery,
    answer=LicenceSchema,
    write=True,
)
def read_licence(call: Call, identifier: str, query: dict[str, Any]) -> dict[str, Any]:
    """Read one licence whole, as its holder or as its issuer; the look is on the holder's record."""
    licence = read.read(call, identifier, fields=["whole_licence"])
    whole = view.whole(call, licence)
    return whole if query["form"] == "licence" else whole | metadata_form.of_licence(call, licence)


def intend_change(call: Call, identifier: str, body: dict[str, Any]) -> Intent | None:
    """Record what is about to be signed, where the change makes a next version."""
    return change.intend(call, identifier, body)


@endpoint(
    blueprint,
    "POST",
    "/licences/<identifier>/changes",
    scope="licences.change",
    body=ChangeBody,
    answer=ChangedSchema,
    status=201,
    write=True,
    prepare=intend_change,
)
def change_licence(call: Call, identifier: str, body: dict[str, Any], prepared: Intent | None) -> dict[str, Any]:
    """Suspend, resume, revoke, cancel, renew or correct a licence; the last two answer with the new version.

    The answer is the whole licence, and stands as a look on the record of its holders.
    """
    done = change.change(call, identifier, body, prepared)
    read.put_on_record(call, done["licence"], fields=["whole_licence"])
    return {**view.whole(call, done["licence"]), "id": done["id"], "change": done["change"], "at": done["at"]}

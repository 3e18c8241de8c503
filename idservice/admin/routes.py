"""Administration over the API: apps, people, organisations, mandates, approvals and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from idservice.accesses import PageQuery
from idservice.admin import approvals, client_acts, person_acts, roles, view
from idservice.admin.acts import RiskyAct
from idservice.admin.roles import Role
from idservice.admin.schemas import (
    AdminClientsSchema,
    ApprovalSchema,
    ApprovalsQuery,
    ApprovalsSchema,
    AskedSchema,
    ClientChangeBody,
    ClientCreateBody,
    ClientsQuery,
    DecisionBody,
    FoundSchema,
    GuardianBody,
    LogEntriesSchema,
    OrganisationChangeBody,
    PersonChangeBody,
    RevocationBody,
    SearchBody,
)
from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import endpoint
from idservice.oauth import client_settings
from idservice.oauth.client_schema import ClientSettingsSchema

if TYPE_CHECKING:
    from idservice.admin.approvals import Asked
    from idservice.call import Call

blueprint = Blueprint("administration", __name__, url_prefix="/v1/admin", description="Administration")

SCOPE = "admin.manage"
DONE = {"request": None, "state": "done"}
ON_PEOPLE = {
    "disable": RiskyAct.PERSON_DISABLE,
    "enable": RiskyAct.PERSON_ENABLE,
    "confirm": RiskyAct.PERSON_CONFIRM,
    "activation_code": RiskyAct.FACTOR_ACTIVATE,
    "reset_factors": RiskyAct.FACTOR_RESET,
    "give_role": RiskyAct.ROLE_GIVE,
    "take_role": RiskyAct.ROLE_TAKE,
}


@endpoint(blueprint, "GET", "/clients", scope=SCOPE, query=ClientsQuery, answer=AdminClientsSchema)
def list_clients(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List all apps by identifier."""
    roles.demand(call)
    rows = client_acts.listed(call, limit=query["limit"], cursor=query["cursor"])
    shown = rows[: query["limit"]]
    return {"items": shown, "next_cursor": shown[-1].client_id if len(rows) > len(shown) else None}


@endpoint(blueprint, "POST", "/clients", scope=SCOPE, body=ClientCreateBody, answer=AskedSchema, status=201, write=True)
def create_client(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a new app; its secret is shown here, once, and works when another administrator has approved."""
    return _asked(approvals.ask(call, RiskyAct.CLIENT_CREATE, body))


@endpoint(blueprint, "GET", "/clients/<identifier>/settings", scope=SCOPE, answer=ClientSettingsSchema)
def read_client_settings(call: Call, identifier: str) -> dict[str, Any]:
    """Read all that is registered of an app, in the form in which it is changed."""
    roles.demand(call)
    return client_settings.read(call, client_acts.find(call, identifier))


@endpoint(
    blueprint,
    "POST",
    "/clients/<identifier>/changes",
    scope=SCOPE,
    body=ClientChangeBody,
    answer=AskedSchema,
    status=201,
    write=True,
)
def change_client(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Disable an app at once, or ask for other settings, a new secret, a wider scope, or to enable it.

    Settings that only take something away (a scope, an address, a key) hold at once.
    """
    facts: dict[str, Any] = {"client_id": identifier}
    match body["change"]:
        case "disable":
            roles.demand(call, Role.SYSTEM, Role.SECURITY)
            client_acts.disable(call, identifier)
            return {**DONE, **facts}
        case "settings":
            facts["settings"] = _needed(body, "settings")
            if client_acts.narrow(call, identifier, facts["settings"]):
                return {**DONE, "client_id": identifier}
            return _asked(approvals.ask(call, RiskyAct.CLIENT_CHANGE, facts))
        case "rotate_secret":
            facts["overlap_hours"] = body["overlap_hours"]
            return _asked(approvals.ask(call, RiskyAct.CLIENT_ROTATE, facts))
        case "widen_scope":
            facts["scope"] = _needed(body, "scope")
            return _asked(approvals.ask(call, RiskyAct.CLIENT_WIDEN, facts))
    return _asked(approvals.ask(call, RiskyAct.CLIENT_ENABLE, facts))


@endpoint(
    blueprint, "POST", "/searches", scope=SCOPE, body=SearchBody, answer=FoundSchema, write=True, limit="60/minute"
)
def find_by_number(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Find a person or an organisation by exact number; the look goes on their record."""
    roles.demand(call, Role.SYSTEM, Role.SECURITY)
    return view.found(call, *person_acts.find(call, body["number"]))


@endpoint(
    blueprint,
    "POST",
    "/people/<identifier>/changes",
    scope=SCOPE,
    body=PersonChangeBody,
    answer=AskedSchema,
    status=201,
    write=True,
)
def change_person(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask to disable, enable or confirm an account, to give it a role or take it away; lay one's own down at once.

    Or ask for a code by which staff add their first second factor: it is shown here, once, and works when approved.
    Or ask to take away the second factors that staff have lost: their sessions end, and the next one needs a code.
    """
    facts = {"subject": identifier}
    match body["change"]:
        case "take_role" if identifier == call.caller.person:
            person_acts.lay_down_role(call)
            return DONE
        case "give_role":
            facts["role"] = _needed(body, "role")
    return _asked(approvals.ask(call, ON_PEOPLE[body["change"]], facts), told_as="activation_code")


@endpoint(
    blueprint,
    "POST",
    "/organisations/<identifier>/changes",
    scope=SCOPE,
    body=OrganisationChangeBody,
    answer=AskedSchema,
    status=201,
    write=True,
)
def change_organisation(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask to disable an organisation, so that nobody acts for it, or to enable it."""
    is_end = body["change"] == "disable"
    act = RiskyAct.ORGANISATION_DISABLE if is_end else RiskyAct.ORGANISATION_ENABLE
    return _asked(approvals.ask(call, act, {"organisation": identifier}))


@endpoint(
    blueprint,
    "POST",
    "/mandate-revocations",
    scope=SCOPE,
    body=RevocationBody,
    answer=AskedSchema,
    status=201,
    write=True,
)
def revoke_mandate(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask to revoke a mandate by office."""
    facts = {"subject": body["subject"], "mandate_id": body["mandate"]}
    return _asked(approvals.ask(call, RiskyAct.MANDATE_REVOKE, facts))


@endpoint(
    blueprint, "POST", "/guardianships", scope=SCOPE, body=GuardianBody, answer=AskedSchema, status=201, write=True
)
def enter_guardian(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask to enter an adult as the guardian of a minor, until the minor comes of age."""
    return _asked(approvals.ask(call, RiskyAct.GUARDIAN_ENTER, body))


@endpoint(blueprint, "GET", "/approvals", scope=SCOPE, query=ApprovalsQuery, answer=ApprovalsSchema)
def list_approvals(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List requests, newest first: those that wait, or all."""
    rows = approvals.listed(call, limit=query["limit"], cursor=query["cursor"], waiting=query["waiting"])
    shown = rows[: query["limit"]]
    following = shown[-1].request_id if len(rows) > len(shown) else None
    return {"items": [view.request(call, row) for row in shown], "next_cursor": following}


@endpoint(
    blueprint,
    "POST",
    "/approvals/<identifier>/decisions",
    scope=SCOPE,
    body=DecisionBody,
    answer=ApprovalSchema,
    status=201,
    write=True,
)
def decide(call: Call, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    """Approve a request, which does what it asks for, or refuse it; withdraw one's own."""
    if body["decision"] == "withdraw":
        row = approvals.withdraw(call, identifier)
    else:
        row = approvals.decide(call, identifier, approve=body["decision"] == "approve")
    return view.request(call, row)


@endpoint(blueprint, "GET", "/audit-entries", scope=SCOPE, query=PageQuery, answer=LogEntriesSchema, write=True)
def list_log_entries(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List what everybody did, newest first: for the audit administrator alone."""
    rows = view.log_entries(call, limit=query["limit"], cursor=query["cursor"])
    shown = rows[: query["limit"]]
    following = shown[-1].entry_id if len(rows) > len(shown) else None
    return {"items": [view.log_entry(row) for row in shown], "next_cursor": following}


def _asked(asked: Asked, *, told_as: str = "client_secret") -> dict[str, Any]:
    told = {"request": asked.request_id, "state": "waiting", "client_id": asked.facts.get("client_id")}
    return told | ({told_as: asked.secret} if asked.secret is not None else {})


def _needed(body: dict[str, Any], member: str) -> Any:
    if member not in body:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{member}", "required", "needed for this change")])
    return body[member]

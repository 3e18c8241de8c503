"""The administrators' pages of apps: the list, one app, a new one whose secret is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from idservice.admin import approvals, client_acts, roles
from idservice.admin.acts import RiskyAct
from idservice.admin.pages import PAGE, to, word_of
from idservice.admin.roles import Role
from idservice.errors import FieldProblem, Problem
from idservice.http.page import Who, page
from idservice.oauth import scopes
from idservice.oauth.clients import is_identifier

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.models import Client

blueprint = Blueprint("client_pages", __name__, url_prefix="/admin/clients")

METHODS = ("client_secret_basic", "client_secret_post", "none")  # a method that needs keys is entered over the API
GRANTS = ("authorization_code", "refresh_token", "client_credentials")


@page(blueprint, "", who=Who.PERSON)
def index(call: Call) -> str:
    """List the apps by identifier."""
    role = roles.demand(call)
    cursor = request.args.get("cursor")
    if cursor is not None and not is_identifier(cursor):
        raise Problem("bad_request", "The cursor is not one of ours.")
    rows = client_acts.listed(call, limit=PAGE, cursor=cursor)
    following = rows[PAGE - 1].client_id if len(rows) > PAGE else None
    return render_template("control/clients.html", clients=rows[:PAGE], next_cursor=following, role=str(role))


@page(blueprint, "/new", who=Who.PERSON)
def new(call: Call) -> str:
    """Ask for what is registered of an app."""
    return _new_page(call, {})


def _new_again(call: Call, problem: Problem) -> str:
    errors = {error.pointer[1:] or "name": error.message for error in problem.errors}
    return _new_page(call, errors or {"name": word_of(problem)})


@page(blueprint, "/new", who=Who.PERSON, methods=("POST",), write=True, again=_new_again)
def create(call: Call) -> str:
    """Ask for a new app and show its secret, once."""
    form = request.form
    facts: dict[str, Any] = {
        "client_id": form.get("client_id", "").strip() or None,
        "name": form.get("name", "").strip(),
        "unit": form.get("unit", "").strip(),
        "auth_method": form.get("auth_method", ""),
        "grant_types": form.getlist("grant_types"),
        "scope": " ".join(form.getlist("scope")),
        "redirect_uris": form.get("redirect_uris", "").split(),
    }
    missing = [name for name in ("name", "unit", "auth_method", "grant_types", "scope") if not facts[name]]
    if missing:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{name}", "required", "needed") for name in missing])
    return _asked(approvals.ask(call, RiskyAct.CLIENT_CREATE, facts))


@page(blueprint, "/<client_id>", who=Who.PERSON)
def one(call: Call, client_id: str) -> str:
    """Show one app."""
    role = roles.demand(call)
    return _one_page(client_acts.find(call, client_id), role, call)


@page(blueprint, "/<client_id>", who=Who.PERSON, methods=("POST",), write=True)
def change(call: Call, client_id: str) -> Response | str:
    """Disable an app, or ask for a new secret, a wider scope, or to enable it."""
    facts: dict[str, Any] = {"client_id": client_id}
    match request.form.get("change"):
        case "disable":
            roles.demand(call, Role.SYSTEM, Role.SECURITY)
            client_acts.disable(call, client_id)
            return to(f"/admin/clients/{client_id}?done=done")
        case "rotate_secret":
            return _asked(approvals.ask(call, RiskyAct.CLIENT_ROTATE, facts | {"overlap_hours": 24}))
        case "widen_scope":
            approvals.ask(call, RiskyAct.CLIENT_WIDEN, facts | {"scope": " ".join(request.form.getlist("scope"))})
        case "enable":
            approvals.ask(call, RiskyAct.CLIENT_ENABLE, facts)
        case _:
            raise Problem("bad_request", "Choose what is to be done.")
    return to(f"/admin/clients/{client_id}?done=asked")


def _asked(asked: approvals.Asked) -> str:
    return render_template(
        "control/secret.html", client_id=asked.facts["client_id"], secret=asked.secret, role=str(Role.SYSTEM)
    )


def _new_page(call: Call, errors: dict[str, str]) -> str:
    role = roles.demand(call, Role.SYSTEM)
    values = request.form.to_dict() | {name: request.form.getlist(name) for name in ("grant_types", "scope")}
    return render_template(
        "control/client_new.html",
        role=str(role),
        methods=METHODS,
        grants=GRANTS,
        scopes=[{"value": scope.name, "text": scope.name, "hint": scope.zh[0]} for scope in scopes.CATALOGUE.values()],
        values=values,
        errors=errors,
    )


def _one_page(row: Client, role: Role, call: Call) -> str:
    held = set(row.scope.split())
    until = row.previous_secret_until
    return render_template(
        "control/client.html",
        client=row,
        overlap_until=until if until is not None and until > call.now else None,
        more=[{"value": name, "text": name} for name in scopes.CATALOGUE if name not in held],
        role=str(role),
        done=request.args.get("done"),
    )

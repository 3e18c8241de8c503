"""The administrators' pages of apps: the list, one app and its settings, a new one whose secret is shown once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request
from marshmallow import ValidationError

from idservice.admin import approvals, client_acts, roles
from idservice.admin.acts import RiskyAct
from idservice.admin.pages import PAGE, to, word_of
from idservice.admin.roles import Role
from idservice.errors import FieldProblem, Problem
from idservice.http.page import Who, page
from idservice.oauth import client_settings, scopes
from idservice.oauth.client_schema import load_settings
from idservice.oauth.clients import is_identifier
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.models import Client

blueprint = Blueprint("client_pages", __name__, url_prefix="/admin/clients")

METHODS = ("client_secret_basic", "client_secret_post", "none")  # a method that needs keys is entered over the API
LARGEST = 65_536  # of the settings of one app
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


def _settings_again(call: Call, problem: Problem, client_id: str) -> str:
    said = next((error.message for error in problem.errors), word_of(problem))
    return _settings_page(call, client_id, request.form.get("settings", ""), error=said)


@page(blueprint, "/<client_id>/settings", who=Who.PERSON)
def settings(call: Call, client_id: str) -> str:
    """Show all that is registered of an app, to be changed."""
    found = client_settings.read(call, client_acts.find(call, client_id))
    return _settings_page(call, client_id, json.dumps(found, ensure_ascii=False, indent=2))


@page(
    blueprint, "/<client_id>/settings", who=Who.PERSON, methods=("POST",), write=True, again=_settings_again
)  # fmt: skip
def change_settings(call: Call, client_id: str) -> Response | str:
    """Take something from an app at once, or ask for other settings."""
    stated = _stated(request.form.get("settings", ""))
    if client_acts.narrow(call, client_id, stated):
        return to(f"/admin/clients/{client_id}?done=done")
    asked = approvals.ask(call, RiskyAct.CLIENT_CHANGE, {"client_id": client_id, "settings": stated})
    return _asked(asked) if asked.secret is not None else to(f"/admin/clients/{client_id}?done=asked")


def _stated(text: str) -> dict[str, Any]:
    """Return the settings that somebody wrote as JSON.

    Raises:
        Problem: invalid.
    """
    try:
        return load_settings(strict_json(text.encode("utf-8", "surrogatepass"), max_bytes=LARGEST))
    except (StrictJSONError, ValidationError) as error:
        raise Problem("invalid", "", errors=[FieldProblem("/settings", "json", str(error))]) from None


def _settings_page(call: Call, client_id: str, text: str, *, error: str | None = None) -> str:
    role, row = roles.demand(call, Role.SYSTEM), client_acts.find(call, client_id)
    return render_template("control/client_settings.html", client=row, settings=text, error=error, role=str(role))


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

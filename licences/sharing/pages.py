"""The administrators' page of sharing (接口授权): which app may read which type of licence.

The system administrator asks for a permission, the security administrator agrees; either takes one out at once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy import select

from idservice.admin import roles
from idservice.admin.pages import to, word_of
from idservice.admin.roles import Role
from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.models import Client, Department
from licences import catalogue
from licences.counter import matters
from licences.pages import words
from licences.sharing import permissions
from licences.sharing.permissions import Operation

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.sharing.models import SharingPermission

_DEPARTMENTS = select(Department.credit_code, Department.name).order_by(Department.credit_code).limit(500)
blueprint = Blueprint("sharing_pages", __name__, url_prefix="/admin/sharing", template_folder="../templates")


def _again(call: Call, problem: Problem) -> str:
    return _show(call, error=word_of(problem), faults=[fault.pointer.removeprefix("/") for fault in problem.errors])


@page(blueprint, "", who=Who.PERSON)
def overview(call: Call) -> str:
    """Show the permissions, those that wait first."""
    return _show(call)


@page(blueprint, "", who=Who.PERSON, methods=("POST",), write=True, again=_again)
def act(call: Call) -> Response:
    """Ask for a permission, agree to one, or take one out."""
    said, _, what = request.form.get("do", "").partition(".")
    client_id, type_code, asked_at = _named(what)
    match said:
        case "ask":
            roles.demand(call, Role.SYSTEM)
            permissions.ask(call, _wanted())
        case "agree":
            roles.demand(call, Role.SECURITY)
            permissions.agree(call, client_id, type_code, asked_at=asked_at)
        case "revoke":
            roles.demand(call, Role.SYSTEM, Role.SECURITY)
            permissions.revoke(call, client_id, type_code)
        case _:
            raise Problem("bad_request", "Choose what is to be done.")
    return to("/admin/sharing?done=done")


def _named(what: str) -> tuple[str, str, datetime]:
    """Return which permission a button is about, and when that was asked for; of another button nothing that exists."""
    client_id, _, rest = what.partition("|")
    type_code, _, asked_at = rest.partition("|")
    try:
        return client_id, type_code, datetime.fromisoformat(asked_at).astimezone(UTC)
    except ValueError:
        return "", "", datetime.fromtimestamp(0, UTC)


def _wanted() -> dict[str, Any]:
    given = {
        name: request.form.get(name, "").strip() for name in ("client_id", "type", "department", "matter", "ground")
    }
    return given | {"operations": request.form.getlist("operations"), "unattended": "unattended" in request.form}


def _show(call: Call, *, error: str | None = None, faults: list[str] | None = None) -> str:
    role = roles.demand(call, Role.SYSTEM, Role.SECURITY)
    kinds = catalogue.entries(call).values()
    return render_template(
        "control/sharing.html",
        role=str(role),
        error=error,
        faults=faults or [],
        done=request.args.get("done"),
        permissions=[_permission(call, row) for row in permissions.listed(call)],
        operations=[str(one) for one in Operation],
        types=[(entry.type.code, words.name_of(entry.type)) for entry in kinds],
        matters=[(one.code, words.name_of(one)) for one in matters.entries(call).values()],
        departments=[(row.credit_code, row.name) for row in call.session.execute(_DEPARTMENTS)],
        values=request.form.to_dict() | {"operations": request.form.getlist("operations")},
    )


def _permission(call: Call, row: SharingPermission) -> dict[str, Any]:
    client = call.session.get(Client, row.client_id)
    kind, matter = catalogue.entries(call).get(row.type_code), matters.entries(call).get(row.matter)
    return {
        "id": f"{row.client_id}|{row.type_code}|{row.asked_at.isoformat()}",
        "client": client.name if client is not None else row.client_id,
        "client_id": row.client_id,
        "type": words.name_of(kind.type) if kind is not None else row.type_code,
        "operations": row.operations,
        "department": row.department,
        "matter": words.name_of(matter) if matter is not None else row.matter,
        "ground": row.ground,
        "unattended": row.unattended,
        "asked_at": row.asked_at,
        "agreed_at": row.agreed_at,
        "is_own": row.asked_by == call.caller.name_for_log,
    }

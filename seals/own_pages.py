"""A citizen's pages of seals (我的印章): his own and those of the organisations he acts for, and a new one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.register import mandates
from seals import approval, custody, form_once, owners, register, register_pages, standing
from seals.making import draw_svg
from seals.models import Seal, SealApplication
from seals.owner_kinds import KINDS, OwnerKind
from seals.picture_kinds import NAME_SEALS, Kind, chosen
from seals.picture_round import Rank
from seals.register_pages import (
    control_of,
    design_of,
    picture_of,
    posted_body,
    problem_text,
    refusal,
    to_seal,
)
from seals.schemas import SealBody
from seals.uses import listed_uses

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("own_seals", __name__, url_prefix="/me/seals", template_folder="templates")

SELF = "self"
_LISTED = 100
_BODY = SealBody()
_DESIGN_FIELDS = ("kind", "rank", "special", "number", "code")


@dataclass(frozen=True, slots=True)
class Choice:
    """For whom a visitor can apply, and for which kinds."""

    value: str  # SELF, or the organisation's credit code
    name: str
    kinds: tuple[Kind, ...]


@page(blueprint, "", who=Who.PERSON)
def index(call: Call) -> str:
    """Show the seals that are the visitor's own or his organisations', each with its picture and last uses."""
    waiting = [row for state in ("applied", "approved") for row in register.mine(call, SealApplication, state=state)]
    return render_template(
        "seals/own.html",
        waiting=[_shown(call, row) for row in waiting[:_LISTED]],
        seals=[_shown(call, row) for row in register.mine(call, Seal)[:_LISTED]],
        may_apply=bool(_choices(call)) and call.settings.seal_office is not None,
    )


@page(blueprint, "/apply", who=Who.PERSON)
def application(call: Call) -> str:
    """Ask for what a new seal is to be, with a picture of it."""
    step_up.demand(call, Act.APPLY_FOR_SEAL)
    return _application(call, errors={})


def _apply_again(call: Call, problem: Problem) -> str:
    faults = {control_of(fault): problem_text(fault) for fault in problem.errors}
    return _application(call, errors=faults or {"kind": f"{refusal(problem)} {problem.detail}".strip()})


@page(blueprint, "/apply", who=Who.PERSON, methods=("POST",), write=True, again=_apply_again, limit="30/minute")
def apply(call: Call) -> Response | str:
    """Apply, or only show the picture once more; a form posted twice applies once."""
    if "preview" in request.form:
        return _application(call, errors={})
    return to_seal(form_once.once(call, lambda: _apply(call)))


def _apply(call: Call) -> str:
    facts = load(_BODY, _body(), where="form")
    return approval.apply(call, design=chosen(**{name: facts.pop(name) for name in _DESIGN_FIELDS}), **facts).seal_id


def _body() -> dict[str, Any]:
    """Return the posted form as the body of `POST /v1/seals`; the owner is the visitor himself or an organisation."""
    body = posted_body() | {"rank": str(Rank.COMPANY)}
    body.pop("department", None)
    if body.get("organisation") == SELF:
        del body["organisation"]
        if body.get("kind") not in {None, str(Kind.PERSONAL)}:
            raise Problem("invalid", "", errors=[FieldProblem("/kind", "owner", "A person has a name seal.")])
    return body


def _application(call: Call, *, errors: dict[str, str]) -> str:
    choices = _choices(call)
    values = request.form.to_dict()
    values.setdefault("organisation", choices[0].value if choices else SELF)
    chosen_one = next((choice for choice in choices if choice.value == values["organisation"]), None)
    if chosen_one is not None and values.get("kind") not in {str(kind) for kind in chosen_one.kinds}:
        values["kind"] = str(chosen_one.kinds[0])
    drawn = None
    try:
        drawn = register_pages.data_uri("image/svg+xml", _preview(call, values).encode())
    except Problem as problem:
        if request.method == "POST" and not errors:
            errors = {control_of(fault): problem_text(fault) for fault in problem.errors}
            errors = errors or {"kind": refusal(problem)}
    kinds = [kind for kind in Kind if any(kind in choice.kinds for choice in choices)]
    return render_template(
        "seals/own_apply.html",
        choices=[(choice.value, choice.name) for choice in choices],
        kinds=[str(kind) for kind in kinds],
        values=values,
        errors=errors,
        picture=drawn,
        idempotency_key=request.form.get("idempotency_key") or secrets.token_hex(16),
    )


def _preview(call: Call, values: dict[str, str]) -> str:
    design = design_of(values | {"rank": str(Rank.COMPANY)})
    chosen_one = values["organisation"]
    organisation = None if chosen_one == SELF else chosen_one
    owner = owners.applying(call, kind=design.kind, department=None, organisation=organisation)
    return draw_svg(owner.name, design)


def _choices(call: Call) -> list[Choice]:
    """Return for whom the visitor can apply: himself, and the organisations whose seals his mandates reach."""
    person = call.caller.person or ""
    units = tuple(kind for kind in Kind if kind in KINDS[OwnerKind.ORGANISATION])
    found = [Choice(SELF, gettext("本人"), (Kind.PERSONAL,))]
    for live in {one.principal: one for one in mandates.live(call, person)}.values():
        if standing.manages(call, live.principal):
            leads = standing.represents(call, person, live.principal)
            own = tuple(NAME_SEALS - {Kind.PERSONAL}) if leads else ()
            found.append(Choice(live.credit_code, live.organisation, units + own))
    return found


def _shown(call: Call, row: Seal | SealApplication) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "seal": register.shown(call, row),
        "picture": picture_of(call, row),
        "uses": [],
        "may_use": False,
    }
    if isinstance(row, Seal):
        shown["uses"] = listed_uses(call, row.seal_id, limit=1)["items"]
        shown["may_use"] = custody.may_use(call, row)
    return shown

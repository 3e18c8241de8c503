"""The pages of the seal register (用章管理): list, apply with a preview, decide, change, look back."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from idservice.call import Post
from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.models import Department
from seals import approval, contents, custody, form_once, owners, register, standing
from seals.change import change
from seals.decoding import read_seal
from seals.lifecycle import TABLE, Change, State, allowed
from seals.making import draw_svg
from seals.models import Seal, SealApplication
from seals.owner_kinds import OwnerKind
from seals.picture_kinds import Design, chosen
from seals.schemas import ChangeBody, DesignBody, SealBody, UserBody
from seals.uses import history, listed_uses

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("seal_register", __name__, url_prefix="/seals", template_folder="templates")

_APPLICATION, _DESIGN, _CHANGE, _USER = SealBody(), DesignBody(), ChangeBody(), UserBody()
_LISTED = 200
_USES_SHOWN = 20
_DESIGN_FIELDS = ("kind", "rank", "special", "number", "code")


@page(blueprint, "", who=Who.OFFICER)
def index(call: Call) -> str:
    """List the seals of the officer's departments, and the applications that wait."""
    waiting = [
        row
        for state in (State.APPLIED, State.APPROVED)
        for row in register.listed(call, limit=_LISTED, state=state)["items"]
    ]
    return render_template(
        "seals/index.html", seals=register.listed(call, limit=_LISTED)["items"], waiting=waiting, units=_units(call)
    )


# --- apply ---------------------------------------------------------------------------------------------------------


@page(blueprint, "/apply", who=Who.OFFICER)
def application(call: Call) -> str:
    """Ask for what a new seal is to be, with a picture of what it would look like."""
    return _application(call, errors={})


@page(blueprint, "/preview.svg", who=Who.OFFICER)
def preview(call: Call) -> Response:
    """Draw a seal that is being designed; its text is not personal data, so that it may stand in the address."""
    return Response(_preview(call, request.args.to_dict()), content_type="image/svg+xml")


def _apply_again(call: Call, problem: Problem) -> str:
    faults = {control_of(fault): problem_text(fault) for fault in problem.errors}
    return _application(call, errors=faults or {"special": refusal(problem)})


@page(blueprint, "/apply", who=Who.OFFICER, methods=("POST",), write=True, again=_apply_again)
def apply(call: Call) -> Response | str:
    """Apply, or only show the picture once more; a form posted twice applies once."""
    if "preview" in request.form:
        return _application(call, errors={})
    return to_seal(form_once.once(call, lambda: _apply(call)))


def _apply(call: Call) -> str:
    facts = load(_APPLICATION, posted_body(), where="form")
    design = chosen(**{name: facts.pop(name) for name in _DESIGN_FIELDS})
    return approval.apply(call, design=design, **facts).seal_id


def _application(call: Call, *, errors: dict[str, str]) -> str:
    values = request.form.to_dict()
    units = _units(call)
    values.setdefault("department", next(iter(units), ""))
    drawn = None
    try:
        drawn = data_uri("image/svg+xml", _preview(call, values).encode())
    except Problem as problem:
        if request.method == "POST" and not errors:
            errors = {control_of(fault): problem_text(fault) for fault in problem.errors} or {
                "special": refusal(problem)
            }
    return render_template(
        "seals/apply.html",
        units=units,
        values=values,
        errors=errors,
        picture=drawn,
        idempotency_key=request.form.get("idempotency_key") or secrets.token_hex(16),
    )


def _preview(call: Call, values: dict[str, str]) -> str:
    """Return the SVG of what the form's values describe.

    Raises:
        Problem: forbidden, invalid or seal_impossible.
    """
    design = design_of(values)
    owner = owners.applying(call, kind=design.kind, department=values.get("department", ""), organisation=None)
    return draw_svg(owner.name, design)


def design_of(values: dict[str, str]) -> Design:
    """Return what a form says of a seal's looks.

    Raises:
        Problem: invalid.
    """
    given = {name: values[name].strip() for name in _DESIGN_FIELDS if values.get(name, "").strip()}
    return chosen(**load(_DESIGN, given, where="form"))


def posted_body() -> dict[str, Any]:
    """Return the posted form as the body of `POST /v1/seals`."""
    form = {name: value.strip() for name, value in request.form.items()}
    plain = ("department", "organisation", *_DESIGN_FIELDS, "reason", "custodian")
    body: dict[str, Any] = {name: form[name] for name in plain if form.get(name)}
    if form.get("valid_until"):
        body["valid_until"] = f"{form['valid_until']}T23:59:59+08:00"  # the end of that day in China
    for name in ("users", "purposes"):
        if lines := [line.strip() for line in form.get(name, "").splitlines() if line.strip()]:
            body[name] = lines
    if not body.get("reason"):
        raise Problem("invalid", "", errors=[FieldProblem("/reason", "required", "Say what the seal is needed for.")])
    return body


# --- one seal ------------------------------------------------------------------------------------------------------


@page(blueprint, "/<seal_id>", who=Who.PERSON)
def seal(call: Call, seal_id: str) -> str:
    """Show a seal or an application: picture, facts, who may use it, its life and its uses."""
    return _seal_page(call, seal_id, errors={})


def _change_again(call: Call, problem: Problem, seal_id: str) -> str:
    faults = {control_of(fault): problem_text(fault) for fault in problem.errors}
    return _seal_page(call, seal_id, errors=faults or {"change": refusal(problem)})


def _change_wanted() -> dict[str, Any]:
    given = {name: request.form[name].strip() for name in ("change", "reason") if request.form.get(name, "").strip()}
    wanted: dict[str, Any] = load(_CHANGE, given, where="form")
    return wanted


def _make_ahead(call: Call, seal_id: str) -> Seal | None:
    return approval.make_ahead(call, seal_id, _change_wanted()["change"])


@page(
    blueprint,
    "/<seal_id>/changes",
    who=Who.PERSON,
    methods=("POST",),
    write=True,
    ask=_make_ahead,
    again=_change_again,
)
def change_seal(call: Call, seal_id: str, prepared: Seal | None) -> Response:
    """Decide on an application, have the seal made, or change it."""
    wanted = _change_wanted()
    change(call, seal_id, wanted["change"], reason=wanted["reason"], made=prepared)
    return to_seal(seal_id)


def _name_again(call: Call, problem: Problem, seal_id: str) -> str:
    faults = {control_of(fault): problem_text(fault) for fault in problem.errors}
    return _seal_page(call, seal_id, errors=faults or {"who": refusal(problem)})


@page(blueprint, "/<seal_id>/users", who=Who.PERSON, methods=("POST",), write=True, again=_name_again)
def name_user(call: Call, seal_id: str) -> Response:
    """Name somebody who may use the seal, without an end."""
    given = {"who": who} if (who := request.form.get("who", "").strip()) else {}
    body = load(_USER, given, where="form")
    custody.permit(call, register.find(call, seal_id), body["who"], until=body["until"])
    return to_seal(seal_id)


def _seal_page(call: Call, seal_id: str, *, errors: dict[str, str]) -> str:
    found = register.find_application(call, seal_id) or register.look_up(call, seal_id)
    made, is_own = isinstance(found, Seal), standing.owns(call, found)
    return render_template(
        "seals/seal.html",
        seal=register.shown(call, found),
        mine=is_mine(found) and is_own,
        made=made,
        owner=owners.of(call, found).name_kept,
        custodian=custody.shown_as(call, f"person:{found.custodian}") if found.custodian else None,
        picture=picture_of(call, found),
        changes=_offered(call, found),
        needs_second=isinstance(found, SealApplication)
        and found.state == State.APPLIED
        and not approval.may_decide(call, found),
        may_use=isinstance(found, Seal) and is_own and custody.may_use(call, found),
        names_users=found.owner_kind is not OwnerKind.PERSON and is_own,
        users=custody.users(call, seal_id),
        history=history(call, seal_id),
        uses=listed_uses(call, seal_id, limit=_USES_SHOWN)["items"] if made and is_own else None,
        errors=errors,
        values=request.form.to_dict(),
    )


def _offered(call: Call, found: Seal | SealApplication) -> list[Change]:
    """Return the changes that this officer may make now."""
    offered = tuple(deed for deed in allowed(State(found.state)) if standing.may_change(call, found, deed))
    if isinstance(found, SealApplication) and not approval.may_decide(call, found):
        offered = tuple(deed for deed in offered if not TABLE[deed].second_person)
    return list(offered)


def picture_of(call: Call, found: Seal | SealApplication) -> str | None:
    """Return the picture of a seal, or what an application will look like, as a data URI."""
    if isinstance(found, SealApplication):
        try:
            svg = draw_svg(owners.of(call, found).name, Design.of_json(found.design))
        except Problem:
            return None
        return data_uri("image/svg+xml", svg.encode())
    drawn = read_seal(contents.structure(call, found)).info.picture
    return data_uri("image/png", drawn.data) if drawn.kind.upper() == "PNG" else None


def is_mine(found: Seal | SealApplication) -> bool:
    """Return whether a seal is shown in the citizen's area: any but a department's."""
    return found.owner_kind is not OwnerKind.DEPARTMENT


# --- words and places ------------------------------------------------------------------------------------------------


def problem_text(fault: FieldProblem) -> str:
    """Return what is wrong with one field, in the reader's language."""
    words = {
        "required": gettext("请填写"),
        "wording": gettext("字样不合规定：专用章以“专用章”结尾，公章没有字样和编号，发票专用章要有纳税人识别号"),
        "unknown": gettext("不是本部门经办人员或本单位受托人的号码"),
        "too_early": gettext("不能早于现在"),
        "too_late": gettext("晚于制章者证书的有效期"),
        "out_of_range": gettext("不在允许的期限内"),
    }
    return str(words.get(fault.code, gettext("格式不对")))


def refusal(problem: Problem) -> str:
    """Return a refusal in the reader's language."""
    return str(problem.kind.en if language() == "en" else problem.kind.zh)


def control_of(fault: FieldProblem) -> str:
    """Return the id of the field that a pointer means."""
    return fault.pointer.split("/")[1] if "/" in fault.pointer else "reason"


def _units(call: Call) -> dict[str, str]:
    mine = sorted(call.caller.departments_as(Post.OFFICER))
    found = call.session.scalars(select(Department).where(Department.credit_code.in_(mine)))
    return {unit.credit_code: unit.name for unit in sorted(found, key=lambda unit: unit.credit_code)}


def data_uri(media_type: str, data: bytes) -> str:
    """Return what a picture's address says where it stands in the page itself."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def to_seal(seal_id: str) -> Response:
    """Lead to the page of a seal."""
    return redirect(f"/seals/{seal_id}", 303)  # type: ignore[return-value]

"""The officer's pages: issue a licence of his department, find one, change its state (发证管理)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request
from sqlalchemy import select

from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences import catalogue, change, grounds, issue, lifecycle, read
from licences.life import change_requests
from licences.lifecycle import Change, Party, State
from licences.models import LicenceChange
from licences.pages import files, shown, words
from licences.schemas import ChangeBody, IssueBody
from licences.surface import FieldType
from seals import form_once

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.catalogue import Entry
    from licences.definition import LicenceType
    from licences.issue import Intent
    from licences.life.models import ChangeRequest
    from licences.models import Licence

blueprint = Blueprint("admin", __name__, url_prefix="/admin", template_folder="../templates")

_ISSUE, _CHANGE = IssueBody(), ChangeBody()
CHOOSE = ("请选择一项", "Choose one")
NOT_FOUND = ("没有找到这份证照", "No such licence was found")


@page(blueprint, "", who=Who.OFFICER)
def index(call: Call) -> str:
    """List what the officer's department issues, with a way to find one licence."""
    return _index(call)


@page(blueprint, "/licences", who=Who.OFFICER)
def find(call: Call) -> Response | str:
    """Find a licence by its identifier."""
    wanted = request.args.get("identifier", "").strip()
    try:
        found = _issued(call, wanted)
    except Problem:
        return _index(call, error=words.word(NOT_FOUND), values={"identifier": wanted[:192]})
    return redirect(f"/admin/licences/{found.identifier}", 303)  # type: ignore[return-value]


def _index(call: Call, *, error: str | None = None, values: dict[str, str] | None = None) -> str:
    mine = [entry for entry in catalogue.entries(call).values() if _authority(call, entry) is not None]
    authority = next((found for entry in mine if (found := _authority(call, entry)) is not None), None)
    return render_template(
        "admin/index.html",
        department={
            "name": authority.name if authority else "",
            "credit_code": authority.department if authority else "",
        },
        types=[
            {"code": e.type.code, "name": words.name_of(e.type), "holder_kind": str(e.type.holder_kind), "issued": None}
            for e in mine
        ],
        error=error,
        values=values or {},
    )


def _authority(call: Call, entry: Entry) -> catalogue.Authority | None:
    return next((found for found in entry.authorities if catalogue.is_issuer(call, found.department)), None)


# --- issue -------------------------------------------------------------------------------------------------------


@page(blueprint, "/issue/<type_code>", who=Who.OFFICER)
def issue_form(call: Call, type_code: str) -> str:
    """Ask for what stands on a licence of this type."""
    return _issue_page(call, type_code, errors={})


def _intend(call: Call, type_code: str) -> Intent | Response:
    """Record what is about to be signed; a form posted twice leads to what it issued the first time."""
    if (before := form_once.made_before(call)) is not None:
        return _to_issued(before)
    entry = catalogue.find(call, type_code)
    catalogue.authority(call, entry, None)
    _refuse_blanks(entry.type)
    body = load(_ISSUE, _body(entry.type), where="form")
    if entry.type.sensitive:
        return _asked(change_requests.ask(call, {"issue": body}))
    return issue.intend(call, body)


def _refuse_blanks(kind: LicenceType) -> None:
    """Name everything that is not filled in at once; what is filled in wrongly is found later.

    Raises:
        Problem: invalid.
    """
    needed = {"number": "/holder/number"} | {f"field.{f.name}": f"/fields/{f.name}" for f in kind.fields if f.required}
    blank = [pointer for control, pointer in needed.items() if not request.form.get(control, "").strip()]
    if blank:
        raise Problem("invalid", "", errors=[FieldProblem(pointer, "required", "missing") for pointer in blank])


def _issue_again(call: Call, problem: Problem, type_code: str) -> str:
    faults = {_control(fault.pointer): words.fault_text(fault) for fault in problem.errors}
    return _issue_page(call, type_code, errors=faults or {"number": words.problem_text(problem)})


@page(
    blueprint, "/issue/<type_code>", who=Who.OFFICER, methods=("POST",), write=True, prepare=_intend, again=_issue_again
)
def issue_licence(call: Call, type_code: str, prepared: Intent) -> Response:  # noqa: ARG001 - checked in `_intend`
    """Seal, sign and store the licence, and show that it is issued."""
    return _to_issued(form_once.once(call, lambda: issue.issue(call, prepared).identifier))


@page(blueprint, "/issued/<identifier>", who=Who.OFFICER)
def issued(call: Call, identifier: str) -> str:
    """Say that a licence was issued."""
    return render_template("admin/issued.html", licence=shown.card(call, _issued(call, identifier)))


def _issue_page(call: Call, type_code: str, *, errors: dict[str, str]) -> str:
    entry = catalogue.find(call, type_code)
    catalogue.authority(call, entry, None)
    fields = [
        {
            "name": field.name,
            "title": words.word((field.title, field.title_en)),
            "type": str(field.type),
            "required": field.required,
            "example": field.example,
            "max_length": field.max_length,
            "choices": list(field.choices) or None,
        }
        for field in entry.type.fields
    ]
    return render_template(
        "admin/issue.html",
        type={"code": entry.type.code, "name": words.name_of(entry.type)},
        fields=fields,
        values=request.form.to_dict(),
        errors=errors,
        idempotency_key=request.form.get("idempotency_key") or secrets.token_hex(16),
    )


def _body(kind: LicenceType) -> dict[str, Any]:
    """Return the posted form as the body of `POST /v1/licences`."""
    form = {name: value.strip() for name, value in request.form.items()}
    fields = {field.name: _value(field.type, form.get(f"field.{field.name}", "")) for field in kind.fields}
    dates = {name: form[name] for name in ("valid_from", "valid_until") if form.get(name)}
    return {
        "type": kind.code,
        "holder": {"number": form.get("number") or "-"},
        "fields": {name: value for name, value in fields.items() if value is not None},
        **dates,
    }


def _value(kind: FieldType, text: str) -> str | int | bool | None:
    """Return a form's text as the value it stands for; what does not read so is left to the check of the fields."""
    if not text:
        return None
    if kind is FieldType.INTEGER and text.isascii() and text.isdigit() and len(text) <= 16:
        return int(text)
    if kind is FieldType.BOOLEAN and text in {"true", "false"}:
        return text == "true"
    return text


def _control(pointer: str) -> str:
    """Return the id of the control that a JSON pointer into the body is about."""
    name = pointer.rsplit("/", 1)[-1]
    return f"field.{name}" if pointer.startswith("/fields/") else name


def _to_issued(identifier: str) -> Response:
    return redirect(f"/admin/issued/{identifier}", 303)  # type: ignore[return-value]


# --- change ------------------------------------------------------------------------------------------------------


@page(blueprint, "/licences/<identifier>", who=Who.OFFICER, write=True)
def licence(call: Call, identifier: str) -> str:
    """Show one licence of the officer's department, masked, with the changes its state allows."""
    read.read(call, _issued(call, identifier).identifier, fields=["masked_face"], masked=True)
    return _licence_page(call, identifier, errors={})


def _intend_change(call: Call, identifier: str) -> Intent | Response | None:
    """Record what is about to be signed; what takes two people is asked for instead."""
    found, body = _issued(call, identifier), _change_body()
    if change.takes_two(call, found, body["change"]):
        return _asked(change_requests.ask(call, {"identifier": found.identifier, "change": body}))
    return change.intend(call, found.identifier, body)


def _asked(request: ChangeRequest) -> Response:
    return redirect(f"/admin/life?department={request.department}&done=asked", 303)  # type: ignore[return-value]


def _change_again(call: Call, problem: Problem, identifier: str) -> str:
    if not request.form.get("change"):
        return _licence_page(call, identifier, errors={"change": words.word(CHOOSE)})
    field = {"change_unknown": "change", "ground_unknown": "ground"}.get(problem.code, "reason")
    return _licence_page(call, identifier, errors={field: words.problem_text(problem)})


@page(
    blueprint,
    "/licences/<identifier>",
    who=Who.OFFICER,
    methods=("POST",),
    write=True,
    prepare=_intend_change,
    again=_change_again,
)
def change_licence(call: Call, identifier: str, prepared: Intent | None) -> Response:
    """Carry a change out and show the licence as it is now."""
    done = change.change(call, _issued(call, identifier).identifier, _change_body(), prepared)
    return redirect(f"/admin/licences/{done['licence'].identifier}", 303)  # type: ignore[return-value]


def _change_body() -> dict[str, Any]:
    reason = request.form.get("reason", "").strip()
    ground = request.form.get("ground", "")
    given = {"reason": reason, "ground": ground}
    body = {"change": request.form.get("change") or "-", **{name: text for name, text in given.items() if text}}
    checked: dict[str, Any] = load(_CHANGE, body, where="form")
    return checked


def _licence_page(call: Call, identifier: str, *, errors: dict[str, str]) -> str:
    found = _issued(call, identifier)
    allowed = lifecycle.allowed(State(found.state), by=Party.ISSUER)
    offered = [deed for deed in allowed if deed not in lifecycle.REWRITING]  # they need new fields: by the API
    return render_template(
        "admin/licence.html",
        licence=shown.masked(call, found),
        changes=[
            {"change": str(deed), "title": words.word(title), "explanation": words.word(explanation)}
            for deed in offered
            for title, explanation in [words.CHANGES[deed]]
        ],
        grounds=[{"code": g.code, "title": words.word((g.zh, g.en))} for g in _grounds(offered)],
        history=_history(call, found),
        artefacts=files.listed(call, found, f"/admin/licences/{found.identifier}"),
        errors=errors,
        values=request.form.to_dict(),
    )


def _grounds(offered: list[Change]) -> list[grounds.Ground]:
    """Return what the changes that are offered may rest on, each once."""
    return list(dict.fromkeys(ground for deed in offered for ground in grounds.grounds_for(deed)))


def _history(call: Call, found: Licence) -> list[dict[str, Any]]:
    rows = call.session.scalars(
        select(LicenceChange)
        .where(LicenceChange.subject == found.subject, LicenceChange.identifier == found.identifier)
        .order_by(LicenceChange.change_id)
    )
    lines = [(row.at, Change(row.change), _reason(call, row), row.ground, row.effective_on) for row in rows]
    if not any(deed is Change.ISSUE for _at, deed, *_rest in lines):  # only one that rests on no known ground has a row
        lines.insert(0, (found.issued_at, Change.ISSUE, None, grounds.grounds_for(Change.ISSUE)[0].code, None))
    return [
        {
            "at": at,
            "title": words.word(words.CHANGES[deed][0]),
            "reason": reason,
            "ground": words.ground(ground),
            "effective_on": effective_on,
        }
        for at, deed, reason, ground, effective_on in lines
    ]


def _reason(call: Call, row: LicenceChange) -> str | None:
    if row.reason_sealed is None:
        return None
    place = {"table": "licence_change", "column": "reason_sealed", "row": row.change_id}
    return call.cipher.open(row.reason_sealed, **place).decode()  # type: ignore[arg-type]


def _issued(call: Call, identifier: str) -> Licence:
    """Return a licence that one of the officer's departments issued; one that he merely holds is not found here."""
    found = change.find(call, identifier)
    if not catalogue.is_issuer(call, found.issuer_code):
        raise Problem("not_found", "Your department issued no such licence.")
    return found

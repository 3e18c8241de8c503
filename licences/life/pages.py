"""Pages around the life of a licence: what waits for an officer (待办), and a holder's collecting and objecting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences import catalogue, change
from licences.collection import approving
from licences.life import change_requests, objections, stop_issuing
from licences.life.schemas import ChangeDecisionBody, IssuingStopBody, ObjectionAnswerBody, ObjectionBody
from licences.lifecycle import Change
from licences.pages import shown, words
from licences.pages.desk import department_of

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.issue import Intent
    from licences.life.models import ChangeRequest, Objection
    from licences.models import Licence

blueprint = Blueprint("life_pages", __name__, template_folder="../templates")
_STOP, _DECISION, _OBJECTION, _ANSWER = IssuingStopBody(), ChangeDecisionBody(), ObjectionBody(), ObjectionAnswerBody()
_GENERIC: dict[str, words.Both] = {
    "holder_name": words.GENERIC_TITLES["holder_name"],
    "valid_from": words.GENERIC_TITLES["valid_from"],
    "valid_until": words.GENERIC_TITLES["valid_until"],
    "number": words.GENERIC_TITLES["certificate_number"],
}


# --- the officer ---------------------------------------------------------------------------------------------------


@page(blueprint, "/admin/life", who=Who.OFFICER)
def desk(call: Call) -> str:
    """Show what waits in the officer's department: second persons, objections, stops."""
    return _desk(call, error=None)


def _desk(call: Call, *, error: str | None) -> str:
    department = department_of(call)
    types = [entry.type for entry in catalogue.entries(call).values() if _issues(entry, department)]
    return render_template(
        "admin/life.html",
        department=department,
        requests=[_request(call, row) for row in change_requests.waiting(call, department)],
        collected=[_collected(call, found) for found in approving.waiting(call, department)],
        objections=[_objection(call, row) for row in objections.of_department(call, department)],
        stops=[_stop(call, row) for row in stop_issuing.in_force(call, department)],
        types=[(kind.code, words.name_of(kind)) for kind in types],
        done=request.args.get("done"),
        error=error,
        values=request.form.to_dict(),
    )


def _again(call: Call, problem: Problem) -> str:
    return _desk(call, error=words.problem_text(problem))


@page(blueprint, "/admin/life/stops", who=Who.OFFICER, methods=("POST",), write=True, again=_again)
def stop(call: Call) -> Response:
    """Stop issuing, or let it go on."""
    if request.form.get("lift"):
        stop_issuing.lift(call, request.form["lift"])
        return _done(call, "lifted")
    given = {name: request.form.get(name, "").strip() for name in ("type", "reason")}
    stop_issuing.stop(call, load(_STOP, {"department": department_of(call), **_filled(given)}, where="form"))
    return _done(call, "stopped")


def _intend_decision(call: Call) -> Intent | None:
    return change_requests.intend(call, request.form.get("request", ""), approve=_approves())


@page(
    blueprint,
    "/admin/life/decisions",
    who=Who.OFFICER,
    methods=("POST",),
    write=True,
    prepare=_intend_decision,
    again=_again,
)
def decide(call: Call, prepared: Intent | None) -> Response:
    """Approve or refuse what another officer asked for."""
    row = change_requests.decide(call, request.form.get("request", ""), prepared, approve=_approves())
    return _done(call, row.decision or "")


def _intend_answer(call: Call) -> Intent | None:
    return objections.intend(call, request.form.get("objection", ""), _answer_body(call))


@page(
    blueprint,
    "/admin/life/answers",
    who=Who.OFFICER,
    methods=("POST",),
    write=True,
    prepare=_intend_answer,
    again=_again,
)
def answer(call: Call, prepared: Intent | None) -> Response:
    """Answer a holder's objection."""
    row = objections.answer(call, request.form.get("objection", ""), _answer_body(call), prepared)
    return _done(call, row.decision or "")


def _answer_body(call: Call) -> dict[str, Any]:
    """Return the posted answer; on a page the holder's own words become the correction of a field of the face."""
    given = _filled({name: request.form.get(name, "").strip() for name in ("decision", "answer", "corrected")})
    if given.get("decision") == "uphold" and "corrected" not in given:
        row = objections.waiting(call, request.form.get("objection", ""))
        said = objections.shown(call, row)
        if said["field"] in _GENERIC:
            raise Problem("correction_missing")
        given["fields"] = {said["field"]: request.form.get("right", "").strip() or said["right"]}
    body: dict[str, Any] = load(_ANSWER, given, where="form")
    return body


def _approves() -> bool:
    return bool(load(_DECISION, {"decision": request.form.get("decision", "")}, where="form")["decision"] == "approve")


def _issues(entry: catalogue.Entry, department: str) -> bool:
    return any(found.department == department for found in entry.authorities)


def _done(call: Call, word: str) -> Response:
    return redirect(f"/admin/life?department={department_of(call)}&done={word}", 303)  # type: ignore[return-value]


def _request(call: Call, row: ChangeRequest) -> dict[str, Any]:
    body = change_requests.body_of(call, row)
    code = body["type"] if row.identifier is None else change.find(call, row.identifier).type_code
    kind = catalogue.find(call, code).type
    titles = words.field_titles(kind)
    fields = body.get("fields") or {}
    return {
        "id": row.request_id,
        "title": words.word(words.CHANGES[Change(row.change)][0]),
        "type_name": words.name_of(kind),
        "identifier": row.identifier,
        "holder": body["holder"]["number"] if row.identifier is None else None,
        "reason": body.get("reason"),
        "fields": [
            {"title": titles.get(name, name), "value": words.value_text(value)} for name, value in fields.items()
        ],
        "dates": [(titles[name], body[name]) for name in ("valid_from", "valid_until") if name in body],
        "asked_at": row.asked_at,
        "expires_at": row.expires_at,
        "own": call.caller.name_for_log == row.asked_by or call.caller.person == row.subject,
    }


def _collected(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    return found | {"type_name": words.name_of(catalogue.find(call, found["type"]).type)}


def _objection(call: Call, row: Objection) -> dict[str, Any]:
    licence = change.find(call, row.identifier)
    kind = catalogue.find(call, licence.type_code).type
    said = objections.shown(call, row)
    titles = words.field_titles(kind) | {name: words.word(both) for name, both in _GENERIC.items()}
    return said | {
        "type_name": words.name_of(kind),
        "field_title": titles.get(row.field, row.field),
        "correctable": row.field not in _GENERIC and not kind.sensitive,
    }


def _stop(call: Call, row: Any) -> dict[str, Any]:
    name = words.name_of(catalogue.find(call, row.type_code).type) if row.type_code is not None else None
    return {"id": row.stop_id, "type_name": name, "reason": row.reason, "at": row.stopped_at, "until": row.until}


def _filled(given: dict[str, str]) -> dict[str, Any]:
    return {name: text for name, text in given.items() if text}


# --- the holder ----------------------------------------------------------------------------------------------------


@page(blueprint, "/me/objections", who=Who.PERSON)
def own(call: Call) -> str:
    """Show the holder's objections, and what was answered."""
    return render_template(
        "me/objections.html", objections=[_objection(call, row) for row in objections.of_holder(call)]
    )


@page(blueprint, "/me/objections/<identifier>", who=Who.PERSON)
def form(call: Call, identifier: str) -> str:
    """Ask what is wrong with a licence, and what is right."""
    return _form(call, identifier, error=None)


def _form(call: Call, identifier: str, *, error: str | None) -> str:
    licence = _own(call, identifier)
    kind = catalogue.find(call, licence.type_code).type
    titles = words.field_titles(kind) | {name: words.word(both) for name, both in _GENERIC.items()}
    return render_template(
        "me/objection.html",
        licence=shown.card(call, licence),
        fields=[(name, titles.get(name, name)) for name in objections.fields_of(call, licence)],
        error=error,
        values=request.form.to_dict(),
    )


def _object_again(call: Call, problem: Problem, identifier: str) -> str:
    missing = any(not request.form.get(name, "").strip() for name in ("field", "right", "why"))
    text = words.word(("请填写全部三项", "Fill in all three")) if missing else words.problem_text(problem)
    return _form(call, identifier, error=text)


@page(blueprint, "/me/objections/<identifier>", who=Who.PERSON, methods=("POST",), write=True, again=_object_again)
def make(call: Call, identifier: str) -> Response:
    """Send an objection to the issuer."""
    given = {name: request.form.get(name, "").strip() for name in ("field", "right", "why")}
    objections.make(call, _own(call, identifier).identifier, load(_OBJECTION, given, where="form"))
    return redirect("/me/objections", 303)  # type: ignore[return-value]


@page(blueprint, "/me/collecting/<identifier>", who=Who.PERSON, methods=("POST",), write=True)
def collect(call: Call, identifier: str) -> Response:
    """Collect a licence that waits for its holder."""
    found = _own(call, identifier)
    change.change(call, found.identifier, {"change": Change.COLLECT}, None)
    return redirect(f"/me/licences/{found.identifier}", 303)  # type: ignore[return-value]


def _own(call: Call, identifier: str) -> Licence:
    found = change.find(call, identifier)
    if found.subject != call.caller.holder:
        raise Problem("not_found", "You hold no such licence.")
    return found

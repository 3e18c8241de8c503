"""The catalogue of licence types: a list that anybody reads, and the officer's pages that change it (证照目录)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.errors import FieldProblem, Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from keys.strict_json import StrictJSONError, strict_json
from licences import catalogue, catalogue_change
from licences.catalogue_schemas import TypeBody, TypesQuery
from licences.pages import words

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.catalogue import Entry
    from licences.catalogue_change import Draft
    from licences.definition import LicenceType

blueprint = Blueprint("catalogue_pages", __name__, template_folder="../templates")

PAGE = 30
LARGEST = 262_144  # bytes of a posted definition
_QUERY, _BODY = TypesQuery(), TypeBody()
_FORM = "/admin/catalogue"
KINDS: dict[str, words.Both] = {
    "person": ("个人", "Persons"),
    "organisation": ("单位", "Organisations"),
    "mixed": ("个人或单位", "Persons and organisations"),
    "other": ("其他", "Others"),
}
LEVELS: dict[str, words.Both] = {
    "national": ("国家级", "National"),
    "province": ("省级", "Province"),
    "city": ("市级", "City"),
    "county": ("县级", "County"),
    "township": ("乡级", "Township"),
}
VALUE_TYPES: dict[str, words.Both] = {
    "string": ("文字", "Text"),
    "date": ("日期", "Date"),
    "integer": ("整数", "Whole number"),
    "enum": ("选项", "Choice"),
    "decimal": ("小数", "Decimal number"),
    "boolean": ("是或否", "Yes or no"),
}
NO_JSON = ("不是可读的 JSON", "This is no readable JSON")
#: How what `DefinitionError` says begins, and the same in Chinese.
FAULTS = {"is missing": "缺少", "is not": "应为", "has unknown members:": "有不认识的成员"}
FILL_IN = ("请填写", "Fill this in")


@blueprint.url_value_preprocessor
def bound_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a definition's size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = LARGEST


# --- for anybody -------------------------------------------------------------------------------------------------


@page(blueprint, "/licence-types", who=Who.ANYONE)
def index(call: Call) -> str:
    """List licence types by the words of their names and the kind of their holders."""
    asked = {name: value for name, value in request.args.items() if value.strip() and name in _QUERY.fields}
    query = load(_QUERY, {name: value.strip() for name, value in asked.items()} | {"limit": PAGE}, where="query")
    text, kind = query.get("q", ""), query["holder_kind"]
    found = catalogue.search(call, text=text, kind=kind, after=query["cursor"], limit=PAGE)
    return render_template(
        "catalogue/index.html",
        types=[_line(entry) for entry in found[:PAGE]],
        kinds=[(kind, words.word(both)) for kind, both in KINDS.items()],
        values={"q": text, "holder_kind": kind or ""},
        next_cursor=found[PAGE - 1].type.code if len(found) > PAGE else None,
    )


@page(blueprint, "/licence-types/<code>", who=Who.ANYONE)
def read(call: Call, code: str) -> str:
    """Show what a licence type is: who defines and issues it, how long it lasts, what stands on it."""
    entry = catalogue.find(call, code)
    return render_template(
        "catalogue/type.html",
        type=_whole(entry.type, entry.version),
        issuers=[found.name for found in entry.authorities],
        may_change=catalogue_change.may_change(call, entry),
    )


def _line(entry: Entry) -> dict[str, Any]:
    kind = entry.type
    authority = kind.defining_authority
    return {
        "code": kind.code,
        "name": words.name_of(kind),
        "authority": words.word((authority.name, authority.name_en)),
        "holder_kind": words.word(KINDS[kind.holder_kind]),
        "colour": kind.card.colour,
    }


def _whole(kind: LicenceType, version: int) -> dict[str, Any]:
    authority = kind.defining_authority
    return {
        "code": kind.code,
        "version": version,
        "name": words.name_of(kind),
        "other_name": words.word((kind.name_en, kind.name)),
        "colour": kind.card.colour,
        "holder_kind": words.word(KINDS[kind.holder_kind]),
        "validity": words.word((kind.validity_range, _validity_en(kind.validity_months))),
        "authority": words.word((authority.name, authority.name_en)),
        "authority_level": words.word(LEVELS[authority.level]),
        "issuing_level": words.word(LEVELS[kind.issuing_level]),
        "related_items": [f"{item.name}（{item.code}）" for item in kind.related_items],
        "national_code": kind.national_code.code if kind.national_code is not None else None,
        "demonstration": kind.demonstration,
        "fields": [
            {
                "title": words.word((field.title, field.title_en)),
                "type": words.word(VALUE_TYPES[field.type]),
                "required": field.required,
                "example": words.value_text(field.example),
            }
            for field in kind.fields
        ],
        "derived": [words.word((field.title, field.title_en)) for field in kind.derived],
    }


def _validity_en(months: int | None) -> str:
    if months is None:
        return "No end"
    years, rest = divmod(months, 12)
    number, unit = (months, "month") if rest else (years, "year")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


# --- for officers ------------------------------------------------------------------------------------------------


@page(blueprint, _FORM, who=Who.OFFICER)
def mine(call: Call) -> str:
    """List the types that the officer may change."""
    entries = [entry for entry in catalogue.entries(call).values() if catalogue_change.may_change(call, entry)]
    return render_template("admin/catalogue.html", types=[_line(entry) for entry in entries])


@page(blueprint, f"{_FORM}/new", who=Who.OFFICER)
def add(_call: Call) -> str:
    """Ask for the definition of a new type."""
    return _form(None, "", errors={})


@page(blueprint, f"{_FORM}/<code>", who=Who.OFFICER)
def edit(call: Call, code: str) -> str:
    """Show the definition of a type to be changed, and its versions."""
    entry = catalogue.find(call, code)
    if not catalogue_change.may_change(call, entry):
        raise Problem("not_found", "Your department does not issue this type.")
    history = catalogue_change.history(call, code)
    versions = [{"version": row.version, "at": row.entered_at, "reason": row.reason} for row in history]
    text = json.dumps(history[0].definition, ensure_ascii=False, indent=2) if history else ""
    return _form(_line(entry), text, errors={}, versions=versions)


def _check(call: Call) -> Draft:
    return catalogue_change.check(call, _posted())


def _again(call: Call, problem: Problem) -> str:
    fault = next(iter(problem.errors), None)
    errors = {"definition": words.problem_text(problem)}
    if problem.code == "definition_refused" and fault is not None:
        errors = {"definition": _fault_text(fault)}
    elif fault is not None and fault.pointer == "/reason":
        errors = {"reason": words.word(FILL_IN)}
    try:
        entry = catalogue.entries(call).get(str(_posted().get("code")))
    except Problem:
        entry = None
    return _form(_line(entry) if entry is not None else None, _posted_text(), errors=errors)


def _fault_text(fault: FieldProblem) -> str:
    """Return the place in the definition and what is wrong there."""
    if fault.code == "json":
        return words.word(NO_JSON)
    place = fault.pointer.removeprefix("/definition").removeprefix("/") or "/"
    said = fault.message.partition(" ")[2]
    start = next((start for start in FAULTS if said.startswith(start)), "")
    said = words.word((f"{FAULTS.get(start, '')}{said.removeprefix(start)}", said))
    return f"{place}{words.word(('：', ': '))}{said}"


@page(blueprint, f"{_FORM}/check", who=Who.OFFICER, methods=("POST",), prepare=_check, again=_again)
def check(_call: Call, prepared: Draft) -> str:
    """Show what a definition would change, and how the card would look, before it is entered."""
    return render_template(
        "admin/catalogue_check.html",
        type=_whole(prepared.type, prepared.version + 1),
        is_new=prepared.before is None,
        changes=[{"place": c.place, "before": c.before, "after": c.after} for c in prepared.changes],
        definition=_posted_text(),
        base=prepared.version,
        reason=request.form.get("reason", "").strip()[:200],
    )


@page(blueprint, f"{_FORM}/enter", who=Who.OFFICER, methods=("POST",), write=True, again=_again)
def enter(call: Call) -> Response:
    """Enter the definition that was checked, and show the type as it is now."""
    form = {name: request.form.get(name, "").strip() for name in ("reason", "base")}
    if not form["reason"]:
        raise Problem("invalid", "", errors=[FieldProblem("/reason", "required", "missing")])
    done = catalogue_change.enter(call, load(_BODY, {"definition": _posted(), **form}, where="form"))
    return redirect(f"{_FORM}/{done.type.code}", 303)  # type: ignore[return-value]


def _posted() -> Any:
    """Return the definition that was posted.

    Raises:
        Problem: definition_refused, where it is no JSON object.
    """
    try:
        found = strict_json(_posted_text().encode("utf-8", "surrogatepass"), max_bytes=LARGEST)
    except StrictJSONError:
        found = None
    if not isinstance(found, dict):
        fault = FieldProblem("/definition", "json", "This is no JSON object.")
        raise Problem("definition_refused", fault.message, errors=[fault])
    return found


def _posted_text() -> str:
    """Return the text of the definition: that of the uploaded file, else what stands in the form."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        text: str = upload.read().decode("utf-8", "replace")
        upload.seek(0)  # it is read again, for the form shown once more
        return text
    return request.form.get("definition", "")


def _form(
    kind: dict[str, Any] | None, text: str, *, errors: dict[str, str], versions: list[dict[str, Any]] | None = None
) -> str:
    return render_template(
        "admin/catalogue_edit.html",
        type=kind,
        definition=text,
        reason=request.form.get("reason", "").strip()[:200],
        errors=errors,
        versions=versions or [],
    )

"""The clerk's pages: scan and verify, and look proofs up instead of asking for paper (窗口核验、免证查询)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, session

from idservice.errors import Problem
from idservice.http.endpoint import MAX_UPLOAD
from idservice.http.page import Who, page
from idservice.login.session import shown_user
from idservice.numbers import citizen, credit_code
from licences import asker, verify
from licences.counter import lookups, matters
from licences.pages import shown, words
from licences.pages.public import NOTHING, scanned_in_form

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.verify import Report

blueprint = Blueprint("counter_pages", __name__, template_folder="../templates")

RECENT = 8
OTHER = "identity"
OTHER_NAME = ("核对身份", "Check who it is")
CHOOSE = ("请选择办理事项", "Choose what it is for")
FILL_IN = ("请填写", "Fill this in")
FORM = ("matter", "number", "authorisation", "code", "consent", "purpose", "case_number")


@blueprint.url_value_preprocessor
def allow_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a file's size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = MAX_UPLOAD


# --- scan and verify ---------------------------------------------------------------------------------------------


@page(blueprint, "/counter", who=Who.CLERK)
def scan_box(call: Call) -> str:
    """Wait for a scan."""
    return _scan_page(call)


def _judge(call: Call) -> Report | str:
    """Return the report, or the sentence that says why there is none."""
    purpose = _purposes(call).get(request.form.get("purpose", ""))
    if purpose is None:
        return words.word(CHOOSE)
    scanned = scanned_in_form()
    if scanned is None:
        return words.word(NOTHING)
    return verify.verify(call, scanned, asker.of_call(call, {"purpose": purpose}))


@page(blueprint, "/counter", who=Who.CLERK, methods=("POST",), prepare=_judge)
def answer(call: Call, prepared: Report | str) -> str:
    """Say what was scanned, whether it holds and why not."""
    session["purpose"] = request.form.get("purpose", "")
    if isinstance(prepared, str):
        return _scan_page(call, error=prepared)
    _remember(call, prepared)
    return _scan_page(call, result=shown.result(call, prepared))


def _scan_page(call: Call, *, result: dict[str, Any] | None = None, error: str | None = None) -> str:
    purposes = _purposes(call)
    chosen = session.get("purpose")
    return render_template(
        "counter/index.html",
        purposes=[{"code": code, "name": name} for code, name in purposes.items()],
        purpose=chosen if chosen in purposes else None,
        result=result,
        error=error,
        recent=[item | {"at": datetime.fromisoformat(item["at"])} for item in _recent(call)],
    )


def _purposes(call: Call) -> dict[str, str]:
    named = {code: words.name_of(matter) for code, matter in matters.entries(call).items()}
    return {OTHER: words.word(OTHER_NAME)} | named


def _recent(call: Call) -> list[dict[str, Any]]:
    """Return this shift's last scans; they live in the clerk's own cookie and say nothing of any person."""
    kept = session.get("recent")
    return list(kept["items"]) if kept and kept["shift"] == _shift(call) else []


def _remember(call: Call, report: Report) -> None:
    name = shown.names(call, report.licences) or words.word(("未识别", "Not recognised"))
    item = {"at": call.now.isoformat(), "name": name, "ok": report.ok, "reasons": report.reasons}
    session["recent"] = {"shift": _shift(call), "items": [item, *_recent(call)][:RECENT]}


def _shift(call: Call) -> str:
    return (call.caller.session_id or "")[:16]


# --- look proofs up ----------------------------------------------------------------------------------------------


@page(blueprint, "/counter/lookup", who=Who.CLERK)
def lookup_form(call: Call) -> str:
    """Ask for matter, applicant and authorisation."""
    return _lookup_page(call)


def _look_up(call: Call) -> dict[str, Any]:
    """Return what was found, or which fields of the form are missing."""
    values = _values()
    kind = "consent" if values["authorisation"] == "consent" else "code"
    needed = ("matter", "number", kind, "purpose", "case_number")
    if missing := [name for name in needed if not values[name]]:
        return {"missing": missing}
    return lookups.look_up(
        call,
        {
            "matter": values["matter"],
            "subject": {"number": values["number"]},
            "authorisation": {kind: values[kind]},
            "purpose": values["purpose"],
            "case_number": values["case_number"],
        },
    )


def _lookup_again(call: Call, problem: Problem) -> str:
    field = {"authorisation_refused": _values()["authorisation"] or "code", "not_found": "matter"}.get(problem.code)
    faults = {fault.pointer.rsplit("/", 1)[-1]: words.fault_text(fault) for fault in problem.errors}
    return _lookup_page(call, errors=faults or {field or "matter": words.problem_text(problem)})


@page(blueprint, "/counter/lookup", who=Who.CLERK, methods=("POST",), prepare=_look_up, again=_lookup_again)
def look_up(call: Call, prepared: dict[str, Any]) -> str:
    """Show for each proof the licence found, or that there is none."""
    if "missing" in prepared:
        return _lookup_page(call, errors=dict.fromkeys(prepared["missing"], words.word(FILL_IN)))
    return _lookup_page(call, result=_receipt(call, prepared))


def _lookup_page(call: Call, *, errors: dict[str, str] | None = None, result: dict[str, Any] | None = None) -> str:
    listed = [
        {"code": code, "name": words.name_of(matter), "proofs": [{"name": words.name_of(p)} for p in matter.proofs]}
        for code, matter in matters.entries(call).items()
    ]
    values = dict.fromkeys(FORM, "") if result else _values()
    return render_template("counter/lookup.html", matters=listed, values=values, errors=errors or {}, result=result)


def _values() -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in FORM}


def _receipt(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    values = _values()
    matter = matters.find(call, found["matter"])
    user = shown_user(call) or {}
    return found | {
        "at": found["at"].astimezone(ZoneInfo("Asia/Shanghai")),
        "matter": words.name_of(matter),
        "subject": _masked(values["number"]),
        "purpose": values["purpose"],
        "case_number": values["case_number"],
        "operator": " ".join(filter(None, [user.get("name_masked"), call.caller.counter])),
        "proofs": [_proof(call, proof) for proof in found["proofs"]],
    }


def _masked(number: str) -> str:
    return citizen.mask(number) if citizen.is_valid(number) else credit_code.mask(number)


def _proof(call: Call, proof: dict[str, Any]) -> dict[str, Any]:
    named = proof | {"name": words.word((proof["name"], proof["name_en"]))}
    if "licence" not in proof:
        return named
    return named | {"fields": shown.titled(call, proof["licence"]["type"], proof["fields"])}

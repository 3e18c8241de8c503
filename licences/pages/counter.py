"""The clerk's page: scan and verify (窗口核验)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, session

from idservice.http import headers
from idservice.http.endpoint import MAX_UPLOAD
from idservice.http.page import Who, page
from licences import asker, verify
from licences.counter import matters
from licences.pages import shown, words
from licences.pages.public import NOTHING, foresee_file, scanned_in_form

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.verify import Report

blueprint = Blueprint("counter_pages", __name__, template_folder="../templates")

RECENT = 8
OTHER = "identity"
OTHER_NAME = ("核对身份", "Check who it is")
CHOOSE = ("请选择办理事项", "Choose what it is for")


@blueprint.url_value_preprocessor
def allow_upload(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow a file's size. Here, because the CSRF check reads the form before any page runs."""
    request.max_content_length = MAX_UPLOAD


@page(blueprint, "/counter", who=Who.CLERK)
def scan_box(call: Call) -> str:
    """Wait for a scan."""
    return _scan_page(call)


def _judge(call: Call) -> Report | str:
    """Return the report, or the sentence that says why there is none."""
    purpose = purposes(call).get(request.form.get("purpose", ""))
    if purpose is None:
        return words.word(CHOOSE)
    scanned = scanned_in_form()
    if scanned is None:
        return words.word(NOTHING)
    return verify.verify(call, scanned, asker.of_call(call, {"purpose": purpose}))


@page(blueprint, "/counter", who=Who.CLERK, methods=("POST",), prepare=_judge, foresee=foresee_file)
def answer(call: Call, prepared: Report | str) -> str:
    """Say what was scanned, whether it holds and why not."""
    session["purpose"] = request.form.get("purpose", "")
    if isinstance(prepared, str):
        return _scan_page(call, error=prepared)
    _remember(call, prepared)
    return _scan_page(call, result=shown.result(call, prepared))


def _scan_page(call: Call, *, result: dict[str, Any] | None = None, error: str | None = None) -> str:
    known = purposes(call)
    chosen = session.get("purpose")
    headers.allow_webassembly()
    return render_template(
        "counter/index.html",
        purposes=[{"code": code, "name": name} for code, name in known.items()],
        purpose=chosen if chosen in known else None,
        result=result,
        error=error,
        recent=[item | {"at": datetime.fromisoformat(item["at"])} for item in _recent(call)],
    )


def purposes(call: Call) -> dict[str, str]:
    """Return what a clerk may scan for by code: the matters in force, and to check who somebody is."""
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

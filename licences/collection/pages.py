"""The officer's page of quality (数据质量): how good what his department sent is, and the questions it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences import catalogue
from licences.collection import approving, quality, refusal_words, refusals
from licences.collection.schemas import CollectionApprovalBody, SourceAnswerBody
from licences.pages import words
from licences.pages.desk import department_of

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("quality_pages", __name__, template_folder="../templates")
_ANSWER, _APPROVAL = SourceAnswerBody(), CollectionApprovalBody()
_REASONS: dict[str, words.Both] = {
    "already_held": ("持证主体已有一份有效的此类证照", "The holder already has one in force"),
    "holder_kind": ("该证照不能颁发给此类主体", "Not issued to this kind of holder"),
    "holder_unknown": ("登记库中没有该持证主体", "The register knows no such holder"),
    approving.PARKED: ("须经另一名人员复核", "An officer must approve it"),
    "issuing_stopped": ("已暂停签发", "Issuing is stopped"),
}


@page(blueprint, "/admin/quality", who=Who.OFFICER)
def show(call: Call) -> str:
    """Show the figures of the officer's department, and what it was asked."""
    department = department_of(call)
    return render_template(
        "admin/quality.html",
        department=department,
        figures=[_figure(row) for row in quality.figures(call, department)],
        batches=_batches(call, refusals.listed(call, department)),
        questions=[quality.shown(call, row) for row in quality.open_questions(call, department)],
    )


@page(blueprint, "/admin/quality", who=Who.OFFICER, methods=("POST",), write=True)
def answer(call: Call) -> Response:
    """Answer a question to the source."""
    said = load(_ANSWER, {"answer": request.form.get("answer", "")}, where="form")
    quality.answer(call, request.form.get("question", ""), said["answer"])
    return redirect(f"/admin/quality?department={department_of(call)}", 303)  # type: ignore[return-value]


@page(blueprint, "/admin/quality/approvals", who=Who.OFFICER, methods=("POST",), write=True)
def approve(call: Call) -> Response:
    """Approve collected rows of a sensitive type, as many as the officer saw."""
    given = {name: request.form.get(name, "") for name in ("type", "until")}
    body = load(_APPROVAL, {"department": department_of(call), **given}, where="form")
    approving.approve(call, body["department"], body["type"], body["until"])
    return redirect(f"/admin/life?department={body['department']}&done=released", 303)  # type: ignore[return-value]


def _figure(row: dict[str, Any]) -> dict[str, Any]:
    reasons = [
        {
            "title": words.word(_REASONS[one["reason"]]) if one["reason"] in _REASONS else one["reason"],
            "rows": one["rows"],
        }
        for one in row["reasons"]
    ]
    return row | {"title": words.word((row["name"], row["name_en"])), "reasons": reasons}


def _batches(call: Call, counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was refused, by import and batch, the one that was counted last first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in counts:
        found.setdefault(one["batch"], []).append(one)
    return [
        {"name": name, "counted_at": mine[0]["counted_at"], "counts": [_count(call, one) for one in mine]}
        for name, mine in found.items()
    ]


def _count(call: Call, one: dict[str, Any]) -> dict[str, Any]:
    entry = catalogue.entries(call).get(one["type"] or "")
    titles = {field.name: field.title for field in entry.type.fields} if entry is not None else {}
    field = refusal_words.field_of(one["reason"])
    return {
        "type": words.word((entry.type.name, entry.type.name_en)) if entry is not None else one["type"],
        "title": words.word(refusal_words.title(one["reason"], titles.get(field or ""))),
        "rows": one["rows"],
        "next": words.word(refusal_words.STEPS[one["next"]]),
    }

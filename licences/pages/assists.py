"""Department checks as pages (部门协查): the inbox of a unit, what a counter asked for, one check, the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.admin.roles import Role
from idservice.call import Post
from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences.counter import (
    assist_escalation,
    assist_figures,
    assist_reply,
    assist_view,
    assists,
    case_parties,
    matters,
)
from licences.counter.assist_life import OPEN, Answer, Side, State, Step, open_steps
from licences.counter.assist_schemas import CheckReasonBody, CheckReplyBody, CounterFiguresQuery
from licences.pages import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from idservice.call import Call
    from licences.counter.assist_reply import Prepared
    from licences.counter.models import DepartmentCheck

blueprint = Blueprint("assist_pages", __name__, template_folder="../templates")

_LISTS = {"open": OPEN} | {str(state): frozenset({state}) for state in State}
_STEPS: dict[str, Callable[[Call, str, str], DepartmentCheck]] = {
    Step.ASSIGN: lambda call, check_id, _reason: assists.assign(call, check_id),
    Step.RETURN: assists.give_back,
    Step.RESEND: assists.resend,
    Step.REMIND: assists.remind,
    Step.CLOSE: assists.close,
}
_REPLY, _FIGURES, _WORDS = CheckReplyBody(), CounterFiguresQuery(), CheckReasonBody()


@page(blueprint, "/assists", who=Who.OFFICER)
def inbox(call: Call) -> str:
    """Show what the officer's unit has to answer: what is late first, then by the day it is due."""
    return _list_page(call, Side.ISSUING)


@page(blueprint, "/assists/asked", who=Who.PERSON)
def asked(call: Call) -> str:
    """Show what the visitor's unit has asked for."""
    _demand_staff(call)
    return _list_page(call, Side.ASKING)


@page(blueprint, "/assists/figures", who=Who.PERSON)
def figures(call: Call) -> str:
    """Show how many proofs were met without paper, and how many checks came too late."""
    _demand_staff(call)
    query = load(_FIGURES, {"month": request.args.get("month") or None}, where="query")
    found = assist_figures.figures(call, query["month"])
    units, known = assist_view.unit_names(call), matters.entries(call)
    rows = [
        row
        | {"unit": units.get(row["unit"], row["unit"])}
        | {"matter": words.name_of(known[row["matter"]]) if row["matter"] in known else row["matter"]}
        for row in found["items"]
    ]
    return render_template("assists/figures.html", figures=found | {"items": rows}, is_officer=_is_officer(call))


@page(blueprint, "/admin/escalated", who=Who.PERSON)
def escalated(call: Call) -> str:
    """Show the system administrator which units are long overdue with what."""
    rows = named(call, assist_escalation.escalated(call))
    return render_template("assists/escalated.html", role=str(Role.SYSTEM), checks=rows)


@page(blueprint, "/assists/<check_id>", who=Who.PERSON, write=True)
def check(call: Call, check_id: str) -> str:
    """Show one check to either side; whom it is about in full to the officer who answers, on that person's record."""
    found = assists.find(call, check_id)
    side = _side(call, found)
    facts = assist_view.read(call, found) if side is Side.ISSUING else assist_view.masked(call, check_id, side)
    return _check_page(call, facts, errors={})


def _again(call: Call, problem: Problem, check_id: str) -> str:
    step = request.form.get("step", "")
    return _check_page(call, _masked(call, check_id), errors=_errors(problem, step))


@page(blueprint, "/assists/<check_id>", who=Who.PERSON, methods=("POST",), write=True, again=_again)
def take(call: Call, check_id: str) -> Response:
    """Take one step on a check."""
    step = _STEPS.get(request.form.get("step", ""))
    if step is None:
        raise Problem("bad_request", "There is no such step.")
    step(call, check_id, load(_WORDS, {"reason": request.form.get("reason", "")}, where="form")["reason"])
    return _to(check_id)


def _prepare_reply(call: Call, check_id: str) -> Prepared:
    return assist_reply.prepare(call, check_id, _reply_body())


def _wait_reply(call: Call, check_id: str, prepared: Prepared) -> Prepared:
    return assist_reply.wait(call, check_id, {}, prepared)


def _reply_again(call: Call, problem: Problem, check_id: str) -> str:
    return _check_page(call, _masked(call, check_id), errors=_errors(problem, "answer"))


@page(
    blueprint,
    "/assists/<check_id>/reply",
    who=Who.OFFICER,
    methods=("POST",),
    write=True,
    prepare=_prepare_reply,
    ask=_wait_reply,
    again=_reply_again,
)
def reply(call: Call, check_id: str, prepared: Prepared) -> Response:
    """Answer a check under the seal of the unit."""
    assist_reply.answer(call, check_id, _reply_body(), prepared)
    return _to(check_id)


@page(blueprint, "/assists/<check_id>/reply.ofd", who=Who.PERSON, write=True)
def reply_document(call: Call, check_id: str) -> Response:
    """Hand out the sealed reply; the asking unit's reading is recorded first."""
    return ofd_file(assist_reply.open_reply(call, check_id)[2])


def ofd_file(data: bytes) -> Response:
    """Return a sealed reply as a file."""
    response = Response(data, mimetype=assist_reply.MEDIA_TYPE)
    response.headers["Content-Disposition"] = 'attachment; filename="reply.ofd"'
    return response


def named(call: Call, checks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return checks with names in place of codes, in the reader's language."""
    units = assist_view.unit_names(call)
    return [
        found
        | {"unit": units.get(found["department"], found["department"])}
        | {"asking": units.get(found["asking_department"], found["asking_department"])}
        | titles(call, found)
        for found in checks
    ]


def titles(call: Call, found: dict[str, Any]) -> dict[str, str]:
    """Return what the matter and the proof of a case are called in the reader's language."""
    both = case_parties.named(call, found["matter"], found["proof"])
    return {"matter": words.word(both.matter), "proof": words.word(both.proof)}


def _list_page(call: Call, side: Side) -> str:
    state, matter = request.args.get("state", "open"), request.args.get("matter", "")
    found = assist_view.listed(
        call, side, states=_LISTS.get(state, OPEN), matter=matter[:64] or None, limit=assist_view.MOST
    )
    rows = named(call, (assist_view.shown(call, one, side) for one in found[: assist_view.MOST]))
    if only_late := request.args.get("late") == "yes":
        rows = [row for row in rows if row["is_overdue"]]
    rows.sort(key=lambda row: (row["escalated_at"] is None, not row["is_overdue"], row["due_on"]))
    return render_template(
        "assists/index.html",
        side=str(side),
        is_officer=_is_officer(call),
        checks=rows,
        matters=[(code, words.name_of(one)) for code, one in matters.entries(call).items()],
        values={"state": state if state in _LISTS else "open", "matter": matter, "late": only_late},
        most=assist_view.MOST,
    )


def _check_page(call: Call, facts: dict[str, Any], *, errors: dict[str, str]) -> str:
    found = assists.find(call, facts["id"])
    sides = assists.sides(call, found)
    return render_template(
        "assists/check.html",
        check=named(call, [facts])[0],
        steps=[step for side in sorted(sides) for step in open_steps(State(found.state), side)],
        answers=[str(answer) for answer in Answer],
        side=str(_side(call, found)),
        is_officer=_is_officer(call),
        errors=errors,
        values=request.form.to_dict(),
    )


def _side(call: Call, found: DepartmentCheck) -> Side:
    return Side.ISSUING if Side.ISSUING in assists.sides(call, found) else Side.ASKING


def _masked(call: Call, check_id: str) -> dict[str, Any]:
    return assist_view.masked(call, check_id, _side(call, assists.find(call, check_id)))


def _errors(problem: Problem, step: str) -> dict[str, str]:
    """Return what is wrong by the id of its field."""
    ids = {"/reason": f"{step}-reason", "/text": "text", "/answer": "answer"}
    faults = {ids.get(fault.pointer, "text"): words.word(words.FAULTS["required"]) for fault in problem.errors}
    return faults or {f"{step}-step" if step != "answer" else "text": words.problem_text(problem)}


def _reply_body() -> dict[str, Any]:
    given = {name: request.form[name] for name in ("answer", "text") if request.form.get(name, "").strip()}
    body: dict[str, Any] = load(_REPLY, given, where="form")
    return body


def _is_officer(call: Call) -> bool:
    return call.caller.holds(Post.OFFICER)


def _demand_staff(call: Call) -> None:
    if not any(call.caller.holds(post) for post in Post):
        raise Problem("forbidden", "This page is for staff: your account holds no such post.")


def _to(check_id: str) -> Response:
    return redirect(f"/assists/{check_id}", 303)  # type: ignore[return-value]

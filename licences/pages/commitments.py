"""Commitments as pages (告知承诺): a person's own cases, the counter where he signs by code, the unit that checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from markupsafe import Markup

from idservice.call import Post
from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.http.problems import language
from licences import qr, show
from licences.counter import assist_reply, assist_view, commitment_codes, commitment_signing, commitments
from licences.counter.assist_schemas import CheckReasonBody
from licences.counter.commitment_life import Side, State, Step, open_steps
from licences.pages import words
from licences.pages.assists import named, ofd_file, titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from licences.counter.models import Commitment

_MOST = commitments.MOST
_WORDS = CheckReasonBody()
blueprint = Blueprint("commitment_pages", __name__, template_folder="../templates")

_LISTS = {
    "todo": frozenset({State.SIGNED, State.OBJECTED}),
    "marked": frozenset({State.FALSE, State.UPHELD}),
    "done": frozenset({State.KEPT, State.CLEARED}),
}
_OWN: dict[str, Callable[[Call, str, str], Commitment]] = {
    Step.SIGN: lambda call, number, _reason: commitment_signing.sign(call, number, language=language()),
    Step.DECLINE: lambda call, number, _reason: commitments.decline(call, number),
    Step.OBJECT: commitments.object_to,
}
_JUDGED = {str(step): step for step in (Step.FIND_KEPT, Step.FIND_FALSE, Step.UPHOLD, Step.CLEAR)}


# --- the person's own cases --------------------------------------------------------------------------------------


@page(blueprint, "/me/commitments", who=Who.PERSON)
def own(call: Call) -> str:
    """Show the visitor's commitments, and what departments ask one another about him."""
    checks = assist_view.of_holder(call, limit=assist_view.MOST)
    return render_template(
        "me/commitments.html",
        commitments=[
            _named(call, commitments.shown(call, one)) for one in commitments.of_holder(call, limit=_MOST)[:_MOST]
        ],
        checks=named(call, (assist_view.shown(call, one) for one in checks[: assist_view.MOST])),
    )


@page(blueprint, "/me/commitments/<number>", who=Who.PERSON)
def own_one(call: Call, number: str) -> str:
    """Show one commitment, its text in full, and what the visitor may do with it."""
    return _own_page(call, number, errors={})


def _own_again(call: Call, problem: Problem, number: str) -> str:
    return _own_page(call, number, errors=_errors(problem))


@page(blueprint, "/me/commitments/<number>", who=Who.PERSON, methods=("POST",), write=True, again=_own_again)
def act(call: Call, number: str) -> Response:
    """Sign or decline a commitment, make a code to sign it at the counter, or object to its being called false."""
    if request.form.get("step") == "code":
        if commitments.find_own(call, number).signed_at is not None:  # at the counter, by the code before
            return _to_own(number)
        return Response(_code_page(call, number))
    step = _OWN.get(request.form.get("step", ""))
    if step is None:
        raise Problem("bad_request", "There is no such step.")
    step(call, number, _reason())
    return _to_own(number)


@page(blueprint, "/me/commitments/<number>/state", who=Who.PERSON)
def own_state(call: Call, number: str) -> Response:
    """Say whether a commitment is signed, for the screen that shows the code to sign it at the counter."""
    found = commitments.find_own(call, number)
    unit = commitments.entry(call, found)["unit"]
    return jsonify(shown_to=None if found.signed_at is None else {"unit": unit, "at": found.signed_at.isoformat()})


@page(blueprint, "/me/commitments/<number>/statement.jwt", who=Who.PERSON)
def statement(call: Call, number: str) -> Response:
    """Hand the visitor what he signed."""
    return _statement(commitment_signing.statement(call, commitments.find_own(call, number)))


@page(blueprint, "/me/checks/<check_id>/reply.ofd", who=Who.PERSON)
def own_reply(call: Call, check_id: str) -> Response:
    """Hand the visitor the sealed reply of a department about him."""
    return ofd_file(assist_reply.own_reply(call, check_id))


# --- at the counter ----------------------------------------------------------------------------------------------


@page(blueprint, "/counter/commitments/<number>", who=Who.CLERK)
def at_counter(call: Call, number: str) -> str:
    """Show the text to the person at the counter, and wait for his code."""
    return _counter_page(call, number, errors={})


def _counter_again(call: Call, problem: Problem, number: str) -> str:
    return _counter_page(call, number, errors={"code": words.problem_text(problem)})


@page(blueprint, "/counter/commitments/<number>", who=Who.CLERK, methods=("POST",), write=True, again=_counter_again)
def sign_at_counter(call: Call, number: str) -> Response:
    """Have the person sign by his code."""
    body = {"code": request.form.get("code", "")[:256]}
    commitment_signing.sign_at_counter(call, number, body, language=language())
    return redirect(f"/counter/commitments/{number}", 303)  # type: ignore[return-value]


# --- the unit that checks ----------------------------------------------------------------------------------------


@page(blueprint, "/commitments", who=Who.OFFICER)
def of_unit(call: Call) -> str:
    """Show the commitments given to the officer's unit, oldest first."""
    chosen = request.args.get("state", "todo")
    found = commitments.of_unit(call, states=_LISTS.get(chosen, _LISTS["todo"]), limit=_MOST)
    return render_template(
        "commitments/index.html",
        commitments=[_listed(call, commitments.entry(call, one)) for one in found[:_MOST]],
        chosen=chosen if chosen in _LISTS else "todo",
        is_officer=True,
    )


@page(blueprint, "/commitments/<number>", who=Who.OFFICER, write=True)
def one_of_unit(call: Call, number: str) -> str:
    """Show one commitment to an officer of the unit, on the person's record."""
    return _unit_page(call, commitments.read(call, commitments.find_of_unit(call, number)), errors={})


def _unit_again(call: Call, problem: Problem, number: str) -> str:
    found = commitments.shown(call, commitments.find_of_unit(call, number)) | {"holder": None}  # no look on record
    return _unit_page(call, found, errors=_errors(problem))


@page(blueprint, "/commitments/<number>", who=Who.OFFICER, methods=("POST",), write=True, again=_unit_again)
def judge(call: Call, number: str) -> Response:
    """Say whether a commitment was kept, decide on an objection, or clear a mark."""
    step = _JUDGED.get(request.form.get("step", ""))
    if step is None:
        raise Problem("bad_request", "There is no such step.")
    commitments.judge(call, number, step, _reason())
    return redirect(f"/commitments/{number}", 303)  # type: ignore[return-value]


def _to_own(number: str) -> Response:
    return redirect(f"/me/commitments/{number}", 303)  # type: ignore[return-value]


def _code_page(call: Call, number: str) -> str:
    """Return the code that was just made, as a code that shows a licence is shown."""
    made = commitment_codes.make(call, number)
    return render_template(
        "me/show.html",
        title=words.word(("到窗口签署承诺书", "Sign the commitment at the counter")),
        code=made.code,
        code_groups=show.groups(made.code),
        qr_svg=Markup(qr.svg(made.code)),  # noqa: S704 - drawn by us from letters and digits
        expires_at=made.expires_at,
        seconds=call.settings.show_code_seconds,
        licences=[],
        action=f"/me/commitments/{number}",
        again={"step": "code"},
        seen_word=words.word(("已签署：", "Signed: ")),
        state_url=f"/me/commitments/{number}/state",
    )


def _own_page(call: Call, number: str, *, errors: dict[str, str]) -> str:
    found = commitments.find_own(call, number)
    return render_template(
        "me/commitment.html",
        commitment=_named(call, commitments.shown(call, found)),
        steps=open_steps(State(found.state), Side.PERSON),
        is_signed=found.statement_sealed is not None,
        errors=errors,
        values=request.form.to_dict(),
    )


def _counter_page(call: Call, number: str, *, errors: dict[str, str]) -> str:
    found = commitments.find_of_unit(call, number, post=Post.CLERK)
    facts = _named(call, commitments.shown(call, found))
    read_at = f"{call.settings.issuer}/me/commitments/{number}"
    drawn = Markup(qr.svg(read_at))  # noqa: S704 - drawn by us from our own address
    return render_template("counter/commitment.html", commitment=facts, errors=errors, qr_svg=drawn)


def _unit_page(call: Call, facts: dict[str, Any], *, errors: dict[str, str]) -> str:
    found = commitments.find_of_unit(call, facts["id"])
    state = State(found.state)
    others = () if found.marked_by == call.caller.name_for_log else open_steps(state, Side.OTHER_OFFICER)
    return render_template(
        "commitments/commitment.html",
        commitment=_named(call, facts),
        steps=open_steps(state, Side.OFFICER) + others,
        is_officer=True,
        errors=errors,
        values=request.form.to_dict(),
    )


def _listed(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    return found | titles(call, found)


def _named(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, found) | {"text": words.word((found["text"], found["text_en"]))}


def _reason() -> str:
    said: str = load(_WORDS, {"reason": request.form.get("reason", "")}, where="form")["reason"]
    return said


def _errors(problem: Problem) -> dict[str, str]:
    """Return what is wrong by the id of its field."""
    if problem.errors:
        return {"reason": words.word(words.FAULTS["required"])}
    return {"step": words.problem_text(problem)}


def _statement(signed: str) -> Response:
    response = Response(signed, mimetype="application/jwt")
    response.headers["Content-Disposition"] = 'attachment; filename="commitment.jwt"'
    return response

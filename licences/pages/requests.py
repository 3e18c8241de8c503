"""The counter shows, the citizen scans (反向扫码): the clerk's pages that ask, the citizen's page that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, session
from markupsafe import Markup

from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences import catalogue, qr, wallet
from licences.counter import matters
from licences.lifecycle import State
from licences.pages import counter, holder, shown, words
from licences.predicates import AGE_OVER
from licences.showing import requests
from licences.showing.requests import LICENCES, VALID
from licences.showing.schemas import RequestBody

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.showing.models import PresentationRequest
    from licences.showing.requests import Answered

blueprint = Blueprint("request_pages", __name__, template_folder="../templates")

_BODY = RequestBody()
#: What a clerk may ask, and what a citizen reads of it.
_QUESTIONS: dict[str, tuple[words.Both, words.Both]] = {
    LICENCES: (
        ("出示证照", "Show licences"),
        ("持证人自己选择出示哪些、露出多少", "The holder chooses which, and how much of them"),
    ),
    **{
        name: (
            (f"是否年满 {age} 周岁", f"Is the holder {age} or older?"),
            ("只得到“是”或“否”", "Yes or no, and nothing else"),
        )
        for name, age in AGE_OVER.items()
    },
    VALID: (
        ("一种证照当前是否有效", "Is a licence valid now?"),
        ("只得到“是”或“否”，请在下面选择种类", "Yes or no, and nothing else; choose the type below"),
    ),
}
_ANSWERS: dict[bool | None, tuple[str, words.Both]] = {
    True: ("good", ("是", "Yes")),
    False: ("bad", ("否", "No")),
    None: ("unknown", ("无法判断", "Cannot be told")),
}


@page(blueprint, "/counter/ask", who=Who.CLERK)
def ask_form(call: Call) -> str:
    """Ask what is wanted of the citizen, and what for."""
    return _ask_page(call)


def _ask(call: Call) -> Response | str:
    purposes = counter.purposes(call)
    chosen, question = request.form.get("purpose", ""), request.form.get("question", "")
    if chosen not in purposes:
        return words.word(counter.CHOOSE)
    session["purpose"] = chosen
    kind = request.form.get("type", "")
    if question == VALID and kind not in catalogue.entries(call):
        return words.word(("请选择证照种类", "Choose the type of licence"))
    body: dict[str, Any] = {"question": question, "purpose": purposes[chosen]}
    if question == VALID:
        body["types"] = [kind]
    if chosen != counter.OTHER and question == LICENCES:
        body["matter"] = chosen
    asked = requests.ask(call, load(_BODY, body, where="form"))
    session["asked"] = {"id": asked.id, "qr_text": asked.qr_text}
    return redirect(f"/counter/ask/{asked.id}", 303)  # type: ignore[return-value]


@page(blueprint, "/counter/ask", who=Who.CLERK, methods=("POST",), prepare=_ask, limit="60/minute")
def ask_again(call: Call, prepared: str) -> Response:
    """Say what is missing."""
    return Response(_ask_page(call, error=prepared), 422)


@page(blueprint, "/counter/ask/<request_id>", who=Who.CLERK)
def asked(call: Call, request_id: str) -> str:
    """Show the QR while the citizen has not answered, then what he did."""
    return _asked_page(call, requests.own(call, request_id))


@page(blueprint, "/counter/ask/<request_id>/state", who=Who.CLERK)
def asked_state(call: Call, request_id: str) -> Response:
    """Say what became of a request."""
    return jsonify(state=requests.state(call, requests.own(call, request_id)))


def _read(call: Call, request_id: str) -> Answered:
    return requests.read(call, request_id)


def _asked_again(call: Call, _problem: Problem, request_id: str) -> str:
    return _asked_page(call, requests.own(call, request_id))


@page(blueprint, "/counter/ask/<request_id>", who=Who.CLERK, methods=("POST",), prepare=_read, again=_asked_again)
def read_answer(call: Call, prepared: Answered, request_id: str) -> str:
    """Show the answer: the report of a scan, or yes or no."""
    tone, word = _ANSWERS[prepared.answer]
    return render_template(
        "counter/answered.html",
        question=_question(call, requests.own(call, request_id)),
        check_number=prepared.check_number,
        result=shown.result(call, prepared.report) if prepared.report is not None else None,
        answer={"tone": tone, "word": words.word(word)},
        reasons=prepared.reasons,
    )


@page(blueprint, f"{requests.PATH}<code>", who=Who.PERSON, limit="60/minute")
def answer_form(call: Call, code: str) -> Response:
    """Say who asks what and why, and let the citizen choose or refuse."""
    try:
        return Response(_answer_page(call, code))
    except Problem as problem:
        if problem.code != "presentation_request_over":
            raise
        return _over()


def _answer(call: Call, code: str) -> dict[str, Any] | Response:
    if request.form.get("decision") == "refuse":
        requests.refuse(call, code)
        return {"number": None}
    chosen = request.form.getlist("licences")
    if not chosen:
        error = words.word(("请至少选择一份证照", "Choose at least one licence"))
        return Response(_answer_page(call, code, error=error), 422)
    fields = holder.fields_of(call, request.form.get("part", ""), chosen)
    return {"number": requests.give(call, code, licences=chosen, fields=fields)}


def _answer_again(call: Call, problem: Problem, code: str) -> Response:
    return (
        _over()
        if problem.code == "presentation_request_over"
        else Response(_answer_page(call, code, error=words.problem_text(problem)))
    )


@page(
    blueprint,
    f"{requests.PATH}<code>",
    who=Who.PERSON,
    methods=("POST",),
    prepare=_answer,
    again=_answer_again,
    limit="60/minute",
)
def answer(_call: Call, prepared: dict[str, Any], code: str) -> str:  # noqa: ARG001 - it stands in the address
    """Say what was answered, with the number that the clerk compares."""
    return render_template("me/request_done.html", number=prepared["number"], over=False)


def _over() -> Response:
    return Response(render_template("me/request_done.html", number=None, over=True), 409)


def _answer_page(call: Call, code: str, *, error: str | None = None) -> str:
    found = requests.find(call, code)
    who = requests.asker_of(call, found)
    of_type = [one for one in wallet.own(call, limit=holder.CARDS) if not found.types or one.type_code in found.types]
    cards = [shown.card(call, one) for one in of_type if one.subject == call.caller.holder]
    can = [card for card in cards if found.question == VALID or card["state"] == State.VALID]
    return render_template(
        "me/request.html",
        action=f"{requests.PATH}{code}",
        unit=who.shown_to_holder,
        purpose=who.purpose,
        question=_question(call, found),
        is_yes_or_no=found.question != LICENCES,
        licences=can,
        parts_shown=holder.parts_shown(),
        seconds=max(0, round((found.expires_at - call.now).total_seconds())),
        error=error,
    )


def _ask_page(call: Call, *, error: str | None = None) -> str:
    purposes = counter.purposes(call)
    return render_template(
        "counter/ask.html",
        purposes=[{"code": code, "name": name} for code, name in purposes.items()],
        purpose=session.get("purpose"),
        questions=[
            {"value": name, "text": words.word(title), "hint": words.word(hint)}
            for name, (title, hint) in _QUESTIONS.items()
        ],
        question=request.form.get("question", LICENCES),
        types=[(code, words.name_of(entry.type)) for code, entry in catalogue.entries(call).items()],
        error=error,
        wrong="type" if request.form.get("purpose", "") in purposes else "purpose",
    )


def _asked_page(call: Call, found: PresentationRequest) -> str:
    kept = session.get("asked") or {}
    state = requests.state(call, found)
    own = found.code_hash.hex()
    is_shown = state == "waiting" and kept.get("id") == own
    return render_template(
        "counter/asked.html",
        id=own,
        state=state,
        question=_question(call, found),
        purpose=requests.asker_of(call, found).purpose,
        qr_svg=Markup(qr.svg(kept["qr_text"])) if is_shown else None,  # noqa: S704 - drawn by us
        address=kept["qr_text"] if is_shown else None,
        seconds=max(0, round((found.expires_at - call.now).total_seconds())),
    )


def _question(call: Call, found: PresentationRequest) -> str:
    title = words.word(_QUESTIONS[found.question][0])
    names = [words.name_of(catalogue.find(call, code).type) for code in found.types]
    if found.matter is not None and found.matter in matters.entries(call):
        names = [words.name_of(matters.entries(call)[found.matter])]
    return words.word(("：", ": ")).join([title, shown.word_list(names)]) if names else title

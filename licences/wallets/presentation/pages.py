"""A counter asks a wallet (电子钱包出示): the clerk's pages with QR and result, and the holder's last page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, session
from markupsafe import Markup

from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from licences import catalogue, qr
from licences.counter import matters
from licences.pages import counter, shown, words
from licences.wallets.presentation import requests
from licences.wallets.presentation.requests import ANSWERED, Outcome
from licences.wallets.presentation.schemas import WalletRequestBody

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.wallets.presentation.models import WalletRequest
    from licences.wallets.presentation.requests import Answered

blueprint = Blueprint("wallet_pages", __name__, template_folder="../../templates")

PATH = "/counter/wallet"
_BODY = WalletRequestBody()
_ID_CARD = "resident_card"
_NO_LICENCE = ("这个事项不需要电子证照，请选择别的事项", "No licence proves this matter: choose another")


@page(blueprint, PATH, who=Who.CLERK)
def wallet_form(call: Call) -> str:
    """Ask what it is for: the matter says which licences and fields are asked of the wallet."""
    return _form_page(call)


def _ask(call: Call) -> Response | str:
    purposes, chosen = counter.purposes(call), request.form.get("purpose", "")
    if chosen not in purposes:
        return words.word(counter.CHOOSE)
    session["purpose"] = chosen
    kind = request.form.get("type", "")
    body: dict[str, Any] = {"purpose": purposes[chosen]}
    if chosen != counter.OTHER:
        body["matter"] = chosen
    elif kind in catalogue.entries(call):
        body["types"] = [kind]
    else:
        return words.word(("请选择证照种类", "Choose the type of licence"))
    try:
        asked = requests.ask(call, load(_BODY, body, where="form"))
    except Problem as problem:
        if problem.code != "invalid":
            raise
        return words.word(_NO_LICENCE)
    session["wallet_asked"] = {"id": asked.id, "qr_text": asked.qr_text}
    return redirect(f"{PATH}/{asked.id}", 303)  # type: ignore[return-value]


@page(blueprint, PATH, who=Who.CLERK, methods=("POST",), prepare=_ask, limit="60/minute")
def wallet_form_again(call: Call, prepared: str) -> Response:
    """Say what is missing."""
    return Response(_form_page(call, error=prepared), 422)


@page(blueprint, f"{PATH}/<request_id>", who=Who.CLERK)
def wallet_asked(call: Call, request_id: str) -> str:
    """Show the QR while the wallet has not answered, then what it did."""
    return _asked_page(call, requests.own(call, request_id))


@page(blueprint, f"{PATH}/<request_id>/state", who=Who.CLERK)
def wallet_asked_state(call: Call, request_id: str) -> Response:
    """Say what became of a request."""
    return jsonify(state=requests.state(call, requests.own(call, request_id)))


def _read(call: Call, request_id: str) -> Answered:
    return requests.read(call, request_id)


def _asked_again(call: Call, _problem: Problem, request_id: str) -> str:
    return _asked_page(call, requests.own(call, request_id))


@page(blueprint, f"{PATH}/<request_id>", who=Who.CLERK, methods=("POST",), prepare=_read, again=_asked_again)
def wallet_answer(call: Call, prepared: Answered, request_id: str) -> str:
    """Show the report, under the number that the holder's telephone shows."""
    return render_template(
        "counter/wallet_answered.html",
        title=_title(call, requests.own(call, request_id)),
        check_number=prepared.check_number,
        result=shown.result(call, prepared.report),
    )


@page(blueprint, f"{ANSWERED}<code>/<response_code>", who=Who.ANYONE, limit="60/minute")
def holder_done(call: Call, code: str, response_code: str) -> Response:
    """Tell the holder, to whom his wallet has opened this page, what was answered and the number to show."""
    try:
        found = requests.answered(call, code, response_code)
    except Problem as problem:
        if problem.code != "wallet_request_over":
            raise
        return Response(render_template("wallet/answered.html", over=True, number=None, unit=None, purpose=None), 404)
    who = requests.asker_of(call, found)
    number = found.check_number if found.outcome == Outcome.GIVEN else None
    facts = {"number": number, "unit": who.shown_to_holder, "purpose": who.purpose}
    return Response(render_template("wallet/answered.html", over=False, **facts))


def _form_page(call: Call, *, error: str | None = None) -> str:
    entries = catalogue.entries(call)
    card = next((code for code, entry in entries.items() if entry.type.slug == _ID_CARD), "")
    return render_template(
        "counter/wallet_ask.html",
        purposes=[{"code": code, "name": name} for code, name in counter.purposes(call).items()],
        purpose=session.get("purpose"),
        types=[(code, words.name_of(entry.type)) for code, entry in entries.items()],
        type=request.form.get("type") or card,
        error=error,
    )


def _asked_page(call: Call, found: WalletRequest) -> str:
    kept = session.get("wallet_asked") or {}
    state, own = requests.state(call, found), found.code_hash.hex()
    is_shown = state == "waiting" and kept.get("id") == own
    return render_template(
        "counter/wallet_asked.html",
        id=own,
        state=state,
        title=_title(call, found),
        purpose=requests.asker_of(call, found).purpose,
        qr_svg=Markup(qr.svg(kept["qr_text"])) if is_shown else None,  # noqa: S704 - drawn by us
        seconds=max(0, round((found.expires_at - call.now).total_seconds())),
    )


def _title(call: Call, found: WalletRequest) -> str:
    """Return what is asked, by the matter's name where there is one."""
    known = matters.entries(call)
    if found.matter is not None and found.matter in known:
        return words.name_of(known[found.matter])
    return words.word(("请用电子钱包出示", "Present from a wallet"))

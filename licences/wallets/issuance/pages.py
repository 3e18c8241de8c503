"""The holder's pages for his wallets: put a licence into one, see what they hold, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup

from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.oauth import clients
from licences import change, co_holders, qr
from licences.lifecycle import State
from licences.pages import shown, words
from licences.wallets.issuance import configurations, copies, offers

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.models import Licence
    from licences.wallets.issuance.copies import Group
    from licences.wallets.issuance.offers import Offered

blueprint = Blueprint("wallets", __name__)

HOME = "/me/wallets"
_GROUP = 3  # digits that are shown together
_NONE_CHOSEN = ("请至少选择一种格式", "Choose at least one form")


@page(blueprint, HOME, who=Who.PERSON)
def index(call: Call) -> str:
    """Show which wallets hold copies of the holder's licences."""
    return render_template("me/wallets.html", groups=[_shown(call, g) for g in copies.of_holder(call, _holder(call))])


@page(blueprint, f"{HOME}/end", who=Who.PERSON, methods=("POST",), write=True)
def end(call: Call) -> Response:
    """End what one wallet holds of one licence in one form."""
    chosen = request.form.get("group", "").split("|")
    if len(chosen) != 3:
        raise Problem("not_found", "No wallet holds that.")
    client_id, identifier, configuration = chosen
    copies.end(
        call,
        _holder(call),
        reason="holder",
        client_id=client_id,
        identifier=identifier,
        configuration=configuration,
    )
    return redirect(HOME, 303)  # type: ignore[return-value]


@page(blueprint, f"{HOME}/offers/<identifier>", who=Who.PERSON)
def choose(call: Call, identifier: str) -> str:
    """Ask in which forms a licence is put into a wallet."""
    return _choice(call, _own(call, identifier), error=None)


def _offer(call: Call, identifier: str) -> Offered | Response:
    licence = _own(call, identifier)
    chosen = set(request.form.getlist("forms"))
    wanted = [found for found in configurations.of_type(call, licence.type_code) if found.name in chosen]
    if not wanted:
        return Response(_choice(call, licence, error=words.word(_NONE_CHOSEN)), 422)
    return offers.make(call, licence, wanted)


@page(blueprint, f"{HOME}/offers/<identifier>", who=Who.PERSON, methods=("POST",), prepare=_offer, limit="30/minute")
def offer(call: Call, identifier: str, prepared: Offered) -> Response:
    """Show an offer that was just made, as QR and as a link, and beside it the digits that stand in neither."""
    second = prepared.second or ""
    shown_page = render_template(
        "me/wallet_offer.html",
        licence=shown.card(call, _own(call, identifier)),
        qr_svg=Markup(qr.svg(prepared.by_reference)),  # noqa: S704 - drawn by us from letters and digits
        link=prepared.by_value,
        digits=[second[start : start + _GROUP] for start in range(0, len(second), _GROUP)],
        expires_at=prepared.expires_at,
        minutes=round((prepared.expires_at - call.now).total_seconds() / 60),
    )
    response = Response(shown_page, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def _choice(call: Call, licence: Licence, *, error: str | None) -> str:
    at = 1 if language() == "en" else 0
    forms = [
        {"value": found.name, "text": configurations.TITLES[found.format][at], "hint": _HINTS[found.format.name][at]}
        for found in configurations.of_type(call, licence.type_code)
    ]
    return render_template("me/wallet_choose.html", licence=shown.card(call, licence), forms_offered=forms, error=error)


_HINTS = {
    "SD_JWT": ("可以只出示其中几项，多数钱包支持", "Shows only what you choose; most wallets take it"),
    "MDOC": ("用于当面出示，如移动驾驶证", "For showing in person, such as a mobile driving licence"),
    "JWT_VC": ("出示时全部内容都会给对方", "Whoever sees it sees all of it"),
}


def _shown(call: Call, group: Group) -> dict[str, Any]:
    found, app = change.find(call, group.identifier), clients.find(call, group.client_id)
    configuration = configurations.find(call, group.configuration)
    form = words.word(configurations.TITLES[configuration.format]) if configuration is not None else ""
    return {
        "id": f"{group.client_id}|{group.identifier}|{group.configuration}",
        "wallet": app.name if app is not None else group.client_id,
        "licence": shown.card(call, found)["type_name"],
        "form": form,
        "copies": group.copies,
        "made_at": group.made_at,
        "expires_at": group.expires_at,
    }


def _own(call: Call, identifier: str) -> Licence:
    found = change.find(call, identifier)
    if not co_holders.holds(call, found) or State(found.state) is not State.VALID:
        raise Problem("not_found", "You hold no such licence that is in force.")
    return found


def _holder(call: Call) -> str:
    return call.caller.holder or ""

"""The decisions of a person: for whom he acts, what an app may know, and taking that back. Posts need CSRF tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request

from idservice.errors import Problem
from idservice.http import headers
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.oauth import consent_purposes, consents, receipts, withholding
from idservice.oauth.authorization import AuthorizationRefused, AuthorizationRequest
from idservice.oauth.authorize_routes import first_step, shown_scopes, url_of, walk
from idservice.oauth.decision import SELF, Choose, LogIn, Prove, Ready, decide, grant
from idservice.oauth.receipt_routes import answer as receipt_file
from idservice.register import mandates

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.steps import Step

blueprint = Blueprint("oauth_pages", __name__)

RECEIPTS = 20  # on one page


@page(blueprint, "/oauth/decision", who=Who.ANYONE, methods=("POST",), write=True)
def decision(call: Call) -> Response | str:
    """Take the choice of whom to act for, or the decision about consent; anything else shows the page again."""
    return walk(call, lambda asked, step: _take(call, asked, step or first_step(call, asked)))


def _take(call: Call, asked: AuthorizationRequest, step: Step) -> Response:
    needed = decide(call, asked, step)
    headers.allow_form_action(asked.asker.redirect_uri)
    if isinstance(needed, Prove) and request.form.get("decision") == "deny":
        raise AuthorizationRefused(asked.asker, "unmet_authentication_requirements", "No second factor was shown.")
    if isinstance(needed, LogIn | Prove):
        return _again(call, step)
    chosen = request.form.get("acting", "")
    if isinstance(needed, Choose):
        if chosen == SELF or any(m.mandate_id == chosen for m in needed.mandates):
            step = step.acting_as(chosen, call.caller.session_id or "")
        return _again(call, step)
    return _answer(call, asked, needed, step)


def _answer(call: Call, asked: AuthorizationRequest, ready: Ready, step: Step) -> Response:
    said = request.form.get("decision")
    if said == "deny":
        raise AuthorizationRefused(asked.asker, "access_denied", "The person declined.")
    if said != "allow":
        return _again(call, step)
    names, organisation = request.form.getlist("withhold"), ready.for_organisation
    whole, withheld = asked.scope, withholding.taken_back(asked, names, organisation=organisation)
    asked = withholding.without(asked, names, organisation=organisation)
    if whole and not asked.scope:
        raise AuthorizationRefused(asked.asker, "access_denied", "The person declined.")
    more = consent_purposes.beyond_scope(call, asked.app, asked.granted, organisation=organisation)
    consents.give(
        call, ready.holder, asked.app.client_id, asked.scope, more=more, language=language(), withheld=withheld
    )
    return redirect(grant(call, asked, ready), 303)  # type: ignore[return-value]


def _again(call: Call, step: Step) -> Response:
    return redirect(url_of(call, step), 303)  # type: ignore[return-value]


@page(blueprint, "/me/apps", who=Who.PERSON)
def apps(call: Call) -> str:
    """List the apps that a person, or an organisation he may act for, has allowed."""
    holders = _holders(call)
    listed = [
        _shown(key, given, acting_name)
        for key, (holder, acting_name) in holders.items()
        for given in consents.of_holder(call, holder)
    ]
    before = request.args.get("before", "")
    made, older = _receipts(call, holders, before=before if receipts.is_identifier(before) else None)
    return render_template("me/apps.html", consents=listed, receipts=made, older=older)


@page(blueprint, "/me/apps/receipts/<string(maxlength=32):key>/<string(length=32):receipt_id>", who=Who.PERSON)
def receipt(call: Call, key: str, receipt_id: str) -> Response:
    """Download a receipt of one's own, or of an organisation one may act for."""
    holders = _holders(call)
    found = receipts.find(call, holders[key][0], receipt_id) if key in holders else None
    return receipt_file(found, receipt_id)


@page(blueprint, "/me/apps", who=Who.PERSON, methods=("POST",), write=True)
def withdraw(call: Call) -> Response:
    """Take a consent back."""
    key, _, client_id = request.form.get("revoke", "").partition(".")
    holders = _holders(call)
    if key not in holders or consents.withdraw(call, holders[key][0], client_id) is None:
        raise Problem("not_found", "This consent is not yours, or was withdrawn before.")
    return redirect("/me/apps", 303)  # type: ignore[return-value]


def _holders(call: Call) -> dict[str, tuple[str, str | None]]:
    """Return by a key for the form whose consents the visitor may manage: his own, and those of his principals.

    A consent is to an app and not to licence types or matters: a mandate limited to some does not reach it.
    """
    person = call.caller.person or ""
    whole = [mandate for mandate in mandates.live(call, person) if not mandate.is_limited]
    return {SELF: (person, None)} | {m.mandate_id: (m.principal, m.organisation) for m in whole}


def _receipts(
    call: Call, holders: dict[str, tuple[str, str | None]], *, before: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the newest receipts of all whom the visitor may act for, those before one of them where it is named."""
    found: list[dict[str, Any]] = [
        {"key": key, "acting_name": acting_name, "receipt": listed}
        for key, (holder, acting_name) in holders.items()
        for listed in receipts.of_holder(call, holder, limit=RECEIPTS + 1, cursor=before)[0]
    ]
    found.sort(key=lambda one: one["receipt"].id, reverse=True)
    return found[:RECEIPTS], found[RECEIPTS - 1]["receipt"].id if len(found) > RECEIPTS else None


def _shown(key: str, given: consents.Given, acting_name: str | None) -> dict[str, Any]:
    uri = given.redirect_uris[0] if given.redirect_uris else ""
    return {
        "id": f"{key}.{given.client_id}",
        "client": {"name": given.name, "unit": given.unit, "host": urlsplit(uri).hostname or ""},
        "scopes": shown_scopes(given.scope),
        "granted_at": given.given_at,
        "acting_name": acting_name,
        "receipt": f"{key}/{given.receipt}" if given.receipt is not None else None,
    }

"""The page of the second factor: it comes between a login and what needs more than that, and leads on to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from idservice.call import Call
from idservice.http import headers
from idservice.http.endpoint import house
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.language import shown_at
from idservice.login import device, levels, passkey, second_factor, session, sms, step_up
from idservice.login.browser import browser
from idservice.login.pages import local_path
from idservice.login.second_factor import Way
from idservice.login.step_up import PAGE, StepUpNeeded
from idservice.numbers.names import mask_phone
from idservice.oauth import authorization

blueprint = Blueprint("second_factor", __name__)

WRONG = (
    "验证没有通过：验证码不正确、已用过、已过期，或暂时锁定。",
    "This did not work: the code is wrong, was used before, has expired, or is locked for a while.",
)


@page(blueprint, PAGE, who=Who.PERSON)
def ask(call: Call) -> Response | str:
    """Ask for a second factor, or go on where it was shown already."""
    acr, to = _wanted(request.args)
    if levels.reaches(levels.acr_of(call.caller.amr), acr):
        return _to(to)
    return _shown(call, acr, to, way=_chosen(call, acr, request.args.get("way")))


@page(blueprint, PAGE, who=Who.PERSON, methods=("POST",), write=True)
def take(call: Call) -> Response:
    """Take what the visitor shows; a wrong answer is counted and the page shown again."""
    acr, to = _wanted(request.form)
    way = _chosen(call, acr, request.form.get("way"))
    if way is None:
        return _to(step_up.page_for(acr, to))
    cookie = request.cookies.get(device.COOKIE)
    if second_factor.check(call, way, request.form, browser=browser(), device_cookie=cookie):
        proved = second_factor.strengthen(call, way, request.cookies.get(session.COOKIE), cookie)
        response = _to(to)
        if proved is not None:
            session.give_cookie(response, proved.session_cookie)
            device.give_cookie(response, proved.device_entry)
        return response
    shown = _shown(call, acr, to, way=way, error=_word(WRONG), form=request.form.get("form", ""))
    return make_response(shown, 400)


def _make_code(call: Call) -> sms.Message | None:
    person = call.caller.person or ""
    acr, _ = _wanted(request.form)
    if Way.SMS not in second_factor.ways_of(call, person, acr):
        return None
    sms.limit(house(), person, request.remote_addr)
    return sms.make(call, person, second_factor.phone_of(call, person), second_factor.PURPOSE)


@page(blueprint, f"{PAGE}/sms", who=Who.PERSON, methods=("POST",), prepare=_make_code)
def send(call: Call, prepared: sms.Message | None) -> Response | str:
    """Send a code by SMS and ask for it."""
    acr, to = _wanted(request.form)
    if prepared is None:
        return _to(step_up.page_for(acr, to))
    sms.carry(call, prepared)
    return _shown(call, acr, to, way=Way.SMS, form=prepared.form)


@blueprint.app_errorhandler(StepUpNeeded)
def _send_to_prove(needed: StepUpNeeded) -> Response:
    here = request.full_path.rstrip("?") if request.method == "GET" else _page_of(request.path)
    return _to(step_up.page_for(needed.needed, needed.to or here))


def _page_of(path: str) -> str:
    """Return the page on which a button was pressed, to be pressed again: a post itself is never repeated."""
    pages = current_app.url_map.bind("localhost")
    while path != "/":
        try:
            pages.match(path, method="GET")
        except HTTPException:
            path = path.rpartition("/")[0] or "/"
        else:
            return path
    return path


def _wanted(sent: Any) -> tuple[str, str]:
    acr = sent.get("acr", "")
    return (acr if acr in levels.LADDER[1:] else levels.TWO_FACTOR), local_path(sent.get("to"))


def _chosen(call: Call, acr: str, wish: str | None) -> Way | None:
    ways = second_factor.ways_of(call, call.caller.person or "", acr)
    return next((way for way in ways if way == wish), ways[0] if ways else None)


def _shown(call: Call, acr: str, to: str, *, way: Way | None, error: str | None = None, form: str = "") -> str:
    person = call.caller.person or ""
    if request.method == "POST":
        shown_at(PAGE, acr=acr, to=to, way=str(way or ""))
    asker = authorization.asker_of(call, to)
    if asker is not None:
        headers.allow_form_action(asker.redirect_uri)
    return render_template(
        "second.html",
        action=PAGE,
        way=str(way) if way else None,
        others=[str(other) for other in second_factor.ways_of(call, person, acr) if other != way],
        hidden={"acr": acr, "to": to},
        form=form,
        phone=mask_phone(second_factor.phone_of(call, person) or ""),
        ceremony=passkey.begin_use(call, browser(), person) if way is Way.PASSKEY else None,
        client_name=asker.app.name if asker is not None else None,
        refusal=f"/oauth/decision?{to.partition('?')[2]}" if asker is not None else None,
        error=error,
    )


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]

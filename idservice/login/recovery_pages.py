"""The pages of a forgotten password. Up to the first right answer they look the same for every number."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as form_session

from idservice.call import Call
from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import change_password, device, proofing, proofing_pages, recovery, sms, sms_sender, stand_in
from idservice.login.browser import browser
from idservice.login.models import Recovery
from idservice.login.password import PasswordRefused
from idservice.login.proofing_pages import RECOVERY
from idservice.login.recovery import Next
from idservice.login.second_factor import phone_of
from idservice.login.security_pages import NOT_THE_SAME, REFUSED_PASSWORD

blueprint = Blueprint("recovery", __name__)

START = "/recover"
WRONG = (
    "没有通过：验证码不正确或已过期，或者姓名与登记的不一致。",
    "This did not work: the code is wrong or has expired, or the name is not the one on record.",
)
LIMIT = "60/minute"


@page(blueprint, START, who=Who.ANYONE, limit=LIMIT)
def start(call: Call) -> str:
    """Ask for the number."""
    return render_template("recover.html", action=START, is_offered=sms_sender.is_configured(call.settings))


def _make_code(call: Call) -> sms.Message:
    if not sms_sender.is_configured(call.settings):
        raise Problem("not_found", "Recovery is not offered here.")
    return recovery.send_code(call, request.form.get("number", ""), request.cookies.get(device.COOKIE))


@page(blueprint, START, who=Who.ANYONE, methods=("POST",), prepare=_make_code, limit=LIMIT, ahead=stand_in.make_ready)
def send(call: Call, prepared: sms.Message) -> str:
    """Send a code to the telephone of whoever bears the number, and ask for it."""
    sms.carry(call, prepared)
    return _prove_page(prepared.form)


@page(
    blueprint, f"{START}/prove", who=Who.ANYONE, methods=("POST",), write=True, limit=LIMIT, ahead=stand_in.make_ready
)
def prove(call: Call) -> Response:
    """Take code and name."""
    form, code = request.form.get("form", ""), "".join(request.form.get("code", "").split())
    secret = recovery.prove(call, form, code, request.form.get("name", ""), request.cookies.get(device.COOKIE))
    if secret is None:
        return make_response(_prove_page(form, error=_word(WRONG)), 400)
    form_session[RECOVERY] = secret
    return _to(f"{START}/next")


@page(blueprint, f"{START}/next", who=Who.ANYONE, limit=LIMIT)
def go_on(call: Call) -> Response | str:
    """Show what the recovery still needs."""
    row = _under_way(call)
    return _to(START) if row is None else _shown(call, row)


@page(blueprint, f"{START}/check", who=Who.ANYONE, methods=("POST",), write=True, limit=LIMIT)
def check(call: Call) -> Response | str:
    """Go to a checker of real persons."""
    row = _under_way(call)
    if row is None:
        return _to(START)
    asked = proofing.begin(
        call, row.subject, request.form.get("checker", ""), purpose=proofing.RECOVERY, browser=browser()
    )
    return _to(f"{START}/next") if asked is None else proofing_pages.go(call, asked)


@page(blueprint, f"{START}/password", who=Who.ANYONE, methods=("POST",), write=True, limit=LIMIT)
def set_password(call: Call) -> Response | str:
    """Set the new password, and tell the telephone that was known before."""
    row = _under_way(call)
    if row is None:
        return _to(START)
    new = request.form.get("password", "")
    if new != request.form.get("again", ""):
        return make_response(_shown(call, row, error=_word(NOT_THE_SAME)), 400)
    try:
        is_done = recovery.finish(call, row, new)
    except PasswordRefused:
        return make_response(_shown(call, row, error=_word(REFUSED_PASSWORD)), 400)
    if not is_done:
        return _to(f"{START}/next")
    change_password.tell(call, phone_of(call, row.subject))
    form_session.pop(RECOVERY, None)
    return render_template("recovered.html")


def _under_way(call: Call) -> Recovery | None:
    return recovery.find(call, form_session.get(RECOVERY))


def _shown(call: Call, row: Recovery, error: str | None = None) -> str:
    needed = recovery.next_of(call, row)
    if needed is Next.PASSWORD:
        return render_template("me/security_password.html", action=f"{START}/password", error=error, is_recovery=True)
    return render_template(
        "recover_next.html",
        action=f"{START}/check",
        checkers=proofing_pages.shown(call) if needed is Next.CHECK else [],
    )


def _prove_page(form: str, error: str | None = None) -> str:
    return render_template("recover_prove.html", action=f"{START}/prove", form=form, error=error)


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]

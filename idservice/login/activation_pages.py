"""`/me/security/activation`: staff enter the code of their department here, before they add a first second factor."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request

from idservice.call import Call
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import activation, step_up
from idservice.login.levels import Act
from idservice.login.pages import local_path
from idservice.login.step_up import ACTIVATION

blueprint = Blueprint("activation", __name__)

WRONG = (
    "激活码不正确、已用过、已过期，或暂时锁定。请核对，或向本单位重新索取。",
    "This code is wrong, was used before, has expired, or is locked for a while. Check it, or ask for a new one.",
)


@page(blueprint, ACTIVATION, who=Who.PERSON)
def ask(call: Call) -> Response | str:
    """Ask for the code, or go on where none is needed."""
    step_up.demand(call, Act.FIRST_FACTOR)
    return _shown() if activation.is_needed(call) else _go_on()


@page(blueprint, ACTIVATION, who=Who.PERSON, methods=("POST",), write=True)
def take(call: Call) -> Response:
    """Take the code; a wrong one is counted and the page shown again."""
    step_up.demand(call, Act.FIRST_FACTOR)
    if not activation.is_needed(call) or activation.use(call, request.form.get("code", "")):
        return _go_on()
    return make_response(_shown(error=WRONG[1] if language() == "en" else WRONG[0]), 400)


def _shown(error: str | None = None) -> str:
    return render_template("me/security_activation.html", action=ACTIVATION, hidden={"to": _onward()}, error=error)


def _onward() -> str:
    return local_path(request.values.get("to") or "/me/security")


def _go_on() -> Response:
    return redirect(_onward(), 303)  # type: ignore[return-value]

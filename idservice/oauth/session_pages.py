"""Where am I logged in (登录设备)? The person's own sessions, each with a button that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, render_template, request

from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.oauth import signing_out

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("sessions_pages", __name__)

OTHERS = "others"


@page(blueprint, "/me/sessions", who=Who.PERSON)
def sessions(call: Call) -> str:
    """List where the person is logged in, this browser first."""
    return render_template("me/sessions.html", sessions=signing_out.listed(call))


@page(blueprint, "/me/sessions", who=Who.PERSON, methods=("POST",), write=True)
def end(call: Call) -> Response:
    """End one other session, or all of them; this one is ended at the logout page, where the apps are told too."""
    person, chosen = call.caller.person or "", request.form.get("end", "")
    if chosen == OTHERS:
        signing_out.end_others(call, person, but=call.caller.session_id)
    elif not signing_out.end_one(call, person, chosen):
        raise Problem("not_found", "This session is not yours, or has ended already.")
    return redirect("/me/sessions", 303)  # type: ignore[return-value]

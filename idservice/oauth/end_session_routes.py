"""The end-session endpoint: apps send people here to log out. Nothing is ended before the person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from idservice.errors import Problem
from idservice.http.endpoint import single
from idservice.http.page import Who, page
from idservice.login.pages import show_logout

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("end_session", __name__)


@page(blueprint, "/oauth/end_session", who=Who.ANYONE, methods=("GET", "POST"))
def end_session(call: Call) -> Response | str:
    """Show the logout page for an app's request, from the query or, as a post, from the body."""
    if request.method == "POST" and request.args:
        raise Problem("logout_request", "Send the parameters in the body alone.")
    return show_logout(call, single(request.form if request.method == "POST" else request.args))

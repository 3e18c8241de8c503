"""The end-session endpoint, where apps send people to log out, and the page by which they watch a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, make_response, render_template, request

from idservice.errors import Problem
from idservice.http import headers
from idservice.http.endpoint import single
from idservice.http.page import Who, page
from idservice.oauth.end_session_pages import show_logout

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("oauth_end_session", __name__)


@page(blueprint, "/oauth/end_session", who=Who.ANYONE, methods=("GET", "POST"))
def end_session(call: Call) -> Response | str:
    """Show the logout page for an app's request, from the query or, as a post, from the body.

    Nothing is ended before the person says so.
    """
    if request.method == "POST" and request.args:
        raise Problem("logout_request", "Send the parameters in the body alone.")
    return show_logout(call, single(request.form if request.method == "POST" else request.args))


@blueprint.get("/oauth/check_session")
def check_session() -> Response:
    """Serve the page of OpenID Connect Session Management 1.0 section 3.2; it is the same for everybody."""
    headers.allow_framing()
    response = make_response(render_template("check_session.html"))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response

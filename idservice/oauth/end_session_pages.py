"""The logout page: asks, ends the session, lets the browser tell the apps, leads back to the one that asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from idservice.http import headers
from idservice.http.page import Who, page
from idservice.login import session
from idservice.oauth import end_session, frontchannel_logout, signing_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

blueprint = Blueprint("logout", __name__)

SECONDS_FOR_FRAMES = 3


@page(blueprint, "/logout", who=Who.ANYONE)
def logout(_call: Call) -> str:
    """Ask whether to log out."""
    return render_template("logout.html", action="/logout", client_name=None)


@page(blueprint, "/logout", who=Who.ANYONE, methods=("POST",), write=True)
def leave(call: Call) -> Response:
    """Log out, and go where the app that asked for it wants the visitor back."""
    leaving = end_session.read(call, request.form)
    frames = _end(call)
    g.current_user = None
    if leaving.redirect_uri is not None and not frames:
        return session.take_cookie(redirect(leaving.redirect_uri, 303))  # type: ignore[arg-type]
    headers.allow_frames(frames)
    response = make_response(render_template("logged_out.html", frames=frames, next_url=leaving.redirect_uri))
    if leaving.redirect_uri is not None:  # the frames need a moment; section 3 leaves how long to us
        response.headers["Refresh"] = f"{SECONDS_FOR_FRAMES}; url={leaving.redirect_uri}"
    return session.take_cookie(response)


def show_logout(call: Call, sent: Mapping[str, str]) -> Response | str:
    """Serve an app's logout request (RP-Initiated Logout 1.0): ask first, for anybody can send a visitor here."""
    leaving = end_session.read(call, sent)
    if call.caller.person is None:
        if leaving.redirect_uri is not None:
            return redirect(leaving.redirect_uri, 303)  # type: ignore[return-value]
        return render_template("logged_out.html")
    if leaving.redirect_uri is not None:
        headers.allow_form_action(leaving.redirect_uri)
    name = leaving.app.name if leaving.app is not None else None
    hidden = {name: sent[name] for name in end_session.PARAMETERS if name in sent}
    return render_template("logout.html", action="/logout", client_name=name, hidden=hidden)


def _end(call: Call) -> list[str]:
    """End the visitor's session, if he has one, and return which pages his browser must visit."""
    row = session.find(call, request.cookies.get(session.COOKIE)) if call.caller.person else None
    if row is None:
        return []
    return frontchannel_logout.frames(call, signing_out.end(call, row), row.chain)

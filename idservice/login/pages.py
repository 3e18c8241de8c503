"""The login and logout pages. Login runs its own transactions (see `attempt`); everything else is an ordinary page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from idservice import audit
from idservice.call import Call, Caller
from idservice.http import headers
from idservice.http.endpoint import house
from idservice.http.page import PAGES, Who, page
from idservice.http.problems import language
from idservice.login import attempt, device, session
from idservice.oauth import authorization, end_session, families

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = Blueprint("login", __name__)

AFTER_LOGIN = "/me"
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,8192}\Z")  # printable ASCII without a backslash

WRONG = (
    "证件号码或密码不正确，或账号暂时锁定。",
    "The number or the password is wrong, or the account is locked for a while.",
)
DEMO_HINT = (
    "演示账号和密码在启动演示时列出。",
    "The demonstration's accounts and passwords are listed where it was started.",
)


def local_path(text: str | None) -> str:
    """Return where to go after login: a path on this site, or the visitor's own page for anything else."""
    return text if text is not None and _LOCAL.match(text) else AFTER_LOGIN


@page(blueprint, "/login", who=Who.ANYONE)
def login(call: Call) -> str:
    """Ask for number and password."""
    return _form(call, local_path(request.args.get("to")), error=None)


@blueprint.post("/login")
def submit() -> Response:
    """Log a person in and send him where he wanted to go."""
    home = house()
    to = local_path(request.form.get("to"))
    visitor = attempt.Visitor(
        request.remote_addr, g.request_id, request.cookies.get(session.COOKIE), request.cookies.get(device.COOKIE)
    )
    done = attempt.log_in(home, request.form.get("number", ""), request.form.get("password", ""), visitor)
    if done is not None:
        response: Response = redirect(to, 303)  # type: ignore[assignment]
        return device.give_cookie(session.give_cookie(response, done.session_cookie), done.device_cookie)
    caller = Caller(channel="page", address=request.remote_addr)
    shown = home.database.run(
        lambda opened: _form(Call(home, opened, caller, datetime.now(UTC), g.request_id), to, error=_word(WRONG)),
        write=False,
    )
    return make_response(shown, 400)


PAGES.append(("login.submit", "/login", Who.ANYONE))


@page(blueprint, "/logout", who=Who.ANYONE)
def logout(_call: Call) -> str:
    """Ask whether to log out."""
    return render_template("logout.html", action="/logout", client_name=None)


@page(blueprint, "/logout", who=Who.ANYONE, methods=("POST",), write=True)
def leave(call: Call) -> Response:
    """Log out, and go where the app that asked for it wants the visitor back."""
    leaving = end_session.read(call, request.form)
    _end(call)
    if leaving.redirect_uri is not None:
        response: Response = redirect(leaving.redirect_uri, 303)  # type: ignore[assignment]
    else:
        g.current_user = None
        response = make_response(render_template("logged_out.html"))
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


def _end(call: Call) -> None:
    caller = call.caller
    if caller.person is None or caller.session_id is None:
        return
    session.end(call, request.cookies.get(session.COOKIE))
    families.kill_of_session(call, caller.person, bytes.fromhex(caller.session_id))
    audit.record(call, audit.Deed.LOGOUT, subject=caller.person)


def _form(call: Call, to: str, *, error: str | None) -> str:
    """Return the login page; where an app waits behind it, the form may lead to that app's redirect URI."""
    asker = authorization.asker_of(call, to)
    if asker is not None:
        headers.allow_form_action(asker.redirect_uri)
    return render_template(
        "login.html",
        action="/login",
        hidden={"to": to},
        error=error,
        client_name=asker.app.name if asker is not None else None,
        demo_hint=_word(DEMO_HINT) if call.settings.demo else None,
    )


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]

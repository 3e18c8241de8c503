"""The login page. Login runs its own transactions (see `attempt`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from idservice.call import Call, Caller
from idservice.http import headers, skeletons
from idservice.http.endpoint import house
from idservice.http.page import PAGES, Who, page
from idservice.http.problems import language
from idservice.http.skeletons import Gap
from idservice.language import shown_at
from idservice.login import attempt, device, passkey, session
from idservice.login.browser import browser
from idservice.oauth import authorization
from idservice.register import people

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

blueprint = Blueprint("login", __name__)

AFTER_LOGIN = "/me"
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,8192}\Z")  # printable ASCII without a backslash

WRONG = (
    "证件号码或密码不正确，或账号暂时锁定。",
    "The number or the password is wrong, or the account is locked for a while.",
)
WRONG_AGAIN = (
    "密码不正确，或账号暂时锁定。",
    "The password is wrong, or the account is locked for a while.",
)
NO_PASSKEY = (
    "这个通行密钥没有登记，或者确认已经过期。",
    "This passkey is not registered here, or the page has expired.",
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
    done = attempt.log_in(home, request.form.get("number", ""), request.form.get("password", ""), _visitor())
    if done is not None:
        return _let_in(done, to)
    caller = Caller(channel="page", address=request.remote_addr)
    shown = home.database.run(
        lambda opened: _form(Call(home, opened, caller, datetime.now(UTC), g.request_id), to, error=_word(WRONG)),
        write=False,
    )
    return make_response(shown, 400)


PAGES.append(("login.submit", "/login", Who.ANYONE))


@page(blueprint, "/login/again", who=Who.ANYONE)
def again(call: Call) -> Response | str:
    """Ask a visitor who is logged in for his password once more: what he wants needs a fresh login."""
    to = local_path(request.args.get("to"))
    if call.caller.person is None:
        return _to_login(to)
    return _form_again(call, to, error=None)


@blueprint.post("/login/again")
def submit_again() -> Response:
    """Log the visitor in anew and send him where he wanted to go."""
    home, visitor = house(), _visitor()
    to = local_path(request.form.get("to"))
    number = home.database.run(lambda opened: _own_number(_logged_in(opened)), write=False)
    if number is None:
        return _to_login(to)
    done = attempt.log_in(home, number, request.form.get("password", ""), visitor)
    if done is not None:
        return _let_in(done, to)
    shown = home.database.run(lambda opened: _form_again(_logged_in(opened), to, error=_word(WRONG_AGAIN)), write=False)
    return make_response(shown, 400)


PAGES.append(("login.submit_again", "/login/again", Who.ANYONE))


def _logged_in(opened: Session) -> Call:
    """Return a call of the visitor whose session the cookie names."""
    caller = Caller(channel="page", address=request.remote_addr)
    call = Call(house(), opened, caller, datetime.now(UTC), g.request_id)
    call.caller, _shown = session.caller(call, request.cookies.get(session.COOKIE))
    return call


def _own_number(call: Call) -> str | None:
    facts = people.facts(call, call.caller.person) if call.caller.person is not None else None
    return facts.number if facts is not None else None


def _to_login(to: str) -> Response:
    return redirect(f"/login?to={quote(to, safe='')}", 303)  # type: ignore[return-value]


@page(blueprint, "/login/passkey", who=Who.ANYONE, methods=("POST",), write=True)
def submit_passkey(call: Call) -> Response:
    """Log a person in by his passkey."""
    to = local_path(request.form.get("to"))
    done = attempt.log_in_with_passkey(call, request.form, _visitor(), browser=browser())
    return _let_in(done, to) if done is not None else make_response(_form(call, to, error=_word(NO_PASSKEY)), 400)


def _visitor() -> attempt.Visitor:
    cookies = request.cookies
    return attempt.Visitor(request.remote_addr, g.request_id, cookies.get(session.COOKIE), cookies.get(device.COOKIE))


def _let_in(done: attempt.LoggedIn, to: str) -> Response:
    response: Response = redirect(to, 303)  # type: ignore[assignment]
    return device.give_cookie(session.give_cookie(response, done.session_cookie), done.device_entry)


def _form(call: Call, to: str, *, error: str | None) -> str:
    return login_form(call, to, authorization.asker_of(call, to), error=error)


def login_form(call: Call, to: str, asker: authorization.Asker | None, *, error: str | None = None) -> str:
    """Return the login page that leads to `to`; where an app waits there, the form may lead to its redirect URI."""
    if asker is not None:
        headers.allow_form_action(asker.redirect_uri)
    if error is not None:
        shown_at("/login", to=to)
    ceremony = passkey.begin_use(call, browser()) if passkey.is_offered(call.settings) else None
    return skeletons.render(
        "login.html",
        action="/login",
        hidden={"to": Gap(to)},
        error=error,
        client_name=asker.app.name if asker is not None else None,
        demo_hint=_word(DEMO_HINT) if call.settings.demo else None,
        ceremony={"options": Gap(ceremony.options), "ticket": Gap(ceremony.ticket)} if ceremony is not None else None,
    )


def _form_again(call: Call, to: str, *, error: str | None) -> str:
    """Return the page that asks for the password alone; it names nobody but by the masked name of the page's header."""
    asker = authorization.asker_of(call, to)
    if asker is not None:
        headers.allow_form_action(asker.redirect_uri)
    if error is not None:
        shown_at("/login/again", to=to)
    ceremony = passkey.begin_use(call, browser()) if passkey.is_offered(call.settings) else None
    return render_template(
        "login_again.html", hidden={"to": to}, error=error, other=f"/login?to={quote(to, safe='')}", ceremony=ceremony
    )


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]

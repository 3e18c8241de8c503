"""`/me/security` (账号安全): what protects the account, and how to change it. Each change states the login it needs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from idservice.call import Call
from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import (
    activation,
    change_password,
    device,
    lockout,
    passkey,
    proofing,
    proofing_pages,
    recovery_codes,
    second_factor,
    session,
    sms_sender,
    step_up,
    totp,
    totp_qr,
)
from idservice.login.browser import browser
from idservice.login.levels import Act
from idservice.login.lockout import Gate
from idservice.login.models import Totp
from idservice.login.pages import local_path
from idservice.login.password import PasswordRefused
from idservice.login.second_factor import Way
from idservice.login.step_up import StepUpNeeded
from idservice.numbers.names import mask_name, mask_phone
from idservice.register import people

blueprint = Blueprint("security", __name__)

HOME = "/me/security"
WRONG_CODE = (
    "动态口令不正确。请确认手机时间准确，用新出现的口令再试。",
    "This code is wrong. Check the clock of your telephone and try the next code.",
)
NOT_MADE = ("设备没有完成，请再试一次。", "The device did not finish this. Try again.")
REFUSED_PASSWORD = (
    "密码至少 8 个字符，不能包含您的证件号码或手机号码，也不能是常见密码。",
    "At least 8 characters, without your number or telephone number, and not a common password.",
)
NOT_THE_SAME = ("两次输入的密码不一致。", "The two passwords are not the same.")


@page(blueprint, HOME, who=Who.PERSON)
def overview(call: Call) -> str:
    """Show what protects the account."""
    return _overview(call)


@page(blueprint, f"{HOME}/app", who=Who.PERSON, write=True)
def show_app(call: Call) -> Response | str:
    """Show the secret of a new authenticator app, as a QR code and as text."""
    _demand(call, Act.CHANGE_FACTORS)
    return _app_page(call) or _home()


@page(blueprint, f"{HOME}/app", who=Who.PERSON, methods=("POST",), write=True)
def confirm_app(call: Call) -> Response:
    """Put the app into use once its owner has entered a code that it shows."""
    _demand_to_add(call)
    person, code = _person(call), "".join(request.form.get("code", "").split())
    if lockout.through(call, person, Gate.SECOND, lambda: totp.confirm(call, person, code)):
        return _stronger(call, Way.TOTP)
    shown = _app_page(call, error=_word(WRONG_CODE))
    return make_response(shown, 400) if shown else _home()


@page(blueprint, f"{HOME}/remove-app", who=Who.PERSON, methods=("POST",), write=True)
def remove_app(call: Call) -> Response:
    """Forget the authenticator app."""
    _demand(call, Act.CHANGE_FACTORS)
    totp.remove(call, _person(call))
    return _home()


@page(blueprint, f"{HOME}/passkey", who=Who.PERSON)
def show_passkey(call: Call) -> str:
    """Ask the browser for a new passkey."""
    _demand(call, Act.CHANGE_FACTORS)
    return _passkey_page(call)


@page(blueprint, f"{HOME}/passkey", who=Who.PERSON, methods=("POST",), write=True)
def add_passkey(call: Call) -> Response:
    """Enter the passkey that the browser has made."""
    _demand_to_add(call)
    if passkey.add(call, request.form, subject=_person(call), browser=browser()):
        return _stronger(call, Way.PASSKEY)
    return make_response(_passkey_page(call, error=_word(NOT_MADE)), 400)


@page(blueprint, f"{HOME}/remove-passkey", who=Who.PERSON, methods=("POST",), write=True)
def remove_passkey(call: Call) -> Response:
    """Forget a passkey."""
    _demand(call, Act.CHANGE_FACTORS)
    if not passkey.remove(call, _person(call), request.form.get("id", "")):
        raise Problem("not_found", "There is no such passkey.")
    return _home()


@page(blueprint, f"{HOME}/codes", who=Who.PERSON, methods=("POST",), write=True)
def make_codes(call: Call) -> str:
    """Make ten recovery codes and show them this once."""
    _demand_to_add(call)
    return render_template("me/security_codes.html", codes=recovery_codes.make(call, _person(call)))


@page(blueprint, f"{HOME}/check", who=Who.PERSON, methods=("POST",), write=True)
def begin_check(call: Call) -> Response | str:
    """Go to a checker of real persons, to be raised to level 3."""
    _demand(call, Act.FIRST_FACTOR)
    checker = request.form.get("checker", "")
    asked = proofing.begin(call, _person(call), checker, purpose=proofing.RAISE, browser=browser())
    return _home() if asked is None else proofing_pages.go(call, asked)


@page(blueprint, f"{HOME}/password", who=Who.PERSON)
def show_password(call: Call) -> str:
    """Ask for a new password."""
    _demand(call, Act.CHANGE_PASSWORD)
    return render_template("me/security_password.html", action=f"{HOME}/password", error=None)


@page(blueprint, f"{HOME}/password", who=Who.PERSON, methods=("POST",), write=True)
def set_new_password(call: Call) -> Response:
    """Set a new password, and sign out everywhere else."""
    _demand(call, Act.CHANGE_PASSWORD)
    error = None
    if request.form.get("password", "") != request.form.get("again", ""):
        error = NOT_THE_SAME
    else:
        try:
            new = request.form.get("password", "")
            entry = change_password.change(call, _person(call), new, keep=call.caller.session_id)
            change_password.tell(call, second_factor.phone_of(call, _person(call)))
            return device.give_cookie(_home(), entry)
        except PasswordRefused:
            error = REFUSED_PASSWORD
    shown = render_template("me/security_password.html", action=f"{HOME}/password", error=_word(error))
    return make_response(shown, 400)


def _demand(call: Call, act: Act) -> None:
    """Demand the login that `act` needs; of somebody who has no second factor yet, what the first one needs."""
    has_ways = bool(second_factor.ways_of(call, _person(call)))
    step_up.demand(call, act if has_ways else Act.FIRST_FACTOR)
    if act is Act.CHANGE_FACTORS and not has_ways:
        activation.demand(call)


def _demand_to_add(call: Call) -> None:
    """Demand what a factor is added by, and a session that nobody ends until it is added."""
    _demand(call, Act.CHANGE_FACTORS)
    if not session.hold(call):
        raise StepUpNeeded(step_up.LOGIN)


def _stronger(call: Call, way: Way) -> Response:
    """Go on, or home, with a session that counts the factor just shown."""
    response = _to(_onward() or HOME)
    cookies = request.cookies
    proved = second_factor.strengthen(call, way, cookies.get(session.COOKIE), cookies.get(device.COOKIE))
    if proved is not None:
        session.give_cookie(response, proved.session_cookie)
        device.give_cookie(response, proved.device_entry)
    return response


def _overview(call: Call) -> str:
    person = _person(call)
    facts = people.facts(call, person)
    app = call.session.get(Totp, person)
    return render_template(
        "me/security.html",
        level=facts.level if facts else 0,
        phone=mask_phone(facts.phone) if facts and facts.phone else None,
        has_sms=sms_sender.is_configured(call.settings),
        password_at=change_password.changed_at(call, person),
        app_at=app.confirmed_at if app else None,
        passkeys=_passkeys(call, person),
        codes_left=recovery_codes.left(call, person),
        onward=_onward(),
        checkers=proofing_pages.shown(call) if facts and facts.level in {1, 2} else [],
    )


def _passkeys(call: Call, person: str) -> list[dict[str, Any]] | None:
    if not passkey.is_offered(call.settings):
        return None
    return [
        {"id": row.credential_hash.hex(), "title": row.title, "created_at": row.created_at, "used_at": row.used_at}
        for row in passkey.of_person(call, person)
    ]


def _app_page(call: Call, error: str | None = None) -> str | None:
    person = _person(call)
    secret = totp.begin(call, person)
    if not secret:
        return None
    facts = people.facts(call, person)
    address = totp.address(secret, mask_name(facts.name) if facts else "")
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    return render_template(
        "me/security_app.html", qr_svg=totp_qr.svg(address), groups=groups, error=error, onward=_onward()
    )


def _passkey_page(call: Call, error: str | None = None) -> str:
    if not passkey.is_offered(call.settings):
        raise Problem("not_found", "Passkeys need a service with a name.")
    facts = people.facts(call, _person(call))
    ceremony = passkey.begin_new(call, _person(call), browser(), mask_name(facts.name) if facts else "-")
    return render_template("me/security_passkey.html", ceremony=ceremony, error=error, onward=_onward())


def _person(call: Call) -> str:
    return call.caller.person or ""


def _onward() -> str | None:
    """Return the page for which the visitor was sent here to add a factor, if one sent him: a path on this site."""
    given = request.values.get("to")
    return local_path(given) if given else None


def _home() -> Response:
    return _to(HOME)


def _to(path: str) -> Response:
    return redirect(path, 303)  # type: ignore[return-value]


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]

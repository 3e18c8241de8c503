"""The way to a checker of real persons and back, and the demonstration's own checker.

A checker's answer comes as a post from another site, without our cookies. So it is only noted there; what follows from
it happens at the next step, in the browser that asked. Neither page takes a form token, for neither acts for a visitor.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as form_session

from idservice.call import Call
from idservice.errors import Problem
from idservice.http import headers
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.ids import secret_hash
from idservice.login import demo_checker, proofing, recovery
from idservice.login.browser import browser
from idservice.login.models import Proofing
from idservice.login.proofing import Question
from idservice.register import people

blueprint = Blueprint("proofing", __name__)

BACK = "/login/proofing"
RECOVERY = "recovery"  # the key under which the form cookie holds a recovery's secret


@page(blueprint, BACK, who=Who.ANYONE, methods=("POST",), write=True)
def take(call: Call) -> Response:
    """Note what a checker says, and lead the browser to what follows from it."""
    name = proofing.answer(call, request.form.get("result", ""))
    return _to(f"{BACK}?check={name}" if name is not None else BACK)


@page(blueprint, BACK, who=Who.ANYONE, write=True)
def follow(call: Call) -> Response:
    """Do what was waiting for the check: raise the level, or go on with the recovery."""
    row = proofing.claim(call, request.args.get("check", ""), browser=browser())
    if row is None:
        return make_response(render_template("proofing_failed.html"), 400)
    if row.purpose == proofing.RAISE and row.subject == call.caller.person:
        proofing.raise_level(call, row.subject, row.checker)
        return _to("/me/security")
    waiting = recovery.find(call, form_session.get(RECOVERY))
    if row.purpose == proofing.RECOVERY and waiting is not None and waiting.subject == row.subject:
        recovery.check_passed(call, waiting)
        return _to("/recover/next")
    return make_response(render_template("proofing_failed.html"), 400)


@page(blueprint, demo_checker.PATH, who=Who.ANYONE, methods=("POST",))
def demonstration(call: Call) -> str:
    """Play the checker of a demonstration: two buttons, one for the right face and one for a wrong one."""
    nonce, back = request.form.get("nonce", ""), request.form.get("return_to", "")
    row = call.session.get(Proofing, secret_hash(nonce))
    person = people.facts(call, row.subject) if row is not None else None
    if not call.settings.demo or row is None or person is None or back != _back(call):
        raise Problem("not_found", "There is no such question.")

    def word(number: str) -> str:
        who = proofing.who(nonce, number, person.name)
        issuer = call.settings.issuer
        return demo_checker.word(call.keys, checker=row.checker, audience=issuer, nonce=nonce, who=who, now=call.now)

    return render_template("demo_checker.html", action=BACK, same=word(person.number), other=word("somebody else"))


def shown(call: Call) -> list[dict[str, str]]:
    """Return name and title of every checker, in the reader's language."""
    found = proofing.checkers(call.house).values()
    return [{"name": one.name, "title": one.en if language() == "en" else one.zh} for one in found]


def go(call: Call, question: Question) -> str:
    """Show the form that carries a question to its checker; what is personal stays here."""
    url = question.checker.url
    if not url.startswith("/"):
        headers.allow_form_action(url)
    hidden = {"nonce": question.nonce, "audience": call.settings.issuer, "return_to": _back(call)}
    title = question.checker.en if language() == "en" else question.checker.zh
    return render_template("proofing.html", action=url, hidden=hidden, title=title)


def _back(call: Call) -> str:
    return f"{call.settings.issuer}{BACK}"


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]

"""The pages on which a person answers a request of another device: `/device` (RFC 8628), `/me/approvals` (CIBA).

Both lead into the one path of every grant: login, whom to act for, consent. What they add is the proof that the person
sees the screen that asks: a code he typed, an ending he recognised, a rotating code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request

from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import step_up
from idservice.numbers.address import mask_address
from idservice.oauth import ciba, consent_purposes, consents, device, pending, steps
from idservice.oauth.authorization import AuthorizationRefused
from idservice.oauth.authorize_routes import acting_page, browser_name, consent_page
from idservice.oauth.decision import SELF, Choose, LogIn, Prove, Ready, decide, open_family
from idservice.oauth.steps import Step
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.pending import Pending

blueprint = Blueprint("pending", __name__)

TYPED = "typed"
LINK = "link"
WRONG_CODE = ("代码不正确或已过期。", "The code is wrong or has expired.")
WRONG_ENDING = ("请选择一组。", "Choose one.")
WRONG_BINDING = (
    "校验码不正确或已更换，请看屏幕上现在的数字。",
    "Wrong or replaced: enter the digits now on the screen.",
)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A person in front of a request that waits."""

    waiting: Pending
    path: str
    step: Step
    query: dict[str, str] = field(default_factory=dict)

    def url(self, call: Call) -> str:
        """Return the URL of the request at its present step."""
        sealed = steps.seal(call.keys.secret(Purpose.SESSION), self.step)
        return f"{self.path}?{urlencode({**self.query, steps.PARAMETER: sealed})}"


# --- devices


@page(blueprint, "/device", who=Who.PERSON, write=True)
def enter(call: Call) -> Response | str:
    """Ask for the code that the device shows; a link may bring it along."""
    code = request.args.get("user_code")
    return render_template("device.html", error=None) if code is None else _entered(call, code, LINK)


@page(blueprint, "/device", who=Who.PERSON, methods=("POST",), write=True)
def entered(call: Call) -> Response | str:
    """Take the code."""
    return _entered(call, request.form.get("user_code", ""), TYPED)


@page(blueprint, "/device/<name>", who=Who.PERSON, write=True)
def device_request(call: Call, name: str) -> Response | str:
    """Show what the device's app asks for."""
    return _show(call, _device_visit(call, name), _device_consent)


@page(blueprint, "/device/<name>", who=Who.PERSON, methods=("POST",), write=True)
def answer_device(call: Call, name: str) -> Response | str:
    """Take the person's answer."""
    return _take(call, _device_visit(call, name), _device_consent, _device_proof)


def _entered(call: Call, code: str, way: str) -> Response | str:
    found = device.enter(call, code)
    if found is None:
        return make_response(render_template("device.html", error=_word(WRONG_CODE)), 400)
    step = Step(_device_digest(found.name, way), browser_name(), _milliseconds(call))
    return _to(_Visit(found, f"/device/{found.name}", step, {"way": way}).url(call))


def _device_visit(call: Call, name: str) -> _Visit:
    """Return the request if this browser has brought its code, within the last hour."""
    way = request.args.get("way", "")
    found = _find(call, name, pending.DEVICE)
    step = _step(call, _device_digest(name, way))
    if found is None or step is None or way not in {TYPED, LINK}:
        raise Problem("not_found", "Enter the code of the device again.")
    return _Visit(found, f"/device/{name}", step, {"way": way})


def _device_digest(name: str, way: str) -> str:
    return f"device|{name}|{way}"


def _device_consent(call: Call, visit: _Visit, ready: Ready, error: str | None) -> str:
    waiting = visit.waiting
    return consent_page(
        call,
        waiting.asked,
        ready,
        action=visit.url(call),
        host=None,
        template="device_consent.html",
        asked_at=waiting.created_at,
        origin=mask_address(waiting.origin),
        endings=device.endings(waiting) if visit.query["way"] == LINK else [],
        error=error,
    )


def _device_proof(_call: Call, visit: _Visit) -> str | None:
    """Who typed the code has seen the screen; who followed a link must recognise it, at the first try."""
    if visit.query["way"] == TYPED:
        return None
    ending = request.form.get("ending")
    if ending is None:
        return _word(WRONG_ENDING)
    if not device.is_shown(visit.waiting, ending):
        raise _Unseen
    return None


# --- CIBA


@page(blueprint, "/me/approvals", who=Who.PERSON)
def approvals(call: Call) -> str:
    """List the logins that wait for the person."""
    waiting = pending.of_person(call, call.caller.person or "")
    listed = [
        {
            "id": found.name,
            "client": {"name": found.app.name, "unit": found.app.unit},
            "message": found.message,
            "asked_at": found.created_at,
            "expires_at": found.expires_at,
        }
        for found in waiting
    ]
    return render_template("me/approvals.html", approvals=listed)


@page(blueprint, "/me/approvals/<name>", who=Who.PERSON, write=True)
def approval(call: Call, name: str) -> Response | str:
    """Show what the app asks for."""
    return _show(call, _approval_visit(call, name), _approval_consent)


@page(blueprint, "/me/approvals/<name>", who=Who.PERSON, methods=("POST",), write=True)
def answer_approval(call: Call, name: str) -> Response | str:
    """Take the person's answer."""
    return _take(call, _approval_visit(call, name), _approval_consent, _approval_proof)


def _approval_visit(call: Call, name: str) -> _Visit:
    """Return the request if it waits for this person."""
    found = _find(call, name, pending.CIBA)
    if found is None or found.subject is None or found.subject != call.caller.person:
        raise Problem("not_found", "This request was answered, has expired, or is not for you.")
    digest = f"ciba|{name}"
    step = _step(call, digest) or Step(digest, browser_name(), _milliseconds(call))
    code = request.args.get("code", "")[:12]
    return _Visit(found, f"/me/approvals/{name}", step, {"code": code} if code else {})


def _approval_consent(call: Call, visit: _Visit, ready: Ready, error: str | None) -> str:
    waiting = visit.waiting
    return consent_page(
        call,
        waiting.asked,
        ready,
        action=visit.url(call),
        host=None,
        template="approval.html",
        asked_at=waiting.created_at,
        expires_at=waiting.expires_at,
        message=waiting.message,
        code="" if error else visit.query.get("code", ""),
        error=error,
    )


def _approval_proof(call: Call, visit: _Visit) -> str | None:
    tries_left = ciba.take_code(call, visit.waiting, request.form.get("code", ""))
    if tries_left == 0:
        raise _Unseen
    return None if tries_left is None else _word(WRONG_BINDING)


# --- what both share


class _Unseen(Exception):
    """The person has not the screen before his eyes: the request ends."""


Show = Callable[["Call", _Visit, Ready, "str | None"], str]
Proof = Callable[["Call", _Visit], "str | None"]


def _show(call: Call, visit: _Visit, consent: Show) -> Response | str:
    needed = _decide(call, visit)
    if isinstance(needed, Ready):
        return consent(call, visit, needed, None)
    return _before_consent(call, visit, needed)


def _decide(call: Call, visit: _Visit) -> LogIn | Prove | Choose | Ready:
    """Return what is needed next; who cannot act as the app wants is told so, and the request waits for another."""
    try:
        return decide(call, visit.waiting.asked, visit.step)
    except AuthorizationRefused:
        raise Problem("forbidden", "The app wants somebody who acts for an organisation; you may not.") from None


def _before_consent(call: Call, visit: _Visit, needed: LogIn | Prove | Choose) -> Response | str:
    if isinstance(needed, Choose):
        return acting_page(call, needed, action=visit.url(call))
    if isinstance(needed, Prove):
        return _to(step_up.page_for(needed.acr, visit.url(call)))
    return _to(f"/login?to={quote(visit.url(call), safe='')}")


def _take(call: Call, visit: _Visit, consent: Show, proof: Proof) -> Response | str:
    needed = _decide(call, visit)
    if not isinstance(needed, Ready):
        return _to(_chosen(call, visit, needed).url(call))
    said = request.form.get("decision")
    if said == "deny":
        return _deny(call, visit, "denied")
    try:
        fault = proof(call, visit) if said == "allow" else ""
    except _Unseen:
        return _deny(call, visit, "mismatch")
    if fault is not None:
        return make_response(consent(call, visit, needed, fault or None), 400)
    _allow(call, visit.waiting, needed)
    return _done(visit, "allowed")


def _chosen(call: Call, visit: _Visit, needed: LogIn | Prove | Choose) -> _Visit:
    """Return the visit after a choice of whom to act for; anything else changes nothing."""
    choice = request.form.get("acting", "")
    if isinstance(needed, Choose) and (choice == SELF or any(m.mandate_id == choice for m in needed.mandates)):
        return replace(visit, step=visit.step.acting_as(choice, call.caller.session_id or ""))
    return visit


def _deny(call: Call, visit: _Visit, outcome: str) -> str:
    pending.answer(call, visit.waiting, family_id=None)
    return _done(visit, outcome)


def _allow(call: Call, waiting: Pending, ready: Ready) -> None:
    asked = waiting.asked
    more = consent_purposes.beyond_scope(call, asked.app, asked.granted, organisation=ready.for_organisation)
    consents.give(call, ready.holder, waiting.app.client_id, waiting.scope, more=more, language=language())
    pending.answer(call, waiting, family_id=open_family(call, waiting.asked, ready))


def _done(visit: _Visit, outcome: str) -> str:
    back = "/me/approvals" if visit.waiting.kind == pending.CIBA else "/device"
    return render_template("request_done.html", outcome=outcome, client_name=visit.waiting.app.name, back=back)


def _find(call: Call, name: str, kind: str) -> Pending | None:
    if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
        return None
    found = pending.find_waiting(call, bytes.fromhex(name))
    return found if found is not None and found.kind == kind else None


def _step(call: Call, digest: str) -> Step | None:
    live, text = call.keys.secrets(Purpose.SESSION).values(), request.args.get(steps.PARAMETER)
    return steps.unseal(live, text, digest=digest, browser=browser_name(), now=call.now)


def _milliseconds(call: Call) -> int:
    return int(call.now.timestamp() * 1000)


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]

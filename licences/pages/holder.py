"""The holder's own pages: his licences, and showing one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy import select

from idservice import accesses, signed_text
from idservice.errors import Problem
from idservice.http.endpoint import load
from idservice.http.page import Who, page
from idservice.ids import secret_hash
from idservice.login.step_up import StepUpNeeded
from idservice.models import Department
from idservice.register import mandates
from keys.ring import Purpose
from licences import change, co_holders, qr, show, wallet
from licences.lifecycle import State
from licences.pages import files, looks, shown, words
from licences.schemas import ShowBody
from licences.showing import identity, printing

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.models import Licence
    from licences.show import Shown

blueprint = Blueprint("wallet", __name__, template_folder="../templates")

CARDS = 100
#: What the holder lets be read of what he shows: words, explanation, and the fields; without fields all is masked.
_PARTS_SHOWN: dict[str, tuple[tuple[words.Both, words.Both], tuple[str, ...]]] = {
    "masked": (
        (("全部信息，遮盖后", "Everything, masked"), ("姓名、号码等只露出一部分", "Names and numbers only in part")),
        (),
    ),
    "name": (
        (
            ("只出示姓名和有效期", "Only name and validity"),
            (
                "另有证照种类、编号、签发机关、状态和遮盖后的号码，供核对；照面其他内容对方看不到",
                "Beside them, to be checked: the licence's type, identifier, issuer and state, and your number masked",
            ),
        ),
        ("holder_name", "valid_from", "valid_until"),
    ),
    "adult": (
        (
            ("只出示是否年满 18 周岁", "Only whether I am 18"),
            (
                "不出示出生日期；另有证照种类、编号、签发机关、状态、有效期和遮盖后的姓名、号码，供核对",
                "Beside it, to be checked: the licence's type, identifier, issuer, state, validity, your masked name",
            ),
        ),
        ("age_over_18",),
    ),
    "whole": (
        (
            ("全部信息，可打印副本", "Everything, to be printed"),
            (
                "姓名、号码完整可见；在自助终端可打印盖章副本，一次一份证照",
                "Names and numbers in full; a terminal can print a sealed copy, one licence at a time",
            ),
        ),
        (),
    ),
}
_WHOLE = "whole"
_TICKET = "licences to be shown"  # what is signed, and by no other page
_TICKET_SECONDS = 600
LATEST = 5
_UNITS = select(Department.credit_code, Department.name).order_by(Department.name).limit(500)
_SHOW = ShowBody()
_HASH = re.compile(r"[0-9a-f]{64}")


@page(blueprint, "/me", who=Who.PERSON)
def index(call: Call) -> str:
    """Show the holder's licences, who looked last, and for whom he may act."""
    held = [licence for licence in wallet.own(call, limit=CARDS) if licence.state != State.REPLACED]
    person = call.caller.person or ""
    roles = words.ROLES
    return render_template(
        "me/index.html",
        licences=[_card(call, licence) for licence in held[:CARDS]],
        accesses=looks.named(call, accesses.of_holder(call, limit=LATEST)["items"]),
        mandates=[
            {
                "id": m.mandate_id,
                "organisation": m.organisation,
                "role": words.word(roles.get(m.role, (m.role, m.role))),
            }
            for m in mandates.live(call, person)
        ],
    )


@page(blueprint, "/me/licences/<identifier>", who=Who.PERSON)
def licence(call: Call, identifier: str) -> str:
    """Show one of the holder's licences, whole, to whom has proved anew that he is its holder."""
    found = _own(call, identifier)
    identity.demand(call, [found.type_code])
    listed = files.listed(call, found, f"/me/licences/{found.identifier}")
    return render_template("me/licence.html", licence=shown.whole(call, found), artefacts=listed)


@page(blueprint, "/me/licences/<identifier>/<name>", who=Who.PERSON, write=True)
def download(call: Call, identifier: str, name: str) -> Response:
    """Hand the holder a file of his own licence: it bears its face."""
    found = _own(call, identifier)
    identity.demand(call, [found.type_code])
    return files.answer(call, found, name)


@page(blueprint, "/me/show", who=Who.PERSON)
def choose(call: Call) -> str:
    """Ask which licences are to be shown."""
    return _choice(call, error=None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the holder has chosen to show, how much of it, and to whom alone (a unit's code, or "")."""

    licences: list[str]
    part: str
    audience: str


def _make_code(call: Call) -> Shown | Response:
    form = request.form
    part = form.get("part", "")
    asked = _Asked(form.getlist("licences"), part if part in _PARTS_SHOWN else "", form.get("audience", ""))
    if not asked.licences:
        return Response(_choice(call, error=words.word(("请至少选择一份证照", "Choose at least one licence"))), 422)
    return _shown(call, asked)


def _shown(call: Call, asked: _Asked) -> Shown:
    """Make a code; who has to prove himself first finds it behind that, without choosing again.

    His post is not repeated: what he asked for goes with him, signed, for himself and for ten minutes.
    """
    fields = fields_of(call, asked.part, asked.licences)
    chosen: dict[str, Any] = {"fields": fields} if fields else {}
    if asked.audience:
        chosen["audience"] = asked.audience
    body = load(_SHOW, {"licences": asked.licences, **chosen}, where="form")
    try:
        return show.show(call, body)
    except StepUpNeeded as needed:
        facts = [_whose(call), int(call.now.timestamp()), asked.licences, asked.part, asked.audience]
        ticket = signed_text.sign(call.keys.secret(Purpose.SESSION), _TICKET, facts)
        needed.to = f"/me/show/asked?{urlencode({'ticket': ticket})}"
        raise


def _asked_before(call: Call) -> _Asked | None:
    """Return what the visitor himself asked to show before he proved himself, not long ago."""
    live = call.keys.secrets(Purpose.SESSION).values()
    facts = signed_text.opened(live, _TICKET, request.args.get("ticket"))
    if facts is None:
        return None
    whose, since, *asked = facts
    return _Asked(*asked) if whose == _whose(call) and call.now.timestamp() - since <= _TICKET_SECONDS else None


def _whose(call: Call) -> str:
    return secret_hash(call.caller.person or "").hex()


def fields_of(call: Call, part: str, licences: list[str]) -> list[str] | None:
    """Return the fields of these licences (identifiers) that a choice lets be read; None: everything, masked."""
    if part == _WHOLE:
        return printing.whole(call, {_own(call, one).type_code for one in licences})
    return list(_PARTS_SHOWN[part][1]) or None if part in _PARTS_SHOWN else None


def parts_shown() -> list[tuple[str, str, str]]:
    """Return the choices of how much is shown: value, words, explanation."""
    return [(name, words.word(title), words.word(hint)) for name, ((title, hint), _fields) in _PARTS_SHOWN.items()]


def _choose_again(call: Call, problem: Problem) -> str:
    return _choice(call, error=words.problem_text(problem))


@page(blueprint, "/me/show", who=Who.PERSON, methods=("POST",), prepare=_make_code, again=_choose_again)
def show_code(call: Call, prepared: Shown) -> str:
    """Show the code that was just made, as QR and as text, with the seconds it has left."""
    return _code_page(call, prepared, part=request.form.get("part", ""), audience=request.form.get("audience", ""))


def _make_code_asked(call: Call) -> Shown | Response:
    asked = _asked_before(call)
    return _shown(call, asked) if asked is not None else redirect("/me/show", 303)  # type: ignore[return-value]


@page(blueprint, "/me/show/asked", who=Who.PERSON, prepare=_make_code_asked, again=_choose_again)
def show_code_asked(call: Call, prepared: Shown) -> str | Response:
    """Show a code for what the visitor asked to show before he proved himself."""
    asked = _asked_before(call)
    if asked is None:  # its time was over between the two
        return redirect("/me/show", 303)  # type: ignore[return-value]
    return _code_page(call, prepared, part=asked.part, audience=asked.audience)


def _code_page(call: Call, prepared: Shown, *, part: str, audience: str) -> str:
    listed = [change.find(call, identifier) for identifier in prepared.licences]
    return render_template(
        "me/show.html",
        code=prepared.code,
        code_groups=show.groups(prepared.code),
        qr_svg=Markup(qr.svg(prepared.qr_text)),  # noqa: S704 - drawn by us from letters and digits
        expires_at=prepared.expires_at,
        seconds=max(0, round((prepared.expires_at - call.now).total_seconds())),
        licences=[shown.card(call, found) for found in listed],
        part=part if part in _PARTS_SHOWN else None,
        shown_to=None,
        again={"audience": audience} if audience else {},
        state_url=f"/me/show/status/{secret_hash(prepared.code).hex()}",
    )


@page(blueprint, "/me/show/status/<code_hash>", who=Who.PERSON)
def show_status(call: Call, code_hash: str) -> Response:
    """Say whether a shown code was used. By its hash: the code itself stands in no URL and no log."""
    if not _HASH.fullmatch(code_hash):
        raise Problem("not_found", "You have shown no such code.")
    found = show.status(call, bytes.fromhex(code_hash))
    seen = {"unit": found.used_by, "at": found.used_at.isoformat()} if found.used_at is not None else None
    return jsonify(shown_to=seen)


def _card(call: Call, licence: Licence) -> dict[str, Any]:
    found = shown.card(call, licence)
    can = found["state"] == State.VALID and licence.subject == call.caller.holder  # the first holder shows it
    return {**found, "can_be_shown": can}


def _own(call: Call, identifier: str) -> Licence:
    """Return a licence the visitor stands on himself; his post in a department opens none here."""
    found = change.find(call, identifier)
    if not co_holders.holds(call, found):
        raise Problem("not_found", "You hold no such licence.")
    return found


def _choice(call: Call, *, error: str | None) -> str:
    found = wallet.own(call, state=State.VALID, limit=CARDS)[:CARDS]
    held = [licence for licence in found if licence.subject == call.caller.holder]  # the first holder shows it
    cards = [shown.card(call, licence) for licence in held]
    units = [(unit.credit_code, unit.name) for unit in call.session.execute(_UNITS)]
    facts = {"licences": cards, "parts_shown": parts_shown(), "units": units, "unit": request.form.get("audience")}
    return render_template("me/show_choose.html", **facts, error=error)

"""The pages of mandates: those one holds and gave, a new one with its confirmation, and taking one back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.errors import FieldProblem, Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import step_up
from idservice.login.levels import Act
from idservice.numbers import citizen
from idservice.register import grants, grants_choices, grants_view, mandates
from idservice.register.grants_choices import Limit
from idservice.register.grants_rules import CITY_TIME, LONGEST, Role, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from idservice.models import Mandate
    from idservice.register.grants import Granting

blueprint = Blueprint("mandate_pages", __name__)

SELF = "self"
_LEADS = frozenset({Role.LEGAL_REPRESENTATIVE, Role.ADMINISTRATOR})
FAULTS = {
    "required": ("请填写", "Fill this in"),
    "not_yours_to_grant": ("您不能授予这个身份", "You may not grant this role"),
    "past": ("截止日期已经过去", "This day is over"),
    "too_long": ("超过了允许的最长期限", "Longer than is allowed"),
    "too_wide": ("超出了您自己的授权范围", "Wider than your own mandate"),
    "unknown": ("没有这一项", "There is no such item"),
    "yourself": ("这是您自己的号码", "This is your own number"),
    "date": ("请填写日期，例如 2027-06-30", "Enter a date such as 2027-06-30"),
}
NUMBER = ("公民身份号码不正确", "This is no identity number")


@page(blueprint, "/me/mandates", who=Who.PERSON)
def index(call: Call) -> str:
    """Show the mandates that a person holds, and those he gave for himself and for whom he leads."""
    names = _names(call)
    groups = [
        {**_power(by), "mandates": [_shown(call, row, names) for row in grants.given(call, by)]} for by in _powers(call)
    ]
    received = [_shown(call, row, names) for row in grants.received(call)]
    return render_template("me/mandates/index.html", received=received, groups=groups, done=request.args.get("done"))


@page(blueprint, "/me/mandates", who=Who.PERSON, methods=("POST",), write=True)
def change(call: Call) -> Response:
    """Accept a mandate or give it up, withdraw or confirm one that was given."""
    said, _, mandate_id = request.form.get("change", "").partition(".")
    match said:
        case "accept":
            grants.accept(call, mandate_id)
        case "give_up":
            grants.give_up(call, mandate_id)
        case "withdraw":
            grants.withdraw(call, _by(call), mandate_id)
        case "confirm":
            grants.confirm(call, _by(call), mandate_id)
        case _:
            raise Problem("bad_request", "Choose what is to be done with the mandate.")
    return redirect(f"/me/mandates?done={said}", 303)  # type: ignore[return-value]


@page(blueprint, "/me/mandates/new", who=Who.PERSON)
def new(call: Call) -> str:
    """Ask for whom, for what and for how long."""
    step_up.demand(call, Act.GRANT_MANDATE)
    return _form(call, errors={})


def _again(call: Call, problem: Problem) -> str:
    found = {error.pointer[1:]: _word(FAULTS.get(error.code, NUMBER)) for error in problem.errors}
    return _form(call, errors=found or {"number": problem.kind.en if language() == "en" else problem.kind.zh})


@page(
    blueprint, "/me/mandates/new", who=Who.PERSON, methods=("POST",), write=True, again=_again, limit="30/minute"
)  # fmt: skip
def offer(call: Call) -> Response | str:
    """Show what exactly would be granted, and grant it once that is confirmed."""
    by, wanted = _by(call), _wanted()
    if request.form.get("confirmed") != "yes":
        return _confirmation(call, by, grants.check(call, by, wanted))
    grants.offer(call, by, wanted)
    return redirect("/me/mandates?done=offer", 303)  # type: ignore[return-value]


def _powers(call: Call) -> list[Granting]:
    """Return everything the visitor can grant from: himself first, then whom he leads."""
    leading = (live for live in mandates.live(call, call.caller.person or "") if live.role in _LEADS)
    return [grants.granting(call, None), *(grants.granting(call, live.mandate_id) for live in leading)]


def _by(call: Call) -> Granting:
    chosen = request.values.get("by", SELF)
    return grants.granting(call, None if chosen == SELF else chosen)


def _power(by: Granting) -> dict[str, Any]:
    return {"id": by.mandate_id or SELF, "name": by.name, "kind": by.kind, "role": str(by.power.role)}


def _names(call: Call) -> dict[Limit, Mapping[str, tuple[str, str]]]:
    return {limit: grants_choices.names(call, limit) for limit in Limit}


def _shown(call: Call, row: Mandate, names: dict[Limit, Mapping[str, tuple[str, str]]]) -> dict[str, Any]:
    seen = grants_view.seen(call, row)
    for limit in Limit:
        seen[limit] = [_word(names[limit].get(code, (code, code))) for code in seen[limit]]
    return seen


def _form(call: Call, *, errors: dict[str, str]) -> str:
    by = _by(call)
    mine = {Limit.LICENCE_TYPES: by.power.licence_types, Limit.MATTERS: by.power.matters}
    choices = {
        str(limit): [
            {"value": code, "text": _word(name)}
            for code, name in grants_choices.names(call, limit).items()
            if not mine[limit] or code in mine[limit]
        ]
        for limit in Limit
    }
    values = request.form.to_dict() | {str(limit): request.form.getlist(str(limit)) for limit in Limit}
    latest = min(
        call.now + max(LONGEST[role] for role in by.power.grants), by.power.until or call.now + LONGEST[Role.AGENT]
    )
    return render_template(
        "me/mandates/new.html",
        by=_power(by),
        roles=[str(role) for role in by.power.grants],
        choices=choices,
        values=values,
        errors=errors,
        latest=latest.astimezone(CITY_TIME).date(),
    )


def _confirmation(call: Call, by: Granting, wanted: Wanted) -> str:
    names = _names(call)
    limits = {Limit.LICENCE_TYPES: wanted.licence_types, Limit.MATTERS: wanted.matters}
    return render_template(
        "me/mandates/confirm.html",
        by=_power(by),
        person={"name": wanted.name, "number": citizen.mask(wanted.number)},
        role=str(wanted.role),
        last_day=wanted.last_day,
        **{str(limit): [_word(names[limit][code]) for code in codes] for limit, codes in limits.items()},
        repeated=[(str(limit), code) for limit, codes in limits.items() for code in codes],
        hidden={
            "by": by.mandate_id or SELF, "number": wanted.number, "name": wanted.name, "role": str(wanted.role),
            "valid_until": wanted.last_day.isoformat(),
        },
    )  # fmt: skip


def _wanted() -> Wanted:
    """Return what the form asks for.

    Raises:
        Problem: invalid, if role or day are none.
    """
    form, problems = request.form, []
    role, last_day = None, None
    try:
        role = Role(form.get("role", ""))
    except ValueError:
        problems.append(FieldProblem("/role", "required", "choose one"))
    try:
        last_day = date.fromisoformat(form.get("valid_until", "").strip())
    except ValueError:
        problems.append(FieldProblem("/valid_until", "date", "not a date"))
    if role is None or last_day is None:
        raise Problem("invalid", "", errors=problems)
    limits = (tuple(form.getlist(str(limit))) for limit in (Limit.LICENCE_TYPES, Limit.MATTERS))
    return Wanted(form.get("number", "").strip(), form.get("name", "").strip(), role, last_day, *limits)


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]

"""The administrators' page of the guard (查询管控): alarms, the stop switch, and the rules that let somebody look.

What narrows takes the security administrator alone. What widens takes two: a stop is lifted by two administrators, and
a row that allows is entered by whoever runs the service (`flask guard rules`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from idservice.admin import person_acts, roles, view
from idservice.admin.pages import to, word_of
from idservice.admin.roles import Role
from idservice.errors import Problem
from idservice.http.page import Who, page
from licences.counter import matters
from licences.guard import alarms, honey, rules, standing, stop
from licences.guard.models import GuardRule
from licences.guard.policy import ALLOW, ANY, DENY
from licences.guard.quota import LOOK_UPS
from licences.pages import words

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.guard.models import GuardAlarm, GuardStop

blueprint = Blueprint("guard_pages", __name__, url_prefix="/admin/guard", template_folder="../templates")

SHOWN = 200  # rules on the page; `flask guard rules list` lists all
_PERSON = "person:"
_FILL_IN: words.Both = ("请填写", "Fill this in")
_NOBODY: words.Both = ("没有登记这个号码", "Nobody bears this number")


def _again(call: Call, problem: Problem) -> str:
    return _show(call, error=word_of(problem))


@page(blueprint, "", who=Who.PERSON)
def overview(call: Call) -> str:
    """Show alarms, stops, rules and quotas."""
    return _show(call)


@page(blueprint, "", who=Who.PERSON, methods=("POST",), write=True, again=_again)
def act(call: Call) -> Response | str:
    """See to an alarm, stop look-ups, lift a stop, deny or take a row out."""
    said, _, what = request.form.get("do", "").partition(".")
    match said:
        case "seen":
            alarms.acknowledge(call, what)
        case "stop":
            roles.demand(call, Role.SECURITY)
            if (fault := _stop(call)) is not None:
                return _show(call, error=fault)
        case "stop_operator":
            roles.demand(call, Role.SECURITY)
            stop.put(call, scope=standing.OPERATOR, target=what, reason=words.word(("告警", "Alarm")))
        case "resume":
            roles.demand(call, Role.SECURITY, Role.SYSTEM)
            stop.resume(call, what)
        case "remove":
            roles.demand(call, Role.SECURITY)
            _remove(call, what)
        case _:
            raise Problem("bad_request", "Choose what is to be done.")
    return to("/admin/guard?done=done")


def _stop(call: Call) -> str | None:
    """Stop look-ups as the form says; return what is missing in it."""
    scope, target = request.form.get("scope", ""), request.form.get("target", "").strip()
    reason = request.form.get("reason", "").strip()
    if not reason or (not target and scope != standing.ALL):
        return words.word(_FILL_IN)
    if scope == standing.OPERATOR:
        try:
            target, _kind = person_acts.find(call, target)
        except Problem:
            return words.word(_NOBODY)
    stop.put(call, scope=scope, target="" if scope == standing.ALL else target, reason=reason)
    return None


def _remove(call: Call, rule_id: str) -> None:
    row = call.session.get(GuardRule, rule_id)
    if row is not None and row.effect == DENY:
        raise Problem("second_person", "To let somebody look who may not now takes more than one person.")
    rules.remove(call, rule_id)


def _show(call: Call, *, error: str | None = None) -> str:
    role = roles.demand(call, Role.SECURITY, Role.SYSTEM)
    return render_template(
        "control/guard.html",
        role=str(role),
        error=error,
        done=request.args.get("done"),
        alarms=[_alarm(call, row) for row in alarms.listed(call)],
        stops=[_stopped(call, row) for row in stop.listed(call)],
        rules=[_rule(call, row) for row in rules.listed(call)[:SHOWN]],
        quotas=[*([] if any(row.unit == ANY for row in rules.quotas(call)) else [_DEFAULT]), *rules.quotas(call)],
        honey=honey.count(call),
        scopes=standing.SCOPES,
        values=request.form.to_dict(),
    )


_DEFAULT = {
    "unit": ANY,
    "per_day": LOOK_UPS.per_day,
    "per_minute": LOOK_UPS.per_minute,
    "per_subject": LOOK_UPS.per_subject,
}


def _alarm(call: Call, row: GuardAlarm) -> dict[str, Any]:
    return {
        "id": row.alarm_id,
        "kind": row.kind,
        "times": row.times,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "seen_by": _name(call, row.seen_by),
        "seen_at": row.seen_at,
        "operator_id": row.facts.get("operator"),
        "operator": view.masked_name(call, row.facts["operator"]) if "operator" in row.facts else None,
        "unit": row.facts.get("department") or row.facts.get("client"),
        "matter": _matter(call, row.facts.get("matter", "")),
    }


def _stopped(call: Call, row: GuardStop) -> dict[str, Any]:
    targets = {standing.OPERATOR: view.masked_name, standing.MATTER: _matter}
    told = targets[row.scope](call, row.target) if row.scope in targets else row.target
    return {
        "id": row.stop_id,
        "scope": row.scope,
        "target": told,
        "reason": row.reason,
        "by": _name(call, row.stopped_by),
        "at": row.stopped_at,
        "lift_asked_by": _name(call, row.lift_asked_by),
        "is_own": row.lift_asked_by == call.caller.name_for_log,
        "lifted_by": _name(call, row.lifted_by),
        "lifted_at": row.lifted_at,
    }


def _rule(call: Call, row: GuardRule) -> dict[str, Any]:
    return {
        "id": row.rule_id,
        "effect": row.effect,
        "unit": row.unit,
        "operator": row.operator if row.operator == ANY else view.masked_name(call, row.operator),
        "matter": row.matter if row.matter == ANY else _matter(call, row.matter),
        "region": row.region,
        "ground": row.ground,
        "note": row.note,
        "may_remove": row.effect == ALLOW,
    }


def _matter(call: Call, code: str) -> str:
    known = matters.entries(call)
    return words.name_of(known[code]) if code in known else code


def _name(call: Call, who: str | None) -> str | None:
    """Return whom an entry in the log stands for: a masked name, or what was not done by a person."""
    if who is None or not who.startswith(_PERSON):
        return who and words.word(("系统", "The service"))
    return view.masked_name(call, who.removeprefix(_PERSON))

"""The administrators' pages: what waits, people, organisations and mandates by exact number, approvals, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from idservice.admin import approvals, person_acts, roles, view
from idservice.admin.acts import RULES, RiskyAct
from idservice.admin.roles import Role
from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.login import activation, factor_reset, second_factor
from idservice.register import mandates

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("administration_pages", __name__, url_prefix="/admin")

PAGE = 50
KINDS = {"people": mandates.PERSON, "organisations": mandates.ORGANISATION, "mandates": None}


@page(blueprint, "/overview", who=Who.PERSON)
def overview(call: Call) -> str:
    """Show an administrator what he can do, what waits for a decision, and who the administrators are."""
    role = roles.demand(call)
    waiting = approvals.listed(call, limit=PAGE, cursor=None, waiting=True)
    mine = [
        row for row in waiting if role in RULES[RiskyAct(row.act)].decides and row.requested_by != call.caller.person
    ]
    everybody = [{"role": row.role, "name": view.masked_name(call, row.subject)} for row in roles.everybody(call)]
    return render_template(
        "control/overview.html", role=str(role), waiting=len(waiting), for_me=len(mine), administrators=everybody
    )


# --- people, organisations, mandates ------------------------------------------------------------------------------


def _search_again(call: Call, problem: Problem, kind: str) -> str:
    return _search_page(call, kind, error=word_of(problem))


@page(blueprint, "/<any(people, organisations, mandates):kind>", who=Who.PERSON)
def search(call: Call, kind: str) -> str:
    """Ask for a number."""
    return _search_page(call, kind, error=None)


@page(
    blueprint, "/<any(people, organisations, mandates):kind>", who=Who.PERSON, methods=("POST",), again=_search_again,
    limit="60/minute",
)  # fmt: skip
def find(call: Call, kind: str) -> Response:
    """Lead to whoever bears exactly this number."""
    roles.demand(call, Role.SYSTEM, Role.SECURITY)
    subject, found = person_acts.find(call, request.form.get("number", ""))
    if KINDS[kind] not in {None, found}:
        raise Problem("not_found", "Nobody of this kind is registered by this number.")
    place = "people" if found == mandates.PERSON else "organisations"
    return to(f"/admin/{place}/{subject}")


def _search_page(call: Call, kind: str, *, error: str | None) -> str:
    role = roles.demand(call, Role.SYSTEM, Role.SECURITY)
    return render_template("control/search.html", kind=kind, error=error, role=str(role))


@page(blueprint, "/<any(people, organisations):kind>/<subject>", who=Who.PERSON, write=True)
def party(call: Call, kind: str, subject: str) -> str:
    """Show a person or an organisation, masked, with mandates; the look goes on their record."""
    found = view.found(call, subject, str(KINDS[kind]))
    role = roles.demand(call)
    is_staff = found["status"] == "active" and activation.is_staff(call, subject)
    return render_template(
        "control/party.html",
        found=found,
        role=str(role),
        roles=[str(one) for one in Role],
        done=request.args.get("done"),
        is_self=subject == call.caller.person,
        needs_code=is_staff and not second_factor.ways_of(call, subject),
        may_reset=is_staff and factor_reset.has_any(call, subject),
    )


@page(
    blueprint, "/<any(people, organisations):kind>/<subject>", who=Who.PERSON, methods=("POST",), write=True
)  # fmt: skip
def change_party(call: Call, kind: str, subject: str) -> Response | str:
    """Ask for a risky act on a person or a mandate, or lay one's own role down."""
    said, _, rest = request.form.get("change", "").partition(".")
    facts: dict[str, Any] = {"subject": subject}
    match said:
        case "take_role" if subject == call.caller.person:
            person_acts.lay_down_role(call)
            return to("/me")
        case "take_role":
            act = RiskyAct.ROLE_TAKE
        case "disable" | "enable" if kind == "organisations":
            act = RiskyAct.ORGANISATION_DISABLE if said == "disable" else RiskyAct.ORGANISATION_ENABLE
            facts = {"organisation": subject}
        case "disable" | "enable":
            act = RiskyAct.PERSON_DISABLE if said == "disable" else RiskyAct.PERSON_ENABLE
        case "confirm":
            act = RiskyAct.PERSON_CONFIRM
        case "reset_factors":
            act = RiskyAct.FACTOR_RESET
        case "activation_code":
            asked = approvals.ask(call, RiskyAct.FACTOR_ACTIVATE, facts)
            return render_template(
                "control/activation.html", code=asked.secret, back=f"/admin/{kind}/{subject}", role=str(Role.SYSTEM)
            )
        case "give_role" if (role := request.form.get("role", "")) in set(Role):
            act, facts = RiskyAct.ROLE_GIVE, facts | {"role": role}
        case "revoke":
            person, _, mandate_id = rest.partition(".")
            act, facts = RiskyAct.MANDATE_REVOKE, {"subject": person, "mandate_id": mandate_id}
        case _:
            raise Problem("bad_request", "Choose what is to be done.")
    approvals.ask(call, act, facts)
    return to(f"/admin/{kind}/{subject}?done=asked")


def _guardian_again(call: Call, problem: Problem) -> str:
    texts = {"unknown": ("没有登记这个号码", "Nobody bears this number"), "age": ("年龄不符合要求", "Of the wrong age")}
    errors = {error.pointer[1:]: _word(texts[error.code]) for error in problem.errors if error.code in texts}
    return _guardian_page(call, errors or {"minor": word_of(problem)})


@page(blueprint, "/guardianships", who=Who.PERSON)
def guardian_form(call: Call) -> str:
    """Ask who is to be whose guardian."""
    return _guardian_page(call, {})


@page(blueprint, "/guardianships", who=Who.PERSON, methods=("POST",), write=True, again=_guardian_again)
def enter_guardian(call: Call) -> Response:
    """Ask to enter a guardian."""
    approvals.ask(call, RiskyAct.GUARDIAN_ENTER, {name: request.form.get(name, "") for name in ("minor", "guardian")})
    return to("/admin/approvals?done=asked")


def _guardian_page(call: Call, errors: dict[str, str]) -> str:
    role = roles.demand(call, Role.SYSTEM)
    return render_template("control/guardian.html", role=str(role), errors=errors, values=request.form.to_dict())


# --- approvals and the log ----------------------------------------------------------------------------------------


@page(blueprint, "/approvals", who=Who.PERSON)
def list_approvals(call: Call) -> str:
    """Show the requests that wait, then those decided."""
    role = roles.demand(call)
    cursor = _cursor()
    rows = approvals.listed(call, limit=PAGE, cursor=cursor, waiting=False)
    shown = [view.request(call, row) | {"may_decide": role in RULES[RiskyAct(row.act)].decides} for row in rows[:PAGE]]
    return render_template(
        "control/approvals.html",
        requests=shown,
        next_cursor=rows[PAGE - 1].request_id if len(rows) > PAGE else None,
        role=str(role),
        done=request.args.get("done"),
    )


@page(blueprint, "/approvals", who=Who.PERSON, methods=("POST",), write=True)
def decide(call: Call) -> Response:
    """Approve or refuse a request, or withdraw one's own."""
    said, _, request_id = request.form.get("decision", "").partition(".")
    if said == "withdraw":
        approvals.withdraw(call, request_id)
    elif said in {"approve", "refuse"}:
        approvals.decide(call, request_id, approve=said == "approve")
    else:
        raise Problem("bad_request", "Choose what is to be done.")
    return to(f"/admin/approvals?done={said}")


@page(blueprint, "/audit", who=Who.PERSON, write=True)
def audit_log(call: Call) -> str:
    """Show the audit administrator what everybody did, newest first."""
    rows = view.log_entries(call, limit=PAGE, cursor=_cursor())
    following = rows[PAGE - 1].entry_id if len(rows) > PAGE else None
    entries = [view.log_entry(row) for row in rows[:PAGE]]
    return render_template("control/audit.html", entries=entries, next_cursor=following, role=str(Role.AUDIT))


def _cursor() -> str | None:
    cursor = request.args.get("cursor")
    if cursor is not None and not (len(cursor) <= 40 and cursor.isalnum()):
        raise Problem("bad_request", "The cursor is not one of ours.")
    return cursor


def to(path: str) -> Response:
    """Lead on after a post."""
    return redirect(path, 303)  # type: ignore[return-value]


def word_of(problem: Problem) -> str:
    """Return what a form says of a refusal, in the reader's language."""
    return problem.kind.en if language() == "en" else problem.kind.zh


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]

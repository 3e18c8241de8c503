"""Who looked (用证留痕), on pages: the holder's record, one look with its proof and question, the auditor's answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from idservice import accesses
from idservice.admin import view
from idservice.admin.pages import to, word_of
from idservice.admin.roles import Role
from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.models import AccessRecord
from idservice.oauth import scopes, verified_claims
from licences import catalogue
from licences.accesses import proofs, questions, routes
from licences.accesses.questions import DAYS
from licences.asker import ANYBODY
from licences.counter import matters
from licences.counter.case_parties import day_of
from licences.pages import matter_words, words

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.accesses.models import AccessQuestion

blueprint = Blueprint("looks", __name__, template_folder="../templates")

PAGE = 50
YEARS = 5
_CURSOR = re.compile(r"[0-9a-f]{32}")
_YEAR = re.compile(r"2[0-9]{3}")
_LONGEST_UNIT = 100
_ANYBODY: dict[str | None, words.Both] = {
    ANYBODY.who: ("公众", "The public"),
    ANYBODY.unit: ("公开核验", "Public check"),
}
_BY_ISSUER: words.Both = ("签发机关查阅", "Read by the issuer")


@page(blueprint, "/me/accesses", who=Who.PERSON)
def list_accesses(call: Call) -> str:
    """Show who looked at the holder's data, of one year and unit where he chose them."""
    wanted = _wanted()
    found = accesses.of_holder(call, limit=PAGE, **wanted)
    asked = questions.about(call, [item["id"] for item in found["items"]])
    this_year = day_of(call.now).year
    return render_template(
        "me/accesses.html",
        accesses=[item | {"question": _state(call, asked.get(item["id"]))} for item in named(call, found["items"])],
        next_cursor=found["next_cursor"],
        years=range(this_year, this_year - YEARS, -1),
        year=wanted["year"],
        unit=wanted["unit"] or "",
    )


@page(blueprint, "/me/accesses/export.<any(json, csv):form>", who=Who.PERSON, write=True, limit="30/minute")
def export_accesses(call: Call, form: str) -> Response:
    """Hand the holder his record as a file."""
    return routes.file_of(call, form, **_wanted())


@page(blueprint, "/me/accesses/<identifier>", who=Who.PERSON)
def one_access(call: Call, identifier: str) -> str:
    """Show one look: what proves it, and what was asked and answered about it."""
    return _one(call, identifier, error=None)


def _ask_again(call: Call, problem: Problem, identifier: str) -> str:
    return _one(call, identifier, error=word_of(problem))


@page(
    blueprint, "/me/accesses/<identifier>", who=Who.PERSON, methods=("POST",), write=True, again=_ask_again,
    limit="60/minute",
)  # fmt: skip
def question(call: Call, identifier: str) -> Response:
    """Question a look."""
    questions.ask(call, identifier, request.form.get("text", ""))
    return to(f"/me/accesses/{identifier}")


@page(blueprint, "/me/accesses/<identifier>/proof.json", who=Who.PERSON)
def download_proof(call: Call, identifier: str) -> Response:
    """Hand the holder what proves that a look stands in the log."""
    response = Response(json.dumps(proofs.prove(call, identifier), ensure_ascii=False, indent=1), 200)
    response.content_type = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="access-{identifier}.json"'
    return response


def _one(call: Call, identifier: str, *, error: str | None) -> str:
    record = accesses.find(call, identifier)
    is_proved = bool(proofs.of_records(call, [record]))
    asked = questions.about(call, [identifier]).get(identifier)
    return render_template(
        "me/access.html",
        access=named(call, [accesses.shown(call, record, None)])[0],
        is_proved=is_proved,
        question=routes.shown(call, asked) if asked is not None else None,
        days=DAYS,
        error=error,
        text=request.form.get("text", ""),
    )


def _wanted() -> dict[str, Any]:
    """Return which records the address asks for.

    Raises:
        Problem: bad_request.
    """
    cursor, year, unit = (request.args.get(name) or None for name in ("cursor", "year", "unit"))
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise Problem("bad_request", "The cursor is not one of ours.")
    if year is not None and not _YEAR.fullmatch(year):
        raise Problem("bad_request", "A year has four digits.")
    return {"cursor": cursor, "year": int(year) if year else None, "unit": unit[:_LONGEST_UNIT] if unit else None}


def _state(call: Call, row: AccessQuestion | None) -> str | None:
    """Return answered, overdue or waiting; None where nothing was asked."""
    if row is None:
        return None
    if row.answered_at is not None:
        return "answered"
    return "overdue" if questions.is_overdue(call, row) else "waiting"


def named(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return access records with the names of matters and fields in the reader's language in place of their codes."""
    known = matters.entries(call)
    known_claims = scopes.CLAIM_TITLES | verified_claims.RECORDED
    claims = {name: words.word(both) for name, both in known_claims.items()}
    titles = claims | words.every_field_title(entry.type for entry in catalogue.entries(call).values())
    return [
        item
        | {name: words.word(_ANYBODY[item[name]]) for name in ("who", "unit") if item[name] in _ANYBODY}
        | {"matter": words.name_of(known[item["matter"]]) if item["matter"] in known else item["matter"]}
        | {"fields": _titled(titles | matter_words.titles_of(call, known.get(item["matter"])), item["fields"])}
        | ({"basis": words.word(_BY_ISSUER)} if item["basis"] == "issuer" else {})
        for item in items
    ]


def _titled(titles: dict[str, str], names: list[str]) -> list[str]:
    return [titles.get(name, name) for name in names]


# --- the audit administrator ---------------------------------------------------------------------------------------


@page(blueprint, "/admin/questions", who=Who.PERSON, write=True)
def list_questions(call: Call) -> str:
    """Show the audit administrator the questions that wait, the most overdue first, and those answered last."""
    questions.opened(call)
    return _questions(call, error=None)


def _answer_again(call: Call, problem: Problem) -> str:
    return _questions(call, error=word_of(problem))


@page(blueprint, "/admin/questions", who=Who.PERSON, methods=("POST",), write=True, again=_answer_again)
def answer_question(call: Call) -> Response:
    """Answer a question with a reason."""
    subject, _, record_id = request.form.get("question", "").partition(".")
    given = {"verdict": request.form.get("verdict", ""), "text": request.form.get("answer", "")}
    questions.answer(call, subject, record_id, **given)
    return to("/admin/questions?done=done")


def _questions(call: Call, *, error: str | None) -> str:
    waiting = [_asked(call, row) for row in questions.waiting(call)]
    answered = [_asked(call, row) for row in questions.waiting(call, answered=True)]
    return render_template(
        "control/questions.html",
        role=str(Role.AUDIT),
        waiting=waiting,
        answered=answered,
        error=error,
        faulty=request.form.get("question"),
        values=request.form.to_dict(),
        done=request.args.get("done"),
    )


def _asked(call: Call, row: AccessQuestion) -> dict[str, Any]:
    record = call.session.get_one(AccessRecord, (row.subject, row.record_id))
    return routes.shown(call, row) | {
        "id": f"{row.subject}.{row.record_id}",
        "by": view.masked_name(call, row.subject),
        "look": named(call, [accesses.shown(call, record, None)])[0],
    }

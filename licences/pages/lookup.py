"""The clerk's page that looks proofs up instead of asking for paper (免证查询)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request

from idservice.errors import Problem
from idservice.http.page import Who, page
from idservice.login.session import shown_user
from idservice.numbers import citizen, credit_code
from licences.counter import authorisation_codes, legal_grounds, lookups, matters
from licences.counter.matter_definition import Way
from licences.guard import touches
from licences.pages import matter_words, shown, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.counter.matter_definition import Matter, Proof

blueprint = Blueprint("lookup_pages", __name__, template_folder="../templates")

FILL_IN = ("请填写", "Fill this in")
CHOOSE = ("请从列表中选择事项", "Choose a matter from the list")
FORM = (
    "matter",
    "number",
    "authorisation",
    "code",
    "consent",
    "mandate",
    "agent",
    "legal_basis",
    "purpose",
    "case_number",
)
OF_PROOFS = ("claim.", "way.")  # how those fields begin that are a matter's own
NEEDED = {"code": ("code",), "consent": ("consent",), "mandate": ("mandate", "agent"), "legal_basis": ("legal_basis",)}
FAULTY = {"authorisation_refused": None, "legal_basis_not_offered": "legal_basis", "not_found": "matter"}


@page(blueprint, "/counter/lookup", who=Who.CLERK)
def lookup_form(call: Call) -> str:
    """Ask for matter, applicant and authorisation; a link may choose the matter."""
    return _lookup_page(call, chosen=_named(call, request.args.get("matter", "")))


def _look_up(call: Call) -> dict[str, Any]:
    """Return what was found, or what is wrong with the form."""
    values = _values()
    kind = values["authorisation"] if values["authorisation"] in NEEDED else "code"
    needed = ("matter", "number", *NEEDED[kind], "purpose", "case_number")
    wrong = {name: words.word(FILL_IN) for name in needed if not values[name]}
    matter = _named(call, values["matter"])
    if values["matter"] and matter is None:
        wrong["matter"] = words.word(CHOOSE)
    if wrong or matter is None:
        if citizen.is_valid(values["number"]):  # a form that is not filled in has asked for somebody all the same
            touches.test(call, {"matter": values["matter"]}, values["number"])
        return {"wrong": wrong}
    return lookups.look_up(
        call,
        {
            "matter": matter.code,
            "subject": {"number": values["number"]},
            "authorisation": _authorisation(kind, values),
            "purpose": values["purpose"],
            "case_number": values["case_number"],
            "claims": _claims(matter),
            "ways": {one.proof: way for one in matter.proofs if (way := request.form.get(f"way.{one.proof}"))},
        },
    )


def _authorisation(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    if kind == "mandate":
        return {"mandate": {"id": values["mandate"], "agent": values["agent"]}}
    is_long = len("".join(values["code"].split())) == authorisation_codes.LENGTH
    return {"auth_code" if kind == "code" and is_long else kind: values[kind]}


def _claims(matter: Matter) -> dict[str, dict[str, str]]:
    """Return what is claimed, of the fields that the form shows."""
    found: dict[str, dict[str, str]] = {}
    for proof in matter.proofs:
        for name in proof.fields:
            if claimed := request.form.get(f"claim.{proof.proof}.{name}", "").strip():
                found.setdefault(proof.proof, {})[name] = claimed
    return found


def _lookup_again(call: Call, problem: Problem) -> str:
    field = FAULTY.get(problem.code, "matter") or _values()["authorisation"] or "code"
    faults = {fault.pointer.rsplit("/", 1)[-1]: words.fault_text(fault) for fault in problem.errors}
    return _lookup_page(call, errors=faults or {field: words.problem_text(problem)})


@page(blueprint, "/counter/lookup", who=Who.CLERK, methods=("POST",), prepare=_look_up, again=_lookup_again)
def look_up(call: Call, prepared: dict[str, Any]) -> str:
    """Show what came of each proof, and what to do next."""
    if "wrong" in prepared:
        return _lookup_page(call, errors=prepared["wrong"])
    return _lookup_page(call, result=_receipt(call, prepared))


def _lookup_page(
    call: Call,
    *,
    chosen: Matter | None = None,
    errors: dict[str, str] | None = None,
    result: dict[str, Any] | None = None,
) -> str:
    values = dict.fromkeys(FORM, "") if result else _values()
    if chosen is None and not result:
        chosen = _named(call, values["matter"])
    if chosen is not None:
        values["matter"] = words.name_of(chosen)
    return render_template(
        "counter/lookup.html",
        matters=[_listed(matter) for matter in matters.entries(call).values()],
        chosen=_chosen(call, chosen) if chosen is not None else None,
        values=values,
        errors=errors or {},
        result=result,
    )


def _values() -> dict[str, str]:
    own = {name for name in request.form if name.startswith(OF_PROOFS)}
    return {name: request.form.get(name, "").strip() for name in {*FORM, *own}}


def _named(call: Call, text: str) -> Matter | None:
    """Return the matter that a clerk means by its code, or by its name if only one bears it."""
    known = matters.entries(call)
    if (found := known.get(text.strip().upper())) is not None:
        return found
    alike = [matter for matter in known.values() if text.strip() in {matter.name, matter.name_en}]
    return alike[0] if len(alike) == 1 else None


def _listed(matter: Matter) -> dict[str, Any]:
    proofs = [words.name_of(proof) for proof in matter.needed]
    return {"code": matter.code, "name": words.name_of(matter), "unit": matter.unit, "proofs": proofs}


def _chosen(call: Call, matter: Matter) -> dict[str, Any]:
    """Return what the form asks about the matter that is chosen: claims to compare, ways to choose, provisions."""
    return {
        "code": matter.code,
        "grounds": [(ground.code, legal_grounds.text(ground)) for ground in matter.grounds],
        "claims": [
            {"name": f"claim.{proof.proof}.{name}", "proof": words.name_of(proof), "title": title}
            for proof in matter.proofs
            if Way.DATA_CHECK in proof.ways
            for name, title in _titles(call, proof, proof.fields).items()
        ],
        "ways": [
            {"name": f"way.{proof.proof}", "title": words.name_of(proof), "ways": _ways(proof)}
            for proof in matter.proofs
            if len(proof.ways) > 1
        ],
    }


def _ways(proof: Proof) -> list[tuple[str, str]]:
    return [(str(way), matter_words.way_title(way)) for way in proof.ways]


def _titles(call: Call, proof: Proof, names: Any) -> dict[str, str]:
    """Return what fields of a proof are called."""
    known = matter_words.titles(call, proof)
    return {name: known.get(name, name) for name in names}


def _receipt(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    values = _values()
    matter = matters.find(call, found["matter"])
    user = shown_user(call) or {}
    by_name = {proof.proof: proof for proof in matter.proofs}
    return found | {
        "at": found["at"].astimezone(ZoneInfo("Asia/Shanghai")),
        "matter": words.name_of(matter),
        "code": matter.code,
        "subject": _masked(values["number"]),
        "purpose": values["purpose"],
        "case_number": values["case_number"],
        "operator": " ".join(filter(None, [user.get("name_masked"), call.caller.counter])),
        "proofs": [_proof(call, by_name[proof["proof"]], proof) for proof in found["proofs"]],
        "not_needed": [words.word((proof["name"], proof["name_en"])) for proof in found["not_needed"]],
    }


def _masked(number: str) -> str:
    return citizen.mask(number) if citizen.is_valid(number) else credit_code.mask(number)


def _proof(call: Call, proof: Proof, found: dict[str, Any]) -> dict[str, Any]:
    named = found | {
        "name": words.name_of(proof),
        "unit": proof.issuing_unit,
        "ways_left": [matter_words.way_title(Way(way)) for way in found.get("ways_left", ())],
        "ways_beyond": [matter_words.way_title(Way(way)) for way in found.get("ways_beyond", ())],
        "text": words.word((found.get("text", ""), found.get("text_en", ""))),
        "compared": [
            {"title": title, "agrees": found["compared"][name]}
            for name, title in _titles(call, proof, found.get("compared", ())).items()
        ],
        "claims_wanted": list(_titles(call, proof, found.get("claims_wanted", ())).values()),
        "not_shown": list(_titles(call, proof, found.get("not_shown", ())).values()),
    }
    if "licence" not in found:
        return named
    return named | {"fields": shown.titled(call, found["licence"], found["fields"])}

"""The public list of matters (证明事项清单): what each needs, and what nobody has to bring any more and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request

from idservice.http.page import Who, page
from licences import catalogue
from licences.counter import matters
from licences.pages import matter_words, words

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.matter_definition import Matter, Proof

blueprint = Blueprint("matter_pages", __name__, template_folder="../templates")

SHOWN = 100
LONGEST = 100


@page(blueprint, "/matters", who=Who.ANYONE)
def list_matters(call: Call) -> str:
    """List the matters that a search and a unit leave over."""
    known = list(matters.entries(call).values())
    sought, unit = request.args.get("q", "").strip()[:LONGEST], request.args.get("unit", "")[:256]
    found = [matter for matter in known if unit in {"", matter.unit} and _is_about(matter, sought)]
    return render_template(
        "matters/index.html",
        matters=[_listed(matter) for matter in found[:SHOWN]],
        count=len(found),
        more=len(found) > SHOWN,
        units=sorted({matter.unit for matter in known}),
        q=sought,
        unit=unit,
    )


@page(blueprint, "/matters/<code>", who=Who.ANYONE)
def show_matter(call: Call, code: str) -> str:
    """Say of each proof of a matter why it need not be brought."""
    matter = matters.find(call, code)
    return render_template(
        "matters/matter.html",
        matter=_listed(matter) | {"legal_basis": matter.legal_basis, "version": matter.version},
        proofs=[_proof(call, proof) for proof in matter.proofs],
        grounds=[{"law": ground.law, "article": ground.article} for ground in matter.grounds],
        demonstration=matter.demonstration,
    )


def _is_about(matter: Matter, sought: str) -> bool:
    """Return whether every word sought stands somewhere in the matter's names, units or proofs."""
    texts = [matter.code, matter.name, matter.name_en, matter.unit]
    texts += [text for proof in matter.proofs for text in (proof.name, proof.name_en, proof.issuing_unit)]
    whole = "\n".join(texts).casefold()
    return all(word in whole for word in sought.casefold().split())


def _listed(matter: Matter) -> dict[str, Any]:
    return {
        "code": matter.code,
        "name": words.name_of(matter),
        "unit": matter.unit,
        "proofs": [words.name_of(proof) for proof in matter.proofs],
    }


def _proof(call: Call, proof: Proof) -> dict[str, Any]:
    kind = catalogue.find(call, proof.type_code).type if proof.type_code is not None else None
    titles = matter_words.titles(call, proof)
    return {
        "name": words.name_of(proof),
        "required": proof.required,
        "unit": proof.issuing_unit,
        "licence": words.name_of(kind) if kind is not None else None,
        "ways": [
            {"code": str(way), "title": matter_words.way_title(way), "why": words.word(matter_words.WHY[way])}
            for way in proof.ways
        ],
        "fields": [titles.get(name, name) for name in proof.fields],
        "days": proof.days,
        "commitment": words.word((proof.commitment or "", proof.commitment_en or "")),
    }

"""A licence as the templates take it: cards, whole licences, verification results (see each template's own comment)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask_babel import format_date

from licences import artefacts, catalogue, view
from licences.definition import Source
from licences.lifecycle import State
from licences.pages import words
from licences.surface import FieldType, is_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from idservice.call import Call
    from licences.definition import LicenceType
    from licences.models import Licence
    from licences.verify import Report


def card(call: Call, licence: Licence) -> dict[str, Any]:
    """Return a licence as a card: its holder masked, nothing of its face."""
    metadata = artefacts.open_record(call, licence).metadata
    kind = catalogue.type_of(call, metadata)
    state = view.state(call, licence)
    return {
        "identifier": licence.identifier,
        "version": metadata.version,
        "name": view.masked_name(metadata.holders[0]),
        "type_name": words.name_of(kind),
        "state": str(state),
        "state_title": words.state_title(state),
        "issuer": metadata.issuer.name,
        "issued_at": licence.issued_at,
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
        "colour": kind.card.colour,
    }


def whole(call: Call, licence: Licence) -> dict[str, Any]:
    """Return a licence with every field in clear, for its holder."""
    found = view.whole(call, licence)
    head = {f"holder_{part}": "、".join(named[part] for named in found["holders"]) for part in ("name", "number")}
    everything = {**head, "certificate_number": found["number"], **found["fields"]}
    shared = licence.subject != call.caller.holder  # then its first holder shows it and has it changed
    named = {"name": found["holder"]["name"], "shared": shared, "fields": titled(call, found, everything)}
    return {**card(call, licence), **named}


def masked(call: Call, licence: Licence) -> dict[str, Any]:
    """Return a licence with its face masked, for the officer who changes it."""
    found = view.face(call, licence, clear=())
    everything = {"holder_number": found["holder"]["number"], **found["fields"]}
    return {**card(call, licence), "fields": titled(call, found, everything)}


def titled(call: Call, licence: Mapping[str, Any], fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return fields of a licence (as reports hold it) under their titles when it was issued, in their order."""
    kind = _kind(call, licence)
    titles, days = words.field_titles(kind), _days(kind)
    return [
        {"title": titles.get(name, name), "value": _day(value) if name in days else _text(name, value)}
        for name, value in fields.items()
    ]


def result(call: Call, report: Report) -> dict[str, Any]:
    """Return a verification report with names and fields in the reader's language.

    Of several licences each gets its own checks, so that a page can say which one failed.
    """
    shown = report.as_json()
    licences = [_face(call, licence) for licence in report.licences]
    if len(licences) > 1:
        shown["checks"], own = _apart(shown["checks"])
        licences = [licence | {"checks": checks} for licence, checks in zip(licences, own, strict=True)]
    return shown | {"licences": licences, "licence": licences[0] if licences else None}


def _apart(checks: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[list[dict[str, str]]]]:
    """Return the checks of the code, and those of each licence: a licence's begin with its state, end with its seal."""
    common: list[dict[str, str]] = []
    own: list[list[dict[str, str]]] = []
    inside = False
    for check in checks:
        if check["name"] == "state" and not inside:
            own.append([])
            inside = True
        (own[-1] if inside else common).append(check)
        inside = inside and check["name"] != "seal"
    return common, own


def names(call: Call, licences: Iterable[dict[str, Any]]) -> str:
    """Return the names of the types of some licences (as reports hold them), for the list of a shift's scans."""
    return word_list(words.name_of(catalogue.find(call, licence["type"]).type) for licence in licences)


def word_list(texts: Iterable[str]) -> str:
    """Return texts as one enumeration."""
    return words.word(("、", ", ")).join(dict.fromkeys(texts))


def _face(call: Call, licence: dict[str, Any]) -> dict[str, Any]:
    kind = _kind(call, licence)
    return licence | {"name": words.name_of(kind), "fields": titled(call, licence, licence["fields"])}


def _kind(call: Call, licence: Mapping[str, Any]) -> LicenceType:
    """Return the type of a licence (as reports hold it), where it is known as it was when the licence was issued."""
    version = licence.get("type_version")
    return (
        catalogue.find(call, licence["type"]).type
        if version is None
        else catalogue.type_at(call, licence["type"], version)
    )


def _days(kind: LicenceType) -> set[str]:
    """Return the names of the fields that hold a day."""
    derived = {field.name for field in kind.derived if field.source is Source.HOLDER_BIRTH_DATE}
    return (
        derived | {field.name for field in kind.fields if field.type is FieldType.DATE} | {"valid_from", "valid_until"}
    )


def _day(value: Any) -> str:
    """Return a day as people write it; a masked one as it is."""
    text = str(value)
    return format_date(date.fromisoformat(text), "long") if is_date(text) else text


def _text(name: str, value: Any) -> str:
    return words.state_title(State(value)) if name == "state" else words.value_text(value)

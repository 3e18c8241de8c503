"""What an app asks for in `verified_claims` (经核实的信息): OpenID Connect for Identity Assurance 1.0 section 5.

A request is a template of the answer. What it does not name is not answered; a value, a set of values or an age that
it states must be met. Where one within `verification` is not, the whole element is left out, where it is one of a
claim, that claim (section 5.7.4); what we do not have is left out in silence, unless it is `essential` in
`verification`: then the whole element is, too. Members that a valid answer needs come with their parent. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from idservice.oauth import claim_constraint
from idservice.oauth.claim_constraint import ClaimsRefused, same

MAX_ELEMENTS: Final = 4
MAX_FILTERS: Final = 8
_CONSTRAINTS: Final = frozenset({"value", "values", "max_age"})


class _Unmet(Exception):
    """A constraint is not met, so the parent that it stands in falls."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A single value; `is_moment` lets it be asked for by age, `is_type` demands that a value is named."""

    is_moment: bool = False
    is_type: bool = False


@dataclass(frozen=True, slots=True)
class _Object:
    """An element with members; `needed` are those without which it is not valid."""

    members: Mapping[str, _Shape]
    needed: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class _Array:
    """Elements of one kind. Templates of them are filters, joined by OR (section 5.4)."""

    of: _Object


_Shape = _Leaf | _Object | _Array

_TEXT, _MOMENT = _Leaf(), _Leaf(is_moment=True)
_SOURCE = _Object(dict.fromkeys(("name", "country_code", "jurisdiction"), _TEXT))
_CHECK = _Object(
    {"check_method": _TEXT, "organization": _TEXT, "check_id": _TEXT, "time": _MOMENT}, frozenset({"check_method"})
)
_RECORD = _Object(
    {"type": _TEXT, "created_at": _MOMENT, "date_of_expiry": _MOMENT, "source": _SOURCE}, frozenset({"type"})
)
_ATTESTATION = _Object(
    {
        "type": _TEXT,
        "date_of_issuance": _MOMENT,
        "date_of_expiry": _MOMENT,
        "voucher": _Object(dict.fromkeys(("organization", "occupation"), _TEXT)),
    },
    frozenset({"type"}),
)
_EVIDENCE = _Object(
    {
        "type": _Leaf(is_type=True),
        "time": _MOMENT,
        "check_details": _Array(_CHECK),
        "record": _RECORD,
        "attestation": _ATTESTATION,
    },
    frozenset({"type"}),
)
_VERIFICATION = _Object(
    {"trust_framework": _TEXT, "assurance_level": _TEXT, "time": _MOMENT, "evidence": _Array(_EVIDENCE)},
    frozenset({"trust_framework"}),
)


@dataclass(frozen=True, slots=True)
class Known:
    """All there is to say about somebody: how he was verified, and the claims that were."""

    verification: Mapping[str, Any]
    claims: Mapping[str, Any]


def check(stated: Any) -> None:
    """Check the element as it stands in the claims parameter: an object, or an array of objects.

    Raises:
        ClaimsRefused: it is malformed.
    """
    elements = stated if isinstance(stated, list) else [stated]
    if not 0 < len(elements) <= MAX_ELEMENTS:
        raise ClaimsRefused(f"verified_claims has one to {MAX_ELEMENTS} elements.")
    for element in elements:
        if not isinstance(element, dict) or not element.keys() >= {"verification", "claims"}:
            raise ClaimsRefused("verified_claims has verification and claims.")
        verification, claims = element["verification"], element["claims"]
        if not isinstance(verification, dict) or "trust_framework" not in verification:
            raise ClaimsRefused("verification has trust_framework.")
        _check_template(verification, _VERIFICATION, "verification")
        if not isinstance(claims, dict) or not claims:
            raise ClaimsRefused("claims names at least one claim.")
        for wanted in claims.values():
            _check_leaf(wanted, _TEXT, "claims")


def names(stated: Any) -> tuple[str, ...]:
    """Return the names of all claims that are asked for, each once, in their order."""
    elements = stated if isinstance(stated, list) else [stated]
    return tuple(dict.fromkeys(name for element in elements for name in element["claims"]))


def essential(stated: Any) -> set[str]:
    """Return the names of the claims that the app cannot do without, as far as it says."""
    elements = stated if isinstance(stated, list) else [stated]
    claims = (wanted for element in elements for wanted in element["claims"].items())
    return {name for name, wanted in claims if wanted is not None and wanted.get("essential") is True}


def without(stated: Any, names: Collection[str]) -> Any:
    """Return the request without those claims; None where nothing is left of it."""
    if isinstance(stated, list):
        return [left for one in stated if (left := without(one, names)) is not None] or None
    claims = {name: wanted for name, wanted in stated["claims"].items() if name not in names}
    return {**stated, "claims": claims} if claims else None


def wants_evidence(stated: Any) -> bool:
    """Return whether more is asked for than by which rules, how surely and when."""
    elements = stated if isinstance(stated, list) else [stated]
    return any("evidence" in element["verification"] for element in elements)


def answer(stated: Any, known: Known, *, now: datetime) -> Any:
    """Return the element of the answer, an array where an array was asked for; None where nothing can be said."""
    if not isinstance(stated, list):
        return _element(stated, known, now)
    found = [element for one in stated if (element := _element(one, known, now)) is not None]
    return found or None


def _element(stated: Mapping[str, Any], known: Known, now: datetime) -> dict[str, Any] | None:
    try:
        verification = _object(stated["verification"], known.verification, _VERIFICATION, now)
    except _Unmet:
        return None
    claims = {}
    for name, wanted in stated["claims"].items():
        if known.claims.get(name) is not None and _accepts(wanted, known.claims[name], now):
            claims[name] = known.claims[name]
    return {"verification": verification, "claims": claims} if claims else None


def _object(
    template: Mapping[str, Any] | None, data: Mapping[str, Any], shape: _Object, now: datetime
) -> dict[str, Any]:
    """Return the members of `data` that the template names, and those that a valid answer needs."""
    template = template or {}
    found = {}
    for name, wanted in template.items():
        if name not in shape.members or name not in data:
            if _insists(wanted):
                raise _Unmet
            continue
        found[name] = _member(wanted, data[name], shape.members[name], now)
    needed = {name: data[name] for name in shape.needed if name not in found}
    return {name: value for name in data if (value := (found | needed).get(name)) is not None}


def _member(template: Any, data: Any, shape: _Shape, now: datetime) -> Any:
    if isinstance(shape, _Array):
        return _filtered(template, data, shape.of, now)
    if isinstance(shape, _Object):
        return _object(template, data, shape, now)
    if not _accepts(template, data, now):
        raise _Unmet
    return data


def _filtered(templates: list[Any], data: Iterable[Any], shape: _Object, now: datetime) -> list[Any]:
    """Return what passes one of the filters, as the first of these that lets it pass shows it."""
    found = []
    for one in data:
        for template in templates:
            try:
                found.append(_object(template, one, shape, now))
            except _Unmet:
                continue
            break
    if not found:
        raise _Unmet
    return found


def _accepts(wanted: Mapping[str, Any] | None, value: Any, now: datetime) -> bool:
    if wanted is None:
        return True
    if "value" in wanted and not same(wanted["value"], value):
        return False
    if "values" in wanted and not any(same(one, value) for one in wanted["values"]):
        return False
    return "max_age" not in wanted or now - _last_second(value) <= timedelta(seconds=wanted["max_age"])


def _last_second(text: str) -> datetime:
    """Return the instant from which an age counts: of a day its last second (section 5.5.2)."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)


def _insists(template: Any) -> bool:
    """Return whether a template states anywhere what must be met."""
    if isinstance(template, list):
        return any(map(_insists, template))
    if not isinstance(template, dict):
        return False
    if not _CONSTRAINTS.isdisjoint(template) or template.get("essential") is True:
        return True
    return any(map(_insists, template.values()))


def _check_template(template: Any, shape: _Shape, where: str) -> None:
    if isinstance(shape, _Leaf):
        _check_leaf(template, shape, where)
    elif isinstance(shape, _Array):
        if not isinstance(template, list) or not 0 < len(template) <= MAX_FILTERS:
            raise ClaimsRefused(f"{where} is an array of one to {MAX_FILTERS} filters.")
        for one in template:
            _check_template(one, shape.of, where)
    elif template is not None:
        _check_object(template, shape, where)


def _check_object(template: Any, shape: _Object, where: str) -> None:
    if not isinstance(template, dict):
        raise ClaimsRefused(f"{where} is an object.")
    types = (name for name, member in shape.members.items() if isinstance(member, _Leaf) and member.is_type)
    if any(name not in template for name in types):
        raise ClaimsRefused(f"{where} has a type.")
    for name, wanted in template.items():
        if name in shape.members:
            _check_template(wanted, shape.members[name], f"{where}/{name}")


def _check_leaf(wanted: Any, shape: _Leaf, where: str) -> None:
    names_one = isinstance(wanted, dict) and isinstance(wanted.get("value"), str) and "values" not in wanted
    if shape.is_type and not names_one:
        raise ClaimsRefused(f"{where} is named by one value.")
    claim_constraint.check(wanted, where)
    if wanted is None:
        return
    age = wanted.get("max_age", 0)
    if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age < 10**10:
        raise ClaimsRefused(f"{where}: max_age is a number of seconds.")
    if "max_age" in wanted and not shape.is_moment:
        raise ClaimsRefused(f"{where}: only a time has an age.")

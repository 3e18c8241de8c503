"""Data checks (数据核验): a claimed value is compared with the one on record; only yes or no leaves the house.

What is claimed is compared with a valid licence of the proof's type or, where the proof names none, with the registers
of people and organisations. Where there is no such licence or person every answer is no, so that "not so" and "nobody"
read alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.register import organisations, people
from licences import catalogue, view
from licences.counter import held_licences
from licences.counter.claimed_values import agrees, form_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from idservice.call import Call
    from licences.counter.authorisation import Ground
    from licences.counter.matter_definition import Proof
    from licences.surface import Value


def compare(call: Call, ground: Ground, proof: Proof, claims: Mapping[str, Value]) -> dict[str, bool]:
    """Return for each claimed field of the proof whether it is so."""
    kind = catalogue.find(call, proof.type_code).type if proof.type_code is not None else None
    known = _licensed(call, ground, kind.code, claims) if kind is not None else _registered(call, ground.subject)
    return {name: agrees(form_of(kind, name), known.get(name), value) for name, value in claims.items()}


def outcome(compared: Mapping[str, bool]) -> str:
    """Return what the comparisons say together: data_yes, data_partly or data_no."""
    if all(compared.values()):
        return "data_yes"
    return "data_partly" if any(compared.values()) else "data_no"


def _licensed(call: Call, ground: Ground, type_code: str, names: Collection[str]) -> dict[str, Value | None]:
    held = held_licences.best(call, ground, type_code)
    if held is None:
        return {}
    metadata = held.record.metadata
    return {name: view.shown(call, metadata, held.licence, name, clear=names) for name in names}


def _registered(call: Call, subject: str) -> dict[str, Value | None]:
    """Return what the registers know; both are asked, whoever it is."""
    person, organisation = people.facts(call, subject), organisations.facts(call, subject)
    if person is not None:
        return {"holder_name": person.name, "phone": person.phone}
    return {"holder_name": organisation.name} if organisation is not None else {}

"""What each reader sees of a licence: all of it, or a masked face."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from idservice.numbers import citizen, credit_code
from idservice.numbers.names import mask_name
from licences import artefacts, catalogue, identifier
from licences.definition import HolderKind, Source
from licences.lifecycle import State, local_day, state_at
from licences.metadata import LONG_TERM, holder_kind
from licences.predicates import AGE_OVER, age_over
from licences.surface import Mask, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from idservice.call import Call
    from licences.definition import LicenceType
    from licences.metadata import Holder, Metadata
    from licences.models import Licence
    from licences.surface import Value


def state(call: Call, licence: Licence) -> State:
    """Return what a licence is at this instant."""
    return state_at(State(licence.state), valid_from=licence.valid_from, valid_until=licence.valid_until, now=call.now)


def summary(call: Call, licence: Licence, metadata: Metadata | None = None) -> dict[str, Any]:
    """Return what says nothing of the holder: identifier, type, state, issuer, dates."""
    entry = catalogue.find(call, licence.type_code)
    kind = catalogue.type_of(call, metadata) if metadata is not None else entry.type
    issuer = next((a.name for a in entry.authorities if a.department == licence.issuer_code), "")
    return {
        "identifier": licence.identifier,
        "version": identifier.version(licence.identifier),
        "type": licence.type_code,
        "type_version": metadata.type_version if metadata is not None else None,
        "name": kind.name,
        "name_en": kind.name_en,
        "state": state(call, licence),
        "issuer": {"name": metadata.issuer.name if metadata else issuer, "code": licence.issuer_code},
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
        "issued_at": licence.issued_at,
        "changed_at": licence.changed_at,
        "next_identifier": licence.next_identifier,
    }


def whole(call: Call, licence: Licence) -> dict[str, Any]:
    """Return everything, for the holder himself and for the department that issued it."""
    metadata = artefacts.open_record(call, licence).metadata
    holder = metadata.holders[0]
    return {
        **summary(call, licence, metadata),
        "number": metadata.number,
        "holder": {"name": holder.name, "number": holder.code},
        "holders": [{"name": named.name, "number": named.code} for named in metadata.holders],
        "fields": dict(metadata.surface),
        "demonstration": metadata.demonstration,
    }


def face(
    call: Call,
    licence: Licence,
    *,
    clear: Collection[str],
    only: Collection[str] | None = None,
    record: artefacts.Record | None = None,
) -> dict[str, Any]:
    """Return a licence for a counter: masked, but for the fields in `clear`; of the face, `only` these where given.

    Whoever has opened the licence's record already hands it in.
    """
    metadata = (record or artefacts.open_record(call, licence)).metadata
    return {
        **summary(call, licence, metadata),
        "holder": {
            "name": shown(call, metadata, licence, "holder_name", clear=clear),
            "number": shown(call, metadata, licence, "holder_number", clear=clear),
        },
        "co_holders": [{"name": masked_name(named), "number": masked_number(named)} for named in metadata.holders[1:]],
        "fields": {
            name: shown(call, metadata, licence, name, clear=clear)
            for name in (*metadata.surface, *_asked(only))
            if only is None or name in only
        },
    }


def _asked(only: Collection[str] | None) -> list[str]:
    """Return the yes-or-no answers that are given only to whoever is to have them."""
    return [name for name in AGE_OVER if only is not None and name in only]


def shown(call: Call, metadata: Metadata, licence: Licence, name: str, *, clear: Collection[str]) -> Value | None:
    """Return one value as its reader may see it; None where the licence has no such field."""
    generic = _GENERIC.get(name)
    if generic is not None:
        return generic(call, metadata, licence, name in clear)
    value = metadata.surface.get(name)
    if value is None or name in clear:
        return value
    return _masked(catalogue.type_of(call, metadata), name, value)


def _age(age: int, call: Call, record: Metadata, _row: Licence, _full: bool) -> bool | None:
    return age_over(_first(record), age, local_day(call.now))


# The fields every licence has: how each is read from its record and row, in full or masked.
_GENERIC: dict[str, Callable[[Call, Metadata, Licence, bool], Value | None]] = {
    "holder_name": lambda _call, record, _row, full: _first(record).name if full else masked_name(_first(record)),
    "holder_number": lambda _call, record, _row, full: _first(record).code if full else masked_number(_first(record)),
    "certificate_number": lambda _call, record, _row, _full: record.number,
    "issuer": lambda _call, record, _row, _full: record.issuer.name,
    "state": lambda call, _record, row, _full: str(state(call, row)),
    "valid_from": lambda _call, record, _row, _full: record.valid_from.isoformat(),
    "valid_until": lambda _call, record, _row, _full: (
        record.valid_until.isoformat() if record.valid_until else LONG_TERM
    ),
    **{name: partial(_age, age) for name, age in AGE_OVER.items()},
}


def _first(record: Metadata) -> Holder:
    return record.holders[0]


def _masked(kind: LicenceType, name: str, value: Value) -> Value:
    """Return a field of the face masked by its type's rule; of a derived birth date only the year is shown."""
    field = next((field for field in kind.fields if field.name == name), None)
    if field is not None:
        return value if field.mask is Mask.NONE else masked(field, value)
    derived = next((field for field in kind.derived if field.name == name), None)
    if derived is None:
        return "***"  # no rule says how much of it may be seen
    return f"{str(value)[:4]}-**-**" if derived.source is Source.HOLDER_BIRTH_DATE else value


def masked_name(holder: Holder) -> str:
    """Return a person's name masked; names of organisations are public."""
    return holder.name if holder_kind(holder) is HolderKind.ORGANISATION else mask_name(holder.name)


def masked_number(holder: Holder) -> str:
    """Return the holder's number masked by its own kind's rule."""
    return (
        credit_code.mask(holder.code) if holder_kind(holder) is HolderKind.ORGANISATION else citizen.mask(holder.code)
    )

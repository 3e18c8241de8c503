"""The list of matters in the database (证明事项清单), and every version a matter has had."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import select

from idservice.errors import Problem
from licences import catalogue
from licences.counter.lookup_models import MatterVersion
from licences.counter.matter_definition import parse_matter
from licences.models import Matter as MatterRow

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from idservice.db import Database
    from licences.counter.matter_definition import Matter
    from licences.definition import LicenceType

_MAX_VERSION = 2**31 - 1  # more fits no column
_KEEP = 2.0  # seconds a process may go on with the list it has read
_STANDS = select(MatterRow.code, MatterRow.version, MatterRow.updated_at).order_by(MatterRow.code)
_cache: WeakKeyDictionary[Database, tuple[float, dict[str, Matter]]] = WeakKeyDictionary()
# Each matter beside how it stood when it was read: to read thousands of them anew every few seconds would be felt.
_parsed: WeakKeyDictionary[Database, dict[str, tuple[tuple[int, datetime], Matter]]] = WeakKeyDictionary()


def entries(call: Call) -> dict[str, Matter]:
    """Return the matters in force by code, each in its newest version."""
    if call.reads_anew:
        return _in_force(call)
    key, moment = call.house.database, time.monotonic()
    found = _cache.get(key)
    if found is None or moment - found[0] > _KEEP:
        found = _cache[key] = (moment, _in_force(call))
    return found[1]


def _in_force(call: Call) -> dict[str, Matter]:
    return {matter.code: matter for matter in every(call) if matter.in_force}


def every(call: Call) -> list[Matter]:
    """Return all matters by code, those no longer handled among them, as they stand now."""
    known = _parsed.setdefault(call.house.database, {})
    stands = {row.code: (row.version, row.updated_at) for row in call.connection.execute(_STANDS)}
    if stale := [code for code, stand in stands.items() if code not in known or known[code][0] != stand]:
        types = types_of(call)
        rows = call.session.execute(select(MatterRow.code, MatterRow.definition).where(MatterRow.code.in_(stale)))
        for code, definition in rows:
            known[code] = (stands[code], parse_matter(definition, types).entered_as(stands[code][0]))
    return [known[code][1] for code in stands]


def types_of(call: Call) -> dict[str, LicenceType]:
    """Return the licence types that a matter may name, by code."""
    return {code: entry.type for code, entry in catalogue.entries(call).items()}


def forget(call: Call) -> None:
    """Make this process read the list anew, because it was changed; see `Call.reads_anew`."""
    call.reads_anew = True
    _cache.pop(call.house.database, None)


def find(call: Call, code: str) -> Matter:
    """Return one matter in force.

    Raises:
        Problem: not_found.
    """
    matter = entries(call).get(code)
    if matter is None:
        raise Problem("not_found", "There is no such matter; GET /v1/matters lists them.")
    return matter


def version(call: Call, code: str, number: int) -> MatterVersion:
    """Return a matter as it stood in one of its versions.

    Raises:
        Problem: not_found.
    """
    kept = call.session.get(MatterVersion, (code, number)) if number <= _MAX_VERSION else None
    if kept is None:
        raise Problem("not_found", "The matter has no such version.")
    return kept


def versions(call: Call, code: str) -> list[MatterVersion]:
    """Return every version of a matter, the newest first; none for a matter that never was."""
    query = select(MatterVersion).where(MatterVersion.code == code).order_by(MatterVersion.version.desc())
    return list(call.session.scalars(query))

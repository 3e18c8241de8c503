"""The list of matters in the database (证明事项清单)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import select

from idservice.errors import Problem
from licences import catalogue
from licences.counter.matter_definition import parse_matter
from licences.models import Matter as MatterRow

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.db import Database
    from licences.counter.matter_definition import Matter

_KEEP = 2.0  # seconds a process may go on with the list it has read
_cache: WeakKeyDictionary[Database, tuple[float, dict[str, Matter]]] = WeakKeyDictionary()


def entries(call: Call) -> dict[str, Matter]:
    """Return all matters by code."""
    key, moment = call.house.database, time.monotonic()
    found = _cache.get(key)
    if found is None or moment - found[0] > _KEEP:
        types = {code: entry.type for code, entry in catalogue.entries(call).items()}
        rows = call.session.scalars(select(MatterRow.definition).order_by(MatterRow.code))
        matters = [parse_matter(definition, types) for definition in rows]
        found = _cache[key] = (moment, {matter.code: matter for matter in matters})
    return found[1]


def forget(call: Call) -> None:
    """Make this process read the list anew, because it was changed."""
    _cache.pop(call.house.database, None)


def find(call: Call, code: str) -> Matter:
    """Return one matter.

    Raises:
        Problem: not_found.
    """
    matter = entries(call).get(code)
    if matter is None:
        raise Problem("not_found", "There is no such matter; GET /v1/matters lists them.")
    return matter

"""The catalogue in the database: licence types, and the departments that issue them (证照目录)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import select

from idservice.call import Post
from idservice.errors import Problem
from idservice.models import Department
from licences.definition_file import parse_type
from licences.models import IssuingAuthority, LicenceType

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.db import Database
    from licences import definition

_KEEP = 2.0  # seconds a process may go on with the catalogue it has read


@dataclass(frozen=True, slots=True)
class Authority:
    """A department that issues one type, with the seal it uses for it."""

    department: str
    name: str
    region: str
    seal_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A licence type and who issues it, the default issuer first."""

    type: definition.LicenceType
    authorities: tuple[Authority, ...]


_types: dict[str, tuple[Any, definition.LicenceType]] = {}  # as it was read, and what it says
_cache: WeakKeyDictionary[Database, tuple[float, dict[str, Entry]]] = WeakKeyDictionary()


def entries(call: Call) -> dict[str, Entry]:
    """Return the whole catalogue by type code."""
    key, moment = call.house.database, time.monotonic()
    found = _cache.get(key)
    if found is None or moment - found[0] > _KEEP:
        found = _cache[key] = (moment, _read(call))
    return found[1]


def forget(call: Call) -> None:
    """Make this process read the catalogue anew, because it was changed."""
    _cache.pop(call.house.database, None)


def find(call: Call, type_code: str) -> Entry:
    """Return the entry of a type.

    Raises:
        Problem: not_found.
    """
    entry = entries(call).get(type_code)
    if entry is None:
        raise Problem("not_found", "There is no such licence type; GET /v1/licence-types lists them.")
    return entry


def is_issuer(call: Call, department: str) -> bool:
    """Return whether the caller issues for that department: of its people only officers (发证人员) do."""
    return call.caller.may_act_for(department, Post.OFFICER)


def authority(call: Call, entry: Entry, department: str | None) -> Authority:
    """Return the authority the caller acts for: the named department, or the first he may act for.

    Raises:
        Problem: forbidden, if the department does not issue the type or the caller may not act for it.
    """
    for found in entry.authorities:
        if department in {None, found.department} and is_issuer(call, found.department):
            return found
    raise Problem("forbidden", "You may not issue this type for that department.")


def _read(call: Call) -> dict[str, Entry]:
    issuing: dict[str, list[Authority]] = {}
    rows = call.session.execute(
        select(IssuingAuthority, Department)
        .join(Department, Department.credit_code == IssuingAuthority.department)
        .order_by(IssuingAuthority.rank)
    )
    for issues, department in rows:
        found = Authority(department.credit_code, department.name, department.region, issues.seal_id)
        issuing.setdefault(issues.type_code, []).append(found)
    types = call.session.execute(select(LicenceType.code, LicenceType.definition).order_by(LicenceType.code))
    return {code: Entry(_parsed(code, stated), tuple(issuing.get(code, ()))) for code, stated in types}


def _parsed(code: str, stated: Any) -> definition.LicenceType:
    """Return a type as its row states it; to read hundreds of them every few seconds would be felt."""
    known = _types.get(code)
    if known is None or known[0] != stated:
        known = _types[code] = (stated, parse_type(stated))
    return known[1]

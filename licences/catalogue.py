"""The catalogue in the database: licence types, and the departments that issue them (证照目录)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import select

from idservice.call import Post
from idservice.errors import Problem
from idservice.models import Department
from licences.catalogue_models import LicenceTypeVersion
from licences.definition_file import parse_type
from licences.models import IssuingAuthority, LicenceType

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from idservice.db import Database
    from licences import definition
    from licences.metadata import Metadata

_KEEP = 2.0  # seconds a process may go on with the catalogue it has read
_KEEP_MISSING = 0.1  # seconds it may go on not finding a type
_AT_ONCE = 500  # definitions fetched by one statement


@dataclass(frozen=True, slots=True)
class Authority:
    """A department that issues one type, with the seal it uses for it."""

    department: str
    name: str
    region: str
    seal_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A licence type as it is now, and who issues it, the default issuer first."""

    type: definition.LicenceType
    authorities: tuple[Authority, ...]
    version: int = 1


@dataclass(slots=True)
class _Known:
    """What a process has read of one database: a definition is parsed once, an old version when it is asked for."""

    read_at: float = float("-inf")
    entries: dict[str, Entry] = field(default_factory=dict)
    types: dict[str, tuple[tuple[int, datetime], definition.LicenceType]] = field(default_factory=dict)
    old: dict[tuple[str, int], definition.LicenceType] = field(default_factory=dict)


_cache: WeakKeyDictionary[Database, _Known] = WeakKeyDictionary()


def entries(call: Call) -> dict[str, Entry]:
    """Return the whole catalogue by type code."""
    if call.reads_anew:
        return _read(call)
    known = _known(call)
    moment = time.monotonic()
    if moment - known.read_at > _KEEP:
        known.entries, known.read_at = _read(call), moment
    return known.entries


def forget(call: Call) -> None:
    """Make this process read the catalogue anew, because it was changed; see `Call.reads_anew`."""
    call.reads_anew = True
    _known(call).read_at = float("-inf")


def find(call: Call, type_code: str) -> Entry:
    """Return the entry of a type.

    Raises:
        Problem: not_found.
    """
    entry = entries(call).get(type_code)
    if entry is None and time.monotonic() - _known(call).read_at > _KEEP_MISSING:
        _known(call).read_at = float("-inf")  # another process may have entered it a moment ago
        entry = entries(call).get(type_code)
    if entry is None:
        raise Problem("not_found", "There is no such licence type; GET /v1/licence-types lists them.")
    return entry


def search(call: Call, *, text: str = "", kind: str | None = None, after: str | None = None, limit: int) -> list[Entry]:
    """Return one page (and one more) of the types whose names or code hold every word of `text`, by code."""
    wanted = text.casefold().split()
    found: list[Entry] = []
    for code, entry in entries(call).items():
        if (after is not None and code <= after) or kind not in {None, entry.type.holder_kind}:
            continue
        told = f"{entry.type.name} {entry.type.name_en} {code}".casefold()
        if all(word in told for word in wanted):
            found.append(entry)
            if len(found) > limit:
                break
    return found


def type_at(call: Call, code: str, version: int) -> definition.LicenceType:
    """Return a type as one of its versions says.

    Raises:
        Problem: not_found.
    """
    entry = find(call, code)
    if entry.version == version:
        return entry.type
    old = _known(call).old
    if (code, version) not in old:
        row = call.session.get(LicenceTypeVersion, (code, version))
        if row is None:
            raise Problem("not_found", "The licence type has no such version.")
        old[code, version] = parse_type(row.definition)
    return old[code, version]


def type_of(call: Call, metadata: Metadata) -> definition.LicenceType:
    """Return the type of a licence as it was when the licence was issued."""
    return type_at(call, metadata.type_code, metadata.type_version)


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


def _known(call: Call) -> _Known:
    return _cache.setdefault(call.house.database, _Known())


def _read(call: Call) -> dict[str, Entry]:
    issuing: dict[str, list[Authority]] = {}
    rows = call.session.execute(
        select(
            IssuingAuthority.type_code,
            Department.credit_code,
            Department.name,
            Department.region,
            IssuingAuthority.seal_id,
        )
        .join(Department, Department.credit_code == IssuingAuthority.department)
        .order_by(IssuingAuthority.rank)
    )
    for type_code, *found in rows:
        issuing.setdefault(type_code, []).append(Authority(*found))
    return {
        code: Entry(kind, tuple(issuing.get(code, ())), version) for code, (version, kind) in _read_types(call).items()
    }


def _read_types(call: Call) -> dict[str, tuple[int, definition.LicenceType]]:
    """Return version and definition of every type: to parse hundreds of them every few seconds would be felt."""
    stamps = call.session.execute(
        select(LicenceType.code, LicenceType.version, LicenceType.updated_at).order_by(LicenceType.code)
    )
    now = {code: (version, at) for code, version, at in stamps}
    known = _known(call).types
    changed = [code for code, stamp in now.items() if code not in known or known[code][0] != stamp]
    wanted = select(LicenceType.code, LicenceType.version, LicenceType.updated_at, LicenceType.definition)
    for start in range(0, len(changed), _AT_ONCE):
        some = LicenceType.code.in_(changed[start : start + _AT_ONCE])
        for code, version, at, stated in call.session.execute(wanted.where(some)):
            known[code] = ((version, at), parse_type(stated))
    return {code: (known[code][0][0], known[code][1]) for code in now}

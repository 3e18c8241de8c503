"""Enter what the room needs before it can work: licence types, matters, and who issues what (登记目录、事项、颁证机构).

Entering the same again changes nothing; a type that says something else is its next version. What is stored is read
back first, so that a definition which nobody could read never reaches the database.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from idservice import audit
from idservice.db import add_if_new, table_of
from idservice.errors import Kind, Problem, register
from idservice.numbers import credit_code
from licences import catalogue
from licences.catalogue_models import LicenceTypeVersion
from licences.counter import matters
from licences.counter.lookup_models import MatterVersion
from licences.counter.matter_definition import parse_matter
from licences.deeds import Deed
from licences.definition_file import parse_type
from licences.models import IssuingAuthority
from licences.models import LicenceType as TypeRow
from licences.models import Matter as MatterRow
from licences.record_reader import DefinitionError
from seals.lifecycle import State as SealState
from seals.models import Seal

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.matter_definition import Matter
    from licences.definition import LicenceType


_types = table_of(TypeRow)
_STATED = select(_types.c.version, _types.c.definition).where(_types.c.code == bindparam("wanted"))
_INSERT_VERSION = insert(table_of(LicenceTypeVersion))
_NEXT_TYPE = (
    update(_types)
    .where(_types.c.code == bindparam("wanted"), _types.c.version == bindparam("seen"))
    .values(version=_types.c.version + 1, definition=bindparam("definition"), updated_at=bindparam("updated_at"))
)

register({"type_needed": Kind(409, "有事项依赖该证照种类现有的内容", "A matter depends on what this type has now")})


def put_type(call: Call, entry: LicenceType, *, reason: str | None = None, seen: int | None = None) -> int:
    """Enter a licence type, or its next version where it says something else now; return its version.

    A version is never changed: licences were issued under it. `reason` (at most 200 characters) says why there is a
    next one; `seen`, where given, is the version that it was made from (0: none).

    Raises:
        DefinitionError: the definition does not read back as the same type.
        Problem: type_needed, where a matter asks for what the type would no longer have; or conflict, where somebody
            else entered a version in between.
    """
    definition = json.loads(json.dumps(asdict(entry)))
    if parse_type(definition) != entry:
        raise DefinitionError(f"{entry.code} does not read back as it is")
    now = {"code": entry.code, "definition": definition, "updated_at": call.now}
    row = call.connection.execute(_STATED, {"wanted": entry.code}).one_or_none()
    if seen is not None and seen != (row.version if row is not None else 0):
        raise Problem("conflict", "Somebody else changed this type meanwhile; look again.")
    if row is None:
        version = 1
        is_free = add_if_new(call.session, TypeRow, {**now, "version": version})
    elif parse_type(row.definition) == entry:
        return int(row.version)
    else:
        _refuse_what_matters_need(call, entry)
        version = row.version + 1
        is_free = bool(call.connection.execute(_NEXT_TYPE, {**now, "wanted": entry.code, "seen": row.version}).rowcount)
    if not is_free:
        raise Problem("conflict", "Somebody else changed this type meanwhile; look again.")
    stated = {"code": entry.code, "version": version, "definition": definition, "reason": reason}
    by = {"entered_by": call.caller.name_for_log, "entered_at": call.now}
    call.connection.execute(_INSERT_VERSION, stated | by)
    audit.record(call, Deed.TYPE_ENTERED, type=entry.code, version=version)
    _publish(call)
    return version


def _refuse_what_matters_need(call: Call, entry: LicenceType) -> None:
    types = {code: known.type for code, known in catalogue.entries(call).items()} | {entry.code: entry}
    for matter in matters.entries(call).values():
        if any(proof.type_code == entry.code for proof in matter.proofs):
            try:
                parse_matter(json.loads(json.dumps(matter.definition())), types)
            except DefinitionError as error:
                raise Problem("type_needed", f"{matter.code}: {error}") from None


def put_matter(call: Call, matter: Matter) -> int:
    """Enter a matter as a new version and return its number; one that says the same as the newest changes nothing.

    Raises:
        DefinitionError: the definition does not read back as the same matter.
    """
    definition = json.loads(json.dumps(matter.definition()))
    if parse_matter(definition, matters.types_of(call)).entered_as(matter.version) != matter:
        raise DefinitionError(f"{matter.code} does not read back as it is")
    held = call.session.get(MatterRow, matter.code)
    if held is not None and held.definition == definition:
        return held.version
    version = held.version + 1 if held is not None else 1
    call.session.merge(MatterRow(code=matter.code, version=version, definition=definition, updated_at=call.now))
    call.session.add(MatterVersion(code=matter.code, version=version, definition=definition, entered_at=call.now))
    audit.record(call, Deed.MATTER_ENTERED, matter=matter.code, version=version)
    _publish(call)
    return version


def put_authority(call: Call, type_code: str, department: str, seal_id: str, rank: int) -> None:
    """Let `department` (credit code) issue a type under one of its seals; the lowest rank is the default issuer.

    Raises:
        InvalidNumber: no identifier could be built with such a credit code.
    """
    credit_code.check(department)
    row = IssuingAuthority(type_code=type_code, department=department, seal_id=seal_id, rank=rank)
    call.session.merge(row)
    audit.record(call, Deed.AUTHORITY_ENTERED, type=type_code, department=department, seal=seal_id)
    _publish(call)


def seal_of(call: Call, department: str) -> str | None:
    """Return the number of the seal that a department (credit code) puts on its licences, None where it has none."""
    found = select(Seal.seal_id).where(Seal.department == department, Seal.state == SealState.IN_FORCE)
    return call.session.scalar(found.order_by(Seal.created_at, Seal.seal_id).limit(1))


def _publish(call: Call) -> None:
    call.session.flush()
    catalogue.forget(call)
    matters.forget(call)

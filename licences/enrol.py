"""Enter what the room needs before it can work: licence types, matters, and who issues what (登记目录、事项、颁证机构).

Entering the same again replaces it. What is stored is read back first, so that a definition which nobody could read
never reaches the database.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from idservice import audit
from idservice.numbers import credit_code
from licences import catalogue
from licences.counter import matters
from licences.counter.matter_definition import parse_matter
from licences.deeds import Deed
from licences.definition_file import parse_type
from licences.models import IssuingAuthority
from licences.models import LicenceType as TypeRow
from licences.models import Matter as MatterRow
from licences.record_reader import DefinitionError

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.matter_definition import Matter
    from licences.definition import LicenceType


def put_type(call: Call, entry: LicenceType) -> None:
    """Enter a licence type into the catalogue, or replace it.

    Raises:
        DefinitionError: the definition does not read back as the same type.
    """
    definition = json.loads(json.dumps(asdict(entry)))
    if parse_type(definition) != entry:
        raise DefinitionError(f"{entry.code} does not read back as it is")
    call.session.merge(TypeRow(code=entry.code, definition=definition, updated_at=call.now))
    audit.record(call, Deed.TYPE_ENTERED, type=entry.code)
    _publish(call)


def put_matter(call: Call, matter: Matter) -> None:
    """Enter a matter, or replace it; the types it needs are in the catalogue already.

    Raises:
        DefinitionError: the definition does not read back as the same matter.
    """
    definition = json.loads(json.dumps(matter.as_json()))
    types = {code: entry.type for code, entry in catalogue.entries(call).items()}
    if parse_matter(definition, types) != matter:
        raise DefinitionError(f"{matter.code} does not read back as it is")
    call.session.merge(MatterRow(code=matter.code, definition=definition, updated_at=call.now))
    audit.record(call, Deed.MATTER_ENTERED, matter=matter.code)
    _publish(call)


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


def _publish(call: Call) -> None:
    call.session.flush()
    catalogue.forget(call)
    matters.forget(call)

"""Enter a licence type, or a next version of one (编制证照目录), while the service runs.

An officer changes what a department of his issues, and adds what that department defines itself, or what an authority
defines whose other types it issues already. Every process knows the new version within seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.call import Post
from idservice.errors import FieldProblem, Kind, Problem, register
from licences import catalogue, enrol
from licences.catalogue_diff import Difference, differences
from licences.catalogue_models import LicenceTypeVersion
from licences.definition_file import parse_type
from licences.record_reader import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call
    from licences.catalogue import Entry
    from licences.definition import LicenceType

register(
    {
        "definition_refused": Kind(422, "证照种类定义有误", "The definition of the licence type is refused"),
        "slug_taken": Kind(409, "另一证照种类已使用这个短名", "Another licence type has this slug"),
    }
)

_PLACE: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A definition that could be entered: what stands there now, at which version (0: nothing), and what changes."""

    type: LicenceType
    before: LicenceType | None
    version: int
    department: str | None
    changes: tuple[Difference, ...]


def check(call: Call, definition: object, *, department: str | None = None) -> Draft:
    """Return what entering `definition` (decoded JSON) would do; `department` is to issue a new type.

    Raises:
        Problem: definition_refused with the place of the fault; slug_taken; or forbidden.
    """
    wanted = read(definition)
    known = catalogue.entries(call)
    entry = known.get(wanted.code)
    if any(other.type.slug == wanted.slug and code != wanted.code for code, other in known.items()):
        raise Problem("slug_taken", "Choose another slug.", errors=[FieldProblem("/definition/slug", "taken", "taken")])
    issuing = _issuing(call, wanted, entry, department)
    before = entry.type if entry is not None else None
    if before is not None and before.sensitive and not wanted.sensitive and call.caller.channel != "cli":
        # Else the second person could be got round by whoever he is to look after.
        raise Problem("forbidden", "That a type takes a second person is ended by whoever runs the service.")
    return Draft(wanted, before, entry.version if entry is not None else 0, issuing, differences(before, wanted))


def enter(call: Call, body: Mapping[str, Any]) -> Draft:
    """Enter `body["definition"]` and return what it did; `version` is the new one.

    `body["base"]`, where given, is the version that the change was made from.

    Raises:
        Problem: what `check` raises; conflict; or type_needed.
    """
    catalogue.forget(call)  # what this process read some time ago decides nothing here
    draft = check(call, body["definition"], department=body.get("department"))
    if body.get("base") is not None and body["base"] != draft.version:
        raise Problem("conflict", "Somebody else changed this type meanwhile; look again.")
    return put(call, draft, reason=body.get("reason"))


def put(call: Call, draft: Draft, *, reason: str | None) -> Draft:
    """Enter what was checked in this transaction.

    Raises:
        Problem: conflict or type_needed.
    """
    version = enrol.put_type(call, draft.type, reason=reason, seen=draft.version)
    seal_id = enrol.seal_of(call, draft.department) if draft.before is None and draft.department else None
    if draft.department is not None and seal_id is not None:
        enrol.put_authority(call, draft.type.code, draft.department, seal_id, rank=1)
    return Draft(draft.type, draft.before, version, draft.department, draft.changes)


def read(definition: object) -> LicenceType:
    """Return the type that decoded JSON defines.

    Raises:
        Problem: definition_refused.
    """
    try:
        return parse_type(definition)
    except DefinitionError as error:
        place, _, _ = str(error).partition(" ")
        pointer = "/".join(["/definition", *_PLACE.sub(r".\1", place.rstrip(":")).split(".")[1:]])
        fault = FieldProblem(pointer, "definition", str(error))
        raise Problem("definition_refused", str(error), errors=[fault]) from None


def history(call: Call, code: str) -> Sequence[LicenceTypeVersion]:
    """Return all versions of a type, the newest first."""
    rows = select(LicenceTypeVersion).where(LicenceTypeVersion.code == code)
    return call.session.scalars(rows.order_by(LicenceTypeVersion.version.desc())).all()


def may_change(call: Call, entry: Entry) -> bool:
    """Return whether the caller may enter a next version of a type."""
    return _is_operator(call) or any(catalogue.is_issuer(call, found.department) for found in entry.authorities)


def _is_operator(call: Call) -> bool:
    return call.caller.person is None and call.caller.all_departments


def _issuing(call: Call, wanted: LicenceType, entry: Entry | None, department: str | None) -> str | None:
    """Return the department that is to issue a new type, once the caller may enter it.

    Raises:
        Problem: forbidden.
    """
    if entry is not None:
        if not may_change(call, entry):
            raise Problem("forbidden", "Only a department that issues this type may change it.")
        return None
    mine = [department] if department else sorted(call.caller.departments_as(Post.OFFICER))
    for code in mine:
        if catalogue.is_issuer(call, code) and (_is_operator(call) or _defines(call, wanted, code)):
            return code
    if department is None and _is_operator(call):
        return None
    raise Problem("forbidden", "Your department neither defines this type nor issues others of its authority.")


def _defines(call: Call, wanted: LicenceType, department: str) -> bool:
    authority = wanted.defining_authority.code
    return authority == department or any(
        entry.type.defining_authority.code == authority and any(a.department == department for a in entry.authorities)
        for entry in catalogue.entries(call).values()
    )

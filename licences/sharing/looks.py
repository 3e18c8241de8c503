"""The one way to a licence that another system asks for (共享准入): who, why, may he, and on record before it is told.

In this order: the app's permission for the type, the operator, leave to look at all (`guard.admit`), the licence, the
record. Whether a holder or a licence is there makes no difference until all of these have been asked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from idservice import audit
from idservice.call import Post
from idservice.errors import FieldProblem, Problem
from idservice.numbers import InvalidNumber
from licences import artefacts, asker, catalogue, change, identifier
from licences.asker import Asker
from licences.counter import notices
from licences.deeds import Deed
from licences.guard.admit import admit
from licences.sharing import permissions
from licences.sharing.annotated import MAX_ASKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from idservice.call import Call
    from licences.artefacts import Record
    from licences.models import Licence
    from licences.sharing.permissions import Operation, Permission


BY_LAW: Final = "legal_basis"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, by which permission, and on what ground: `basis` as the holder's record names it.

    `acting` is the masked name of whoever acts for the holder.
    """

    who: Asker
    permission: Permission
    basis: str = BY_LAW
    acting: str | None = None

    @property
    def by_law(self) -> bool:
        """Return whether the holder was not asked: then the permission's provision is what it rests on."""
        return self.basis == BY_LAW

    @property
    def printed(self) -> str:
        """Return who asks as it is printed on an annotated copy: the unit, not the person."""
        return self.who.unit[:MAX_ASKER]

    def narrowed(self, chosen: Iterable[str] | None) -> Reader:
        """Return this reader with no more fields than the holder has chosen; None: he left it to the matter."""
        if chosen is None:
            return self
        return replace(self, permission=replace(self.permission, fields=self.permission.fields & set(chosen)))


def enter(call: Call, data: Mapping[str, Any], type_code: str, operation: Operation) -> Reader:
    """Return who reads licences of a type, and by what permission.

    Raises:
        Problem: sharing_type_unknown, sharing_refused, operator_required, operator_unknown.
    """
    if type_code not in catalogue.entries(call):
        raise Problem("sharing_type_unknown", "GET /v1/licence-types lists them.")
    return of_permission(call, data, permissions.demand(call, type_code, operation))


def of_permission(call: Call, data: Mapping[str, Any], permission: Permission) -> Reader:
    """Return who reads by a permission: the operator, named or logged in, or the app itself where it may read alone.

    Raises:
        Problem: operator_required, operator_unknown; sharing_refused, where the app does not act for its department.
    """
    purpose = data["useCause"]
    if data.get("operator") is not None or call.caller.person is not None:
        more = {"department": permission.department, "purpose": purpose}
        return Reader(asker.of_call(call, said(data) | more), permission)
    if not permission.unattended:
        raise Problem("operator_required", "This app names the operator at each look.")
    if not call.caller.may_act_for(permission.department, Post.CLERK):
        raise Problem("sharing_refused", "The app does not act for that department.")
    client = call.caller.client_id or ""
    unit = asker.unit_name(call, permission.department)
    name = call.caller.client_name or client
    return Reader(Asker(name, unit, permission.department, f"app:{client}", None, purpose, client), permission)


def said(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operator whom a request names, as `asker.of_call` reads him."""
    operator = data.get("operator")
    named = {"id_number": operator["idNumber"], "counter": operator.get("counter")} if operator else None
    return {"operator": named}


def type_of(code: str) -> str:
    """Return the type that an identifier names.

    Raises:
        Problem: invalid.
    """
    try:
        return identifier.parts(code).type_code
    except InvalidNumber as error:
        fault = FieldProblem("/data/certificateIdentifier", error.code, str(error))
        raise Problem("invalid", "", errors=[fault]) from None


def named(call: Call, reader: Reader, code: str) -> tuple[Licence, Record] | None:
    """Return the licence with an identifier and its record, after leave to look; None where there is none.

    Raises:
        Problem: what `admit` refuses, for a licence that is not there as for one whose holder is nobody's business.
    """
    wanted = identifier.parts(code)
    licence = change.find_any(call, wanted.identifier)
    # A source's identifier may lead to a licence of another type than it names: the permission is not for that one.
    if licence is None or licence.type_code != wanted.type_code:
        nobody = hashlib.sha256(code.encode()).hexdigest()[:32]
        admit(call, reader.who, matter=reader.permission.matter, subject=nobody, number=None, by_law=reader.by_law)
        return None
    record = artefacts.open_record(call, licence)
    number = record.metadata.holders[0].code
    about = {"subject": licence.subject, "number": number}
    admit(call, reader.who, matter=reader.permission.matter, by_law=reader.by_law, **about)
    return licence, record


def put_on_record(
    call: Call, reader: Reader, subject: str, *, fields: Iterable[str], operation: Operation, **public: Any
) -> None:
    """Write a look on its holder's record, with the purpose as it was stated; of one by law he is told."""
    permission, who = reader.permission, reader.who
    facts = who.facts(matter=permission.matter, basis=reader.basis, fields=list(fields))
    facts["law"] = permission.ground if reader.by_law else None
    if reader.acting is not None:
        facts["acting"] = reader.acting
    more = {"matter": permission.matter, "department": who.department, "operator": who.operator, **public}
    audit.record_access(
        call, Deed.SHARED, subject=subject, facts=facts, client=who.client, operation=str(operation), **more
    )
    if reader.by_law:
        notices.tell(call, subject, department=permission.department, matter=permission.matter)

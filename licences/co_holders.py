"""Holders beside the first (共有人): who they are, and their way to the licence they are named on.

The licence itself stands with its first holder. The others find it, read it and keep copies of it; to show it or to
have it changed is the first holder's, as it is with the paper that one of them keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, insert, select

from idservice.db import table_of
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.register import people
from licences.catalogue_models import LicenceCoHolder
from licences.models import Licence

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Select

    from idservice.call import Call
    from licences.definition import LicenceType
    from licences.metadata import Holder, Metadata

register(
    {
        "holders_one": Kind(422, "该证照只能有一个持证主体", "A licence of this type has one holder alone"),
        "second_person_other": Kind(403, "须由另一名人员复核", "Another officer must decide this"),
    }
)

_INSERT = insert(table_of(LicenceCoHolder))


def refuse(kind: LicenceType, holders: Sequence[Holder]) -> None:
    """Refuse holders that cannot stand on one licence together.

    Raises:
        Problem: holders_one, where the type has no room for a second; invalid, where one is named twice.
    """
    if len(holders) > 1 and not kind.several_holders:
        raise Problem("holders_one")
    codes = [holder.code for holder in holders]
    for place, code in enumerate(codes):
        if code in codes[:place]:
            raise Problem("invalid", "", errors=[FieldProblem(f"/holders/{place}", "repeated", "named before")])


def store(call: Call, licence: Licence, holders: Sequence[Holder]) -> None:
    """Make the way to a licence for everybody on it but its first holder."""
    subjects = [people.find(call, holder.code) for holder in holders[1:]]
    if rows := [
        {"subject": subject, "identifier": licence.identifier, "owner": licence.subject, "place": place}
        for place, subject in enumerate(subjects, 1)
        if subject is not None
    ]:
        call.connection.execute(_INSERT, rows)


def beside(call: Call, metadata: Metadata) -> list[str]:
    """Return those on a licence beside its first holder whom the register knows, by their subjects."""
    found = (people.find(call, holder.code) for holder in metadata.holders[1:])
    return [subject for subject in found if subject is not None]


def holds(call: Call, licence: Licence) -> bool:
    """Return whether the caller is a holder of a licence, its first or one beside him."""
    holder = call.caller.holder
    if holder is None or licence.subject == holder:
        return holder is not None
    named = (LicenceCoHolder.subject == holder, LicenceCoHolder.identifier == licence.identifier)
    return bool(call.session.scalar(select(exists().where(*named))))


def refuse_own(call: Call, subjects: Collection[str]) -> None:
    """Refuse to act as an officer on a licence that the caller stands on, himself or with whom he acts for.

    Raises:
        Problem: second_person_other.
    """
    if not own(call).isdisjoint(subjects):
        raise Problem("second_person_other", "Nobody acts as an officer on a licence of his own.")


def refuse_own_licence(call: Call, licence: Licence) -> None:
    """Refuse to act as an officer on a licence of the caller's own, as `refuse_own`; a system alone has none.

    Raises:
        Problem: second_person_other.
    """
    if mine := own(call):
        named = select(LicenceCoHolder.subject).where(
            LicenceCoHolder.subject.in_(sorted(mine)), LicenceCoHolder.identifier == licence.identifier
        )
        refuse_own(call, [licence.subject, *call.session.scalars(named)])


def own(call: Call) -> frozenset[str]:
    """Return the subjects as whom a caller is a holder: himself and whom he acts for."""
    return frozenset(subject for subject in (call.caller.person, call.caller.principal) if subject is not None)


def shared(subject: str) -> Select[Licence]:
    """Return the statement that finds the licences on which `subject` stands beside the first holder."""
    same = and_(Licence.subject == LicenceCoHolder.owner, Licence.identifier == LicenceCoHolder.identifier)
    return select(Licence).join(LicenceCoHolder, same).where(LicenceCoHolder.subject == subject)

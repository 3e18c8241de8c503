"""The register of people (自然人): enrol a citizen by number, find him by number, read his facts.

A number is stored encrypted and found by keyed hash; everything else in the house knows a person by his subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, func, insert, literal_column, select

from idservice import audit, bulk
from idservice.db import add_if_new, table_of
from idservice.errors import FieldProblem, Problem
from idservice.ids import random_id
from idservice.models import Person, SubjectIndex
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.call import Call
    from keys.fields import FieldCipher

INDEX_FIELD = "subject_index.number"

_index_table, _people = table_of(SubjectIndex), table_of(Person)
_NOBODY = "nobody".ljust(32, "-")  # as long as a subject, and never one
_SEALED = ("number_sealed", "name_sealed", "phone_sealed")
# Of nobody these give a row too, as wide as somebody's: its way from the database takes as long.
_ANYBODY = select(literal_column("1").label("one")).subquery("anybody")
_FIND = Statement(
    select(
        func.coalesce(_index_table.c.subject, _NOBODY).label("subject"),
        func.coalesce(_index_table.c.kind, "nobody").label("kind"),
    ).select_from(_ANYBODY.outerjoin(_index_table, _index_table.c.number_hash == bindparam("hash")))
)
_ALIKE = Statement(
    select(
        func.coalesce(_people.c.subject, _NOBODY).label("subject"),
        *(func.coalesce(_people.c[name], bindparam(f"nothing_{name}")).label(name) for name in _SEALED),
        _people.c.phone_sealed.is_not(None).label("has_phone"),
        func.coalesce(_people.c.level, 0).label("level"),
        func.coalesce(_people.c.status, "nobody").label("status"),
    ).select_from(_ANYBODY.outerjoin(_people, _people.c.subject == bindparam("whose")))
)
_FACTS = Statement(select(_people).where(_people.c.subject == bindparam("subject")))
_nothing: WeakKeyDictionary[FieldCipher, dict[str, bytes]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the register knows of a person, in clear; it never leaves the process unmasked without a ground."""

    subject: str
    number: str
    name: str
    phone: str | None
    level: int
    status: str


def enrol(call: Call, *, number: str, name: str, phone: str | None = None, level: int = 2) -> str:
    """Enter a citizen and return his subject; a number already entered keeps its subject.

    Raises:
        Problem: invalid, if the number is not a citizen number.
    """
    try:
        number = citizen.check(number, today=call.now.date())
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem("/number", error.code, str(error))]) from None
    subject, is_new = subject_for(call, number, "person")
    if not is_new:
        return subject
    call.session.execute(
        insert(Person),
        {
            "subject": subject,
            "number_sealed": _seal(call, "number_sealed", subject, number),
            "name_sealed": _seal(call, "name_sealed", subject, name),
            "phone_sealed": _seal(call, "phone_sealed", subject, phone) if phone else None,
            "level": level,
            "status": "active",
            "created_at": call.now,
        },
    )
    audit.record(call, audit.Deed.PERSON_ENROLLED, subject=subject, level=level)
    return subject


def subject_for(call: Call, number: str, kind: str) -> tuple[str, bool]:
    """Return the subject of a normalised number, and whether it was made now; of several who ask at once, one makes it.

    Raises:
        Problem: conflict, if the number was there and was withdrawn in the same moment.
    """
    if (known := find(call, number)) is not None:
        return known, False
    subject = random_id()
    row = {"number_hash": call.cipher.index(INDEX_FIELD, number), "subject": subject, "kind": kind}
    if add_if_new(call.session, SubjectIndex, row):
        return subject, True
    if (known := find(call, number)) is None:
        raise Problem("conflict", "Repeat the request.")
    return known, False


def find(call: Call, number: str) -> str | None:
    """Return the subject of a normalised number (citizen or credit code), or None."""
    found = find_kind(call, number)
    return found[0] if found is not None else None


def find_kind(call: Call, number: str) -> tuple[str, str] | None:
    """Return subject and kind ("person" or "organisation") of a normalised number, or None."""
    found = None
    for value in call.cipher.indexes(INDEX_FIELD, number):  # to the end, or a rotation would let the clock tell
        row = _FIND.first(call.connection, {"hash": value})
        if row.subject != _NOBODY and found is None:
            found = (row.subject, row.kind)
    return found


def facts(call: Call, subject: str) -> PersonFacts | None:
    """Return the facts of a person, decrypted, or None where the subject is no person."""
    row = _FACTS.first(call.connection, {"subject": subject})
    if row is None:
        return None

    phone = _open(call, "phone_sealed", subject, row.phone_sealed) if row.phone_sealed is not None else None
    number, name = _open(call, "number_sealed", subject, row.number_sealed), open_name(call, subject, row.name_sealed)
    return PersonFacts(subject, number, name, phone, row.level, row.status)


def facts_alike(call: Call, subject: str) -> PersonFacts | None:
    """Return what `facts` does; that the subject is no person cannot be told by the clock."""
    row = _ALIKE.first(call.connection, {"whose": subject, **_sealed_nothing(call)})
    phone = _open(call, "phone_sealed", row.subject if row.has_phone else _NOBODY, row.phone_sealed)
    number = _open(call, "number_sealed", row.subject, row.number_sealed)
    name = open_name(call, row.subject, row.name_sealed)
    found = PersonFacts(row.subject, number, name, phone if row.has_phone else None, row.level, row.status)
    return found if row.subject != _NOBODY else None


def _sealed_nothing(call: Call) -> dict[str, bytes]:
    """Return the encrypted fields of nobody, made once, by the names of their parameters."""
    found = _nothing.get(call.cipher)
    if found is None:
        made = {f"nothing_{name}": _seal(call, name, _NOBODY, "00000000000") for name in _SEALED}
        found = _nothing[call.cipher] = made
    return found


def named(call: Call, subjects: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return number and name of many people, decrypted; who is no person is left out."""
    columns = ("subject", "number_sealed", "name_sealed")
    found = bulk.select_where_in(call.connection, _people, columns, "subject", sorted(subjects))
    return {
        subject: (_open(call, "number_sealed", subject, number), open_name(call, subject, name))
        for subject, number, name in found
    }


def open_name(call: Call, subject: str, sealed: bytes) -> str:
    """Return a person's name from his row, for who has read the row already."""
    return _open(call, "name_sealed", subject, sealed)


def _open(call: Call, column: str, subject: str, sealed: bytes) -> str:
    return call.cipher.open(sealed, table="person", column=column, row=subject).decode()


def _seal(call: Call, column: str, subject: str, value: str) -> bytes:
    return call.cipher.seal(value.encode(), table="person", column=column, row=subject)

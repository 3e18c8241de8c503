"""The population register (人口库) as it comes in a file: each row checked, sealed and entered, many at a time.

A person is found by the keyed hash of his number. One who is there keeps his subject and his account: an import brings
his name and telephone up to date, may raise his level and may say that he has died, and undoes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from idservice.db import table_of
from idservice.ids import random_id
from idservice.models import Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.register import changes as register_changes
from idservice.register.importing_index import Known, Outcome, enter_numbers, find_numbers
from idservice.register.importing_rows import RowRefused, name_of
from idservice.register.people import INDEX_FIELD

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.fields import FieldCipher

KIND: Final = "person"
MEMBERS: Final[Mapping[str, str]] = {
    **{name: name for name in ("number", "name", "phone", "level", "status")},
    "id_number": "number",
    "公民身份号码": "number",
    "姓名": "name",
    "手机号码": "phone",
    "实名等级": "level",
    "状态": "status",
}
NEEDED: Final = frozenset({"number", "name"})
REAL_NAME: Final = 2  # the level that name and number in the population register stand for
_MOBILE = re.compile(r"(?:\+?86)?(1[0-9]{10})")
_LEVELS = {"1": 1, "2": 2, "3": 3}
_STATES = {"active": "active", "deceased": "deceased", "正常": "active", "死亡": "deceased"}

_people = table_of(Person)
_INSERT = insert(_people)
_UPDATE = (
    update(_people)
    .where(_people.c.subject == bindparam("whose"))
    .values({name: bindparam(name) for name in ("name_sealed", "phone_sealed", "level", "status")})
)


@dataclass(slots=True)
class Row:
    """One checked row, sealed for the subject it will get if it is new; `repr` leaves the person out."""

    line: int
    hashes: tuple[bytes, ...]
    subject: str
    sealed: dict[str, bytes | None] = field(repr=False)
    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    level: int | None
    status: str | None


def prepare(cipher: FieldCipher, line: int, values: Mapping[str, str], today: date) -> Row:
    """Check the values of one line, hash its number and seal what is personal; raises `RowRefused`."""
    reasons = []
    number = ""
    try:
        number = citizen.check(values.get("number", ""), today=today)
    except InvalidNumber as error:
        reasons.append(f"number_{error.code}")
    if (name := name_of(values)) is None:
        reasons.append("name")
    phone = _MOBILE.fullmatch(values["phone"]) if "phone" in values else None
    for member, good in (("phone", phone), ("level", _LEVELS.get(values.get("level", ""))),
                         ("status", _STATES.get(values.get("status", "")))):  # fmt: skip
        if member in values and good is None:
            reasons.append(member)
    if reasons or name is None:
        raise RowRefused(*reasons)
    subject, mobile = random_id(), phone[1] if phone else None
    sealed = {
        "number_sealed": _seal(cipher, "number_sealed", subject, number),
        "name_sealed": _seal(cipher, "name_sealed", subject, name),
        "phone_sealed": _seal(cipher, "phone_sealed", subject, mobile) if mobile else None,
    }
    level, status = _LEVELS.get(values.get("level", "")), _STATES.get(values.get("status", ""))
    return Row(line, cipher.indexes(INDEX_FIELD, number), subject, sealed, name, mobile, level, status)


def take(call: Call, rows: Sequence[Row], *, dry_run: bool) -> Outcome:
    """Enter the rows that are new and bring those that are there up to date; no two rows have the same number."""
    known = find_numbers(call, rows)
    outcome = Outcome()
    fresh: list[Row] = []
    standing: list[tuple[Row, str]] = []
    for row in rows:
        match known.get(row.hashes[0]):
            case None:
                fresh.append(row)
            case Known(subject, kind) if kind == KIND:
                standing.append((row, subject))
            case _:
                outcome.rejects.append((row.line, ("other_kind",)))
    changes = _changes(call, standing)
    outcome.added, outcome.changed, outcome.unchanged = len(fresh), len(changes), len(standing) - len(changes)
    outcome.subjects = [row.subject for row in fresh] + [change["whose"] for change in changes]
    if not dry_run:
        enter_numbers(call, fresh, kind=KIND)
        connection = call.session.connection()
        if fresh:
            connection.execute(_INSERT, [_new(call, row) for row in fresh])
        if changes:
            connection.execute(_UPDATE, changes)
            register_changes.tell(call, [change["whose"] for change in changes])
    return outcome


def _new(call: Call, row: Row) -> dict[str, Any]:
    facts = {"level": row.level or REAL_NAME, "status": row.status or "active", "created_at": call.now}
    return {"subject": row.subject, **row.sealed, **facts}


def _changes(call: Call, standing: Sequence[tuple[Row, str]]) -> list[dict[str, Any]]:
    """Return the new values of those rows that say something else than the register."""
    if not standing:
        return []
    asked = select(_people).where(_people.c.subject.in_([subject for _row, subject in standing]))
    stored = {found.subject: found for found in call.session.connection().execute(asked)}
    found = ((subject, row, stored.get(subject)) for row, subject in standing)
    changes = (_change(call, subject, row, before) for subject, row, before in found if before is not None)
    return [change for change in changes if change is not None]


def _change(call: Call, subject: str, row: Row, before: Any) -> dict[str, Any] | None:
    cipher = call.cipher
    name_sealed, phone_sealed = before.name_sealed, before.phone_sealed
    if _open(cipher, "name_sealed", subject, name_sealed) != row.name:
        name_sealed = _seal(cipher, "name_sealed", subject, row.name)
    if row.phone and (phone_sealed is None or _open(cipher, "phone_sealed", subject, phone_sealed) != row.phone):
        phone_sealed = _seal(cipher, "phone_sealed", subject, row.phone)
    level = max(before.level, row.level or 0)
    status = "deceased" if row.status == "deceased" else before.status  # an import unlocks nobody
    after = (name_sealed, phone_sealed, level, status)
    if after == (before.name_sealed, before.phone_sealed, before.level, before.status):
        return None
    names = ("name_sealed", "phone_sealed", "level", "status")
    return {"whose": subject, **dict(zip(names, after, strict=True))}


def _seal(cipher: FieldCipher, column: str, subject: str, value: str) -> bytes:
    return cipher.seal(value.encode(), table="person", column=column, row=subject)


def _open(cipher: FieldCipher, column: str, subject: str, sealed: bytes) -> str:
    return cipher.open(sealed, table="person", column=column, row=subject).decode()

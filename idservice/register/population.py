"""The population register (人口库) as it comes in a file: each row checked, sealed and entered, many at a time.

A person is found by the keyed hash of his number. One who is there keeps his subject and his account: an import brings
his name and telephone up to date (whereof the old one is told), may raise his level and may say that he has died, and
undoes nothing else. An account whose name nobody has compared yet (L1) becomes a real name (L2) where number and name
are the register's; where the name is another, it may be somebody else's account: it stays as it is, and the row goes to
the rejects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import bindparam, update

from idservice import audit, bulk
from idservice.db import table_of
from idservice.ids import random_id
from idservice.login.deeds import Deed
from idservice.models import LoginSession, Person
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.register import changes as register_changes
from idservice.register import old_phones
from idservice.register.importing_index import Known, Outcome, enter_numbers, find_numbers
from idservice.register.importing_rows import RowRefused, name_of
from idservice.register.people import INDEX_FIELD

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.register.importing_columns import Table
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
_COLUMNS = ("subject", "number_sealed", "name_sealed", "phone_sealed", "level", "status", "created_at")
_CHANGED = ("name_sealed", "phone_sealed", "level", "status")
_UPDATE = (
    update(_people).where(_people.c.subject == bindparam("whose")).values({name: bindparam(name) for name in _CHANGED})
)


class Row(NamedTuple):
    """One checked row, sealed for the subject it will get if it is new."""

    line: int
    hashes: tuple[bytes, ...]
    subject: str
    number_sealed: bytes
    name_sealed: bytes
    phone_sealed: bytes | None
    name: str
    phone: str | None
    level: int | None
    status: str | None

    def __repr__(self) -> str:
        """Name the line alone: the rest is a person's."""
        return f"Row(line={self.line})"


class _Stored(NamedTuple):
    """What the register says of a person."""

    subject: str
    name_sealed: bytes
    phone_sealed: bytes | None
    level: int
    status: str


@dataclass(slots=True)
class _Changes:
    """What rows say otherwise than the register does.

    The new `values`; who is among `others` bears another name, and may be somebody else; whose name is a real one now,
    is among those `raised`; `old_phones` are those that give way, by subject.
    """

    values: list[dict[str, Any]] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    raised: list[str] = field(default_factory=list)
    old_phones: dict[str, str] = field(default_factory=dict, repr=False)


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
    return Row(
        line,
        cipher.indexes(INDEX_FIELD, number),
        subject,
        _seal(cipher, "number_sealed", subject, number),
        _seal(cipher, "name_sealed", subject, name),
        _seal(cipher, "phone_sealed", subject, mobile) if mobile else None,
        name,
        mobile,
        _LEVELS.get(values.get("level", "")),
        _STATES.get(values.get("status", "")),
    )


def prepare_many(cipher: FieldCipher, table: Table, today: date) -> tuple[list[Row], Sequence[int]]:
    """Return the rows that are good, as `prepare` makes them, and the lines of those that it must judge."""
    if not table.columns.keys() >= NEEDED:
        return [], table.lines
    judges: dict[str, Callable[[str], Any]] = {
        "number": partial(_number, today=today),
        "name": lambda text: name_of({"name": text}),
        "phone": _mobile,
        "level": _LEVELS.get,
        "status": _STATES.get,
    }
    columns: dict[str, Sequence[Any]] = {name: [*map(judges[name], column)] for name, column in table.columns.items()}
    odd = {place for column in columns.values() if None in column for place, one in enumerate(column) if one is None}
    good, left = replace(table, columns=columns).without(odd)
    return _rows(cipher, good), left


def _rows(cipher: FieldCipher, table: Table) -> list[Row]:
    columns, nothing = table.columns, [None] * len(table.lines)
    subjects = [random_id() for _line in table.lines]

    def sealed(column: str, values: Sequence[str]) -> list[bytes]:
        return cipher.seal_many([value.encode() for value in values], table="person", column=column, rows=subjects)

    made = zip(
        table.lines,
        cipher.indexes_many(INDEX_FIELD, columns["number"]),
        subjects,
        sealed("number_sealed", columns["number"]),
        sealed("name_sealed", columns["name"]),
        sealed("phone_sealed", columns["phone"]) if "phone" in columns else nothing,
        columns["name"],
        *(columns.get(name, nothing) for name in ("phone", "level", "status")),
        strict=True,
    )
    return [*map(Row._make, made)]


def _number(text: str, *, today: date) -> str | None:
    try:
        return citizen.check(text, today=today)
    except InvalidNumber:
        return None


def _mobile(text: str) -> str | None:
    found = _MOBILE.fullmatch(text)
    return found[1] if found else None


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
    found = _changes(call, standing)
    outcome.rejects += [(row.line, ("name_differs",)) for row, subject in standing if subject in found.others]
    changes, outcome.old_phones = found.values, found.old_phones
    outcome.added, outcome.changed = len(fresh), sum(change["whose"] not in found.others for change in changes)
    outcome.unchanged = len(standing) - len(found.others) - outcome.changed
    outcome.subjects = [row.subject for row in fresh] + [change["whose"] for change in changes]
    if not dry_run:
        enter_numbers(call, fresh, kind=KIND)
        new = sorted(_new(call, row) for row in fresh)  # neighbours in the key
        bulk.insert(call.connection, _people, _COLUMNS, new)
        if changes:
            call.connection.execute(_UPDATE, changes)
            _tell_raised(call, found.raised)
            register_changes.tell(call, [change["whose"] for change in changes])
            old_phones.tell_apps(call, outcome.old_phones)
    return outcome


def _new(call: Call, row: Row) -> tuple[Any, ...]:
    """Return the values of a new row in the order of `_COLUMNS`."""
    sealed = (row.number_sealed, row.name_sealed, row.phone_sealed)
    return (row.subject, *sealed, row.level or REAL_NAME, row.status or "active", call.now)


def _changes(call: Call, standing: Sequence[tuple[Row, str]]) -> _Changes:
    """Return what rows say otherwise than the register does."""
    found = _Changes()
    if not standing:
        return found
    whose = [subject for _row, subject in standing]
    asked = bulk.select_where_in(call.connection, _people, _Stored._fields, "subject", whose)
    stored = {before[0]: _Stored(*before) for before in asked}
    for row, subject in standing:
        if (before := stored.get(subject)) is None:
            continue
        name = _open(call.cipher, "name_sealed", subject, before.name_sealed)
        says = row
        if before.level < REAL_NAME and row.level is None and name != row.name:
            found.others.add(subject)
            says = row._replace(name=name, phone=None, level=before.level)  # of him only whether he has died
        if (change := _change(call, subject, says, before, name)) is None:
            continue
        found.values.append(change)
        if before.level < REAL_NAME and change["level"] == REAL_NAME:
            found.raised.append(subject)
        if before.phone_sealed is not None and change["phone_sealed"] != before.phone_sealed:
            found.old_phones[subject] = _open(call.cipher, "phone_sealed", subject, before.phone_sealed)
    return found


def _change(call: Call, subject: str, row: Row, before: _Stored, name: str) -> dict[str, Any] | None:
    cipher = call.cipher
    name_sealed, phone_sealed = before.name_sealed, before.phone_sealed
    if name != row.name:
        name_sealed = _seal(cipher, "name_sealed", subject, row.name)
    if row.phone and (phone_sealed is None or _open(cipher, "phone_sealed", subject, phone_sealed) != row.phone):
        phone_sealed = _seal(cipher, "phone_sealed", subject, row.phone)
    level = max(before.level, row.level or REAL_NAME)
    status = "deceased" if row.status == "deceased" else before.status  # an import unlocks nobody
    after = (name_sealed, phone_sealed, level, status)
    if after == (before.name_sealed, before.phone_sealed, before.level, before.status):
        return None
    return {"whose": subject, **dict(zip(_CHANGED, after, strict=True))}


def _tell_raised(call: Call, subjects: Sequence[str]) -> None:
    """Say in the log that these are real names now, and let their sessions know."""
    for subject in subjects:
        live = (LoginSession.subject == subject, LoginSession.ended_at.is_(None))
        call.session.execute(update(LoginSession).where(*live).values(level=REAL_NAME))
        audit.record(call, Deed.LEVEL_RAISED, subject=subject, level=REAL_NAME, register="people")


def _seal(cipher: FieldCipher, column: str, subject: str, value: str) -> bytes:
    return cipher.seal(value.encode(), table="person", column=column, row=subject)


def _open(cipher: FieldCipher, column: str, subject: str, sealed: bytes) -> str:
    return cipher.open(sealed, table="person", column=column, row=subject).decode()

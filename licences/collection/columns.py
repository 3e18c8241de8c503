"""Many collected rows at once: what `rows.prepare` does with each, done with the columns of those that are good.

It takes nothing that `rows.prepare` would refuse, and makes the same rows of what it takes; the lines of all others are
handed back to be judged alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import orjson

from idservice.numbers.plain import is_plain
from idservice.register.people import INDEX_FIELD
from licences.collection import rows
from licences.collection.rows import DATES, LONG_TERM, LONGEST_NUMBER, SOURCE_FIELD, Row
from licences.collection.states import WORDS, Standing
from licences.surface import find_problem

if TYPE_CHECKING:
    from datetime import date

    from idservice.register.importing_columns import Table
    from keys.fields import FieldCipher
    from licences.collection.rows import Known, Plan
    from licences.surface import Field

_REFUSED: Final = object()
# Not: holders beside the first, and why a state changed. Rows that have them are few.
_BESIDE_FIELDS: Final = frozenset({"type", "department", "holder", "number", "identifier", "state", *DATES})


def prepare_many(known: Known, cipher: FieldCipher, table: Table, _today: date) -> tuple[list[Row], list[int]]:
    """Return the rows that are good, and the lines of those that `rows.prepare` must judge."""
    made: list[Row] = []
    left: list[int] = []
    nothing = [None] * len(table.lines)
    kinds = (table.columns.get(name, nothing) for name in ("type", "department"))
    forever = map(LONG_TERM.__contains__, table.columns.get("valid_until", nothing))
    for part in table.parts(zip(*kinds, forever, strict=True)):
        good, others = _of_one_type(known, cipher, part)
        made += good
        left += others
    return made, left


def _of_one_type(known: Known, cipher: FieldCipher, table: Table) -> tuple[list[Row], Sequence[int]]:
    """Make rows of one type and department that all have an end, or all none."""
    first = {name: column[0] for name, column in table.columns.items()}
    plan = known.plan(first.get("type", known.type_code or ""))
    department = rows.department_of(known, plan, first)
    if plan is None or department is None or not _has_its_members(plan, table.columns):
        return [], table.lines
    good, left = _judged(plan, table)
    return (_made(plan, department, cipher, good) if good.lines else []), left


def _has_its_members(plan: Plan, columns: Mapping[str, object]) -> bool:
    fields = {member for member, _name, _fits in plan.fields}
    needed = {f"field.{one.name}" for one in plan.kind.fields if one.required} | {"holder", "number"}
    needed |= {"state"} if "state_on" in columns else set()
    return needed <= columns.keys() <= fields | _BESIDE_FIELDS


def _judged(plan: Plan, table: Table) -> tuple[Table, list[int]]:
    """Return the good rows with their values as they are stored, each value looked at once, and the lines of others."""
    made: dict[str, Sequence[Any]] = {}
    odd: set[int] = set()
    for name, judge in _judges(plan).items():
        if (column := table.columns.get(name)) is None:
            continue
        values = {value: judge(value) for value in set(column)}
        made[name] = [*map(values.__getitem__, column)]
        if _REFUSED in values.values():
            odd.update(place for place, value in enumerate(made[name]) if value is _REFUSED)
    if "valid_from" in made and "valid_until" in made:
        spans = enumerate(zip(made["valid_from"], made["valid_until"], strict=True))
        odd.update(place for place, (begin, end) in spans if place not in odd and end is not None and end < begin)
    return replace(table, columns=made).without(odd)


def _judges(plan: Plan) -> dict[str, Callable[[str], Any]]:
    """Return for each column what says how a value of it is stored, or `_REFUSED`."""
    dates: dict[str, Callable[[str], Any]] = {name: _date_judge(name) for name in DATES}
    fields: dict[str, Callable[[str], Any]] = {
        f"field.{one.name}": _field_judge(one, fits)
        for one, (_member, _name, fits) in zip(plan.kind.fields, plan.fields, strict=True)
    }
    return (
        dates
        | fields
        | {
            "holder": _holder_judge(plan),
            "number": _number,
            "identifier": _identifier,
            "state": _state,
        }
    )


def _holder_judge(plan: Plan) -> Callable[[str], Any]:
    def judge(text: str) -> Any:
        reasons: list[str] = []
        number, is_person = rows.holder_of(text, reasons)
        takes = plan.takes_person if is_person else plan.takes_organisation
        return (number, is_person) if takes and not reasons else _REFUSED

    return judge


def _number(text: str) -> Any:
    return text if len(text) <= LONGEST_NUMBER and is_plain(text) else _REFUSED


def _identifier(text: str) -> Any:
    reasons: list[str] = []
    notice = rows.notice_of(text, reasons)
    return _REFUSED if reasons else (text, notice)


def _state(text: str) -> Any:
    """Take what holds alone: any other state is judged with its day and ground."""
    return str(Standing.VALID) if WORDS.get(text) is Standing.VALID else _REFUSED


def _date_judge(name: str) -> Callable[[str], Any]:
    def judge(text: str) -> Any:
        reasons: list[str] = []
        day = rows.day_of(name, text, reasons)
        return _REFUSED if reasons else day

    return judge


def _field_judge(field: Field, fits: Callable[[str], bool]) -> Callable[[str], Any]:
    def judge(text: str) -> Any:
        if fits(text):
            return text
        value = rows.value_of(field.type, text)
        return value if find_problem(field, value) is None else _REFUSED

    return judge


def _made(plan: Plan, department: str, cipher: FieldCipher, table: Table) -> list[Row]:
    columns, code = table.columns, plan.kind.code
    holders, are_people = zip(*columns["holder"], strict=True)
    said = zip(columns["number"], holders, strict=True)
    hashes = cipher.indexes_many(SOURCE_FIELD, [f"{code}|{department}|{number}|{holder}" for number, holder in said])
    places = [first.hex() for first, *_others in hashes]
    records = _records(table)
    made = zip(
        table.lines,
        hashes,
        cipher.indexes_many(INDEX_FIELD, holders),
        ["person" if is_person else "organisation" for is_person in are_people],
        repeat(code),
        repeat(department),
        cipher.seal_many(records, table=rows.TABLE, column=rows.SEALED, rows=places),
        [sha256(record).digest()[:16] for record in records],
        repeat(len(plan.fields) - sum(name.startswith("field.") for name in columns)),
        columns.get("updated_on", repeat(None)),
        [notice for _text, notice in columns["identifier"]] if "identifier" in columns else repeat(None),
    )
    return [*map(Row._make, made)]


def _records(table: Table) -> list[bytes]:
    """Return what is sealed of each row, written as `rows.prepare` writes it: members in order, nothing between."""
    columns, count = table.columns, len(table.lines)
    fields = sorted(name for name in columns if name.startswith("field."))
    faces = _objects([name.removeprefix("field.") for name in fields], [columns[name] for name in fields], count)
    said: dict[str, Iterable[Any]] = {"fields": faces, "number": columns["number"]}
    if "identifier" in columns:
        said["identifier"] = [text for text, _notice in columns["identifier"]]
    if "state" in columns:
        said["state"] = columns["state"]
    for name in DATES:
        if name != "updated_on" and name in columns:
            written = {day: day and day.isoformat() for day in set(columns[name])}
            said[name] = map(written.__getitem__, columns[name])
    is_forever = "valid_until" in columns and columns["valid_until"][0] is None
    if is_forever:
        del said["valid_until"]
    said["long_term"] = repeat(is_forever)
    names = sorted(said)
    return [*map(orjson.dumps, _objects(names, [said[name] for name in names], count))]


def _objects(names: Sequence[str], columns: Sequence[Iterable[Any]], count: int) -> list[dict[str, Any]]:
    """Return an object for each of `count` rows, with its members in the order of `names`."""
    return [dict(zip(names, cells)) for _place, *cells in zip(range(count), *columns)]  # noqa: B905 - repeated ones

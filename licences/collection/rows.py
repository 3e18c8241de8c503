"""One row of a collected file (归集数据行): what a source says of one licence, checked and sealed before any database.

GB/T 36903 for the members. A row is flat, so that a table can hold it: beside the members below, each field of the face
stands under `field.<name>`, or under its Chinese title where the file holds one type alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.numbers.plain import is_plain
from idservice.register.importing_rows import RowRefused
from idservice.register.people import INDEX_FIELD
from licences import identifier
from licences.collection import states
from licences.definition import HolderKind, validate_fields
from licences.metadata import MAX_HOLDERS
from licences.surface import FieldsRefusedError, FieldType, is_date, quick_check

if TYPE_CHECKING:
    from keys.fields import FieldCipher
    from licences.definition import LicenceType

STATES: Final = ("waiting", "signed", "failed")
TABLE: Final = "collected_licence"
SEALED: Final = "record_sealed"
SOURCE_FIELD: Final = f"{TABLE}.source"
MEMBERS: Final[Mapping[str, str]] = {
    **{
        name: name
        for name in (
            "type", "department", "holder", "number", "identifier", "valid_from", "valid_until", "issued_on",
            "updated_on", "state", "state_on", "state_reason", "state_ground", "co_holders",
        )
    },
    "证照类型代码": "type", "证照颁发机构代码": "department", "持证主体代码": "holder", "证照编号": "number",
    "电子证照标识": "identifier", "有效期起始日期": "valid_from", "有效期截止日期": "valid_until",
    "证照颁发日期": "issued_on", "更新日期": "updated_on", "证照状态": "state", "状态变更日期": "state_on",
    "状态变更原因": "state_reason", "状态变更依据": "state_ground", "其他持证主体代码": "co_holders",
}  # fmt: skip
_BESIDE_FIELDS: Final = frozenset(MEMBERS.values())
LONG_TERM: Final = frozenset({"长期", "9999-12-31"})
DATES: Final = ("valid_from", "valid_until", "issued_on", "updated_on", "state_on")
_COMPACT = re.compile(r"[0-9]{8}")
_BETWEEN_HOLDERS = re.compile(r"[\s^;；,，、]+")
_YES: Final = {"true": True, "是": True, "1": True, "false": False, "否": False, "0": False}
LONGEST_NUMBER: Final = 128
_LONGEST_IDENTIFIER: Final = 128  # GB/T 36903
_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are checked against: the catalogue, who issues what (the usual issuer first), and what is assumed."""

    types: Mapping[str, LicenceType]
    departments: Mapping[str, tuple[str, ...]]
    type_code: str | None = None
    department: str | None = None
    _plans: dict[str, Plan] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[type[Known], tuple[object, ...]]:
        """Go to another process without the plans, which hold functions made here."""
        return Known, (self.types, self.departments, self.type_code, self.department)

    def plan(self, code: str) -> Plan | None:
        """Return how rows of a type are checked, made out once for all of them; None where there is no such type."""
        found = self._plans.get(code)
        if found is None and (kind := self.types.get(code)) is not None:
            found = self._plans[code] = Plan.of(kind, self.departments.get(code, ()))
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks of one type: for each field its member in a row, its name, and what says at once that a text fits."""

    kind: LicenceType
    issuing: tuple[str, ...]
    takes_person: bool
    takes_organisation: bool
    fields: tuple[tuple[str, str, Callable[[str], bool]], ...]

    @classmethod
    def of(cls, kind: LicenceType, issuing: tuple[str, ...]) -> Plan:
        """Make out the checks of a type and of who issues it."""
        return cls(
            kind,
            issuing,
            kind.accepts(HolderKind.PERSON),
            kind.accepts(HolderKind.ORGANISATION),
            tuple((f"field.{one.name}", one.name, quick_check(one)) for one in kind.fields),
        )


class Row(NamedTuple):
    """One checked row; `hashes` name it at its source, `holder` its holder in the register."""

    line: int
    hashes: tuple[bytes, ...]
    holder: tuple[bytes, ...]
    kind: str
    type_code: str
    department: str
    sealed: bytes  # the record, for a row named by the first of `hashes`
    digest: bytes
    missing: int
    updated_on: date | None
    notice: str | None

    def __repr__(self) -> str:
        """Name the line alone: the record says who holds what."""
        return f"Row(line={self.line})"


def members(known: Known) -> dict[str, str]:
    """Return what the columns of a file may be called."""
    found = dict(MEMBERS)
    for kind in known.types.values():
        found |= {f"field.{one.name}": f"field.{one.name}" for one in kind.fields}
    alone = known.types.get(known.type_code or "")
    titles = {one.title: f"field.{one.name}" for one in alone.fields} if alone is not None else {}
    return titles | found


def prepare(known: Known, cipher: FieldCipher, line: int, values: Mapping[str, str], today: date) -> Row:
    """Check the values of one line and say what it is; raises `RowRefused` with every reason found.

    Reasons: `type department holder_<code> holder_kind number identifier <date> dates field.<name>:<code> state
    state_on state_reason state_ground co_holders_<code> co_holders_kind co_holders_repeated holders_one`.
    """
    reasons: list[str] = []
    plan = known.plan(values.get("type", known.type_code or ""))
    department = department_of(known, plan, values)
    if plan is None or department is None:
        raise RowRefused("type" if plan is None else "department")
    holder, person = holder_of(values.get("holder", ""), reasons)
    if holder and not (plan.takes_person if person else plan.takes_organisation):
        reasons.append("holder_kind")
    number = values.get("number", "")
    if not number or len(number) > LONGEST_NUMBER or not is_plain(number):
        reasons.append("number")
    dates = {name: day for name in DATES if name in values and (day := day_of(name, values[name], reasons)) is not None}
    if "valid_from" in dates and "valid_until" in dates and dates["valid_until"] < dates["valid_from"]:
        reasons.append("dates")
    notice = notice_of(values.get("identifier"), reasons)
    beside = states.read(values, dates.get("state_on"), today, reasons)
    if "co_holders" in values:
        beside["co_holders"] = _others(plan, holder, values["co_holders"], reasons)
    fields = _fields(plan, values, reasons)
    if reasons:
        raise RowRefused(*reasons)
    updated_on = dates.pop("updated_on", None)
    long_term = values.get("valid_until") in LONG_TERM
    said: dict[str, Any] = {"number": number, "fields": fields, "long_term": long_term, **beside}
    for name, day in dates.items():
        said[name] = day.isoformat()
    if "identifier" in values:
        said["identifier"] = values["identifier"]
    record = _to_json(said).encode()
    code = plan.kind.code
    hashes = cipher.indexes(SOURCE_FIELD, f"{code}|{department}|{number}|{holder}")
    return Row(
        line,
        hashes,
        cipher.indexes(INDEX_FIELD, holder),
        "person" if person else "organisation",
        code,
        department,
        seal(cipher, hashes[0], record),
        hashlib.sha256(record).digest()[:16],
        len(plan.fields) - len(fields),
        updated_on,
        notice,
    )


def seal(cipher: FieldCipher, source: bytes, record: bytes) -> bytes:
    """Return a record encrypted for the row named by `source`."""
    return cipher.seal(record, table=TABLE, column=SEALED, row=source.hex())


def seal_number(cipher: FieldCipher, source: bytes, number: str) -> bytes:
    """Return what is kept of a record once a licence says the rest: the number it has at its source."""
    return seal(cipher, source, _to_json({"number": number}).encode())


def open_record(cipher: FieldCipher, source: bytes, sealed: bytes) -> dict[str, Any]:
    """Return what a stored row says."""
    found: dict[str, Any] = json.loads(_open(cipher, source, sealed))
    return found


def seal_anew(cipher: FieldCipher, sealed: bytes, source: bytes, other: bytes) -> bytes:
    """Return a record that is encrypted for the row named by `source` encrypted for the one named by `other`."""
    return seal(cipher, other, _open(cipher, source, sealed))


def _open(cipher: FieldCipher, source: bytes, sealed: bytes) -> bytes:
    return cipher.open(sealed, table=TABLE, column=SEALED, row=source.hex())


def department_of(known: Known, plan: Plan | None, values: Mapping[str, str]) -> str | None:
    """Return the credit code of the department a row comes from, if it issues the type."""
    if plan is None:
        return None
    named = values.get("department", known.department) or (plan.issuing[0] if plan.issuing else None)
    return named if named in plan.issuing else None


def holder_of(text: str, reasons: list[str]) -> tuple[str, bool]:
    """Return the number of a holder as the register has it, and whether it is a person's; add why it is none."""
    try:
        return citizen.check(text), True
    except InvalidNumber:
        try:
            return credit_code.check(text), False
        except InvalidNumber as error:
            reasons.append(f"holder_{error.code}")
            return "", False


def _others(plan: Plan, first: str, text: str, reasons: list[str]) -> list[str]:
    """Return the numbers of the holders beside the first, in their order; add why they cannot stand with him."""
    if not plan.kind.several_holders:
        reasons.append("holders_one")
    found: list[str] = []
    refused: list[str] = []
    for one in filter(None, _BETWEEN_HOLDERS.split(text)):
        number, is_person = holder_of(one, refused)
        if number and not (plan.takes_person if is_person else plan.takes_organisation):
            refused.append("holder_kind")
        found.append(number)
    if not 0 < len(found) < MAX_HOLDERS:
        refused.append("holder_length")
    elif not refused and len({first, *found}) <= len(found):
        refused.append("holder_repeated")
    reasons += dict.fromkeys(f"co_holders_{reason.removeprefix('holder_')}" for reason in refused)
    return found


def day_of(name: str, text: str, reasons: list[str]) -> date | None:
    """Return a date written YYYY-MM-DD or YYYYMMDD (GB/T 36903 allows both); an end may be 长期."""
    if name == "valid_until" and text in LONG_TERM:
        return None
    if _COMPACT.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if not is_date(text):
        reasons.append(name)
        return None
    return date.fromisoformat(text)


def notice_of(text: str | None, reasons: list[str]) -> str | None:
    """Return what is odd about the identifier a source gives: a wrong check digit is noted, never refused."""
    if text is None:
        return None
    if len(text) > _LONGEST_IDENTIFIER or not is_plain(text):
        reasons.append("identifier")
        return None
    return None if identifier.is_valid(text) else "identifier_check"


def _fields(plan: Plan, values: Mapping[str, str], reasons: list[str]) -> dict[str, Any]:
    """Return the fields of the face; nearly every row is all good texts, and takes the quick way."""
    found = {name: values[member] for member, name, _fits in plan.fields if member in values}
    if len(found) == len(plan.fields) == len(values) - len(values.keys() & _BESIDE_FIELDS) and all(
        fits(values[member]) for member, _name, fits in plan.fields
    ):
        return found
    given = {name.removeprefix("field."): text for name, text in values.items() if name.startswith("field.")}
    types = {one.name: one.type for one in plan.kind.fields}
    submitted = {name: value_of(types.get(name), text) for name, text in given.items()}
    try:
        return validate_fields(plan.kind, submitted)
    except FieldsRefusedError as error:
        reasons.extend(f"field{problem.pointer.replace('/', '.')}:{problem.code}" for problem in error.problems)
        return {}


def value_of(kind: FieldType | None, text: str) -> str | int | bool:
    """Return what a field of a type holds where a table has this text; what is no such value comes back as it is."""
    if kind is FieldType.BOOLEAN and text in _YES:
        return _YES[text]
    if kind is FieldType.INTEGER and text.isascii() and text.isdigit() and len(text) <= 16:
        return int(text)
    return text

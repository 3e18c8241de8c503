"""The metadata record of one licence (电子证照元数据): what the department's seal is put on.

GB/T 36903-2018 names the members (English keys as issuing systems write them). The record holds what is true when the
licence is issued; its state is not in it, because a state is read, not sealed. `keys.canonical.canonical_json` of
`record()` gives the bytes, so the record is made of strings, integers, booleans, lists and objects alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from idservice.numbers import citizen, credit_code
from licences.definition import HolderKind, Source
from licences.record_reader import DefinitionError, RecordReader
from licences.surface import Value, is_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from licences.definition import LicenceType

MAX_HOLDERS: Final = 20
MAX_TYPE_VERSION: Final = 1_000_000
#: What stands in certificateExpiringDate where a licence has no end.
LONG_TERM: Final = "长期"

#: Types of holder code (持证主体代码类型) of the GB/T 36903 code list, as far as this house issues to them.
HOLDER_CODE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "001": "统一社会信用代码",
        "111": "公民身份号码",
        "551": "港澳居民居住证",
        "552": "台湾居民居住证",
        "553": "外国人永久居留身份证",
    }
)
_SEXES: Mapping[citizen.Sex, str] = MappingProxyType({citizen.Sex.MALE: "男", citizen.Sex.FEMALE: "女"})


class MetadataError(ValueError):
    """A record that is not a licence's metadata; the message names the member that is wrong."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One holder (持证主体): name, number and the type of that number."""

    name: str
    code: str
    code_type: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuing department (证照颁发机构); `code` is its credit code, `area` its GB/T 2260 region."""

    name: str
    code: str
    area: str


@dataclass(frozen=True, slots=True)
class Changed:
    """When a licence took another version's place (变更时间, whole seconds) and why (变更原因; empty: not said)."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """One licence as its department states it; several holders (co-owners) stand in the order of the licence.

    `valid_until` is the last day, inclusive, None for 长期. `surface` holds the submitted and the derived fields.
    `previous` is the identifier of the version this one replaces, `changed` when and why it did; of the first version
    of one that was collected, the identifier its source gave it. `type_version` is the version of its type's definition
    that it was issued under.
    """

    identifier: str
    number: str
    type_code: str
    type_name: str
    version: int
    holders: tuple[Holder, ...]
    issuer: Issuer
    issued_on: date
    valid_from: date
    valid_until: date | None
    surface: Mapping[str, Value]
    previous: str | None = None
    demonstration: bool = False
    type_version: int = 1
    changed: Changed | None = None

    def record(self) -> dict[str, object]:
        """Return the GB/T 36903 record, ready for `canonical_json`; the same licence always gives the same record."""
        record: dict[str, object] = {
            "certificateName": self.type_name,
            "certificateTypeName": self.type_name,
            "certificateTypeCode": self.type_code,
            "certificateNumber": self.number,
            "certificateIdentifier": self.identifier,
            "certificateVersion": f"{self.version:03d}",
            "certificateIssuingAuthorityName": self.issuer.name,
            "certificateIssuingAuthorityCode": self.issuer.code,
            "certificateAreaCode": self.issuer.area,
            "certificateIssuedDate": self.issued_on.isoformat(),
            "certificateEffectiveDate": self.valid_from.isoformat(),
            "certificateExpiringDate": LONG_TERM if self.valid_until is None else self.valid_until.isoformat(),
            "certificateHolderName": [holder.name for holder in self.holders],
            "certificateHolderCode": [holder.code for holder in self.holders],
            "certificateHolderTypeName": [HOLDER_CODE_TYPES[holder.code_type] for holder in self.holders],
            "certificateHolderTypeCode": [holder.code_type for holder in self.holders],
            "surfaceData": dict(self.surface),
            "demonstration": self.demonstration,
        }
        if self.type_version != 1:
            record["certificateTypeVersion"] = self.type_version
        if self.previous is not None:
            record["associatedCertIdentifier"] = self.previous
        if self.changed is not None:
            record["changeTime"] = self.changed.at.isoformat()
            if self.changed.reason:
                record["changeReason"] = self.changed.reason
        return record


def person(name: str, number: str) -> Holder:
    """Return a natural person as holder; raises `idservice.numbers.fold.InvalidNumber` for a number that is none."""
    found = citizen.parts(number)
    return Holder(name, found.number, citizen.CODE_TYPES[found.kind])


def organisation(name: str, number: str) -> Holder:
    """Return an organisation as holder; raises `idservice.numbers.fold.InvalidNumber` for a code that is none."""
    return Holder(name, credit_code.check(number), "001")


def holder_kind(holder: Holder) -> HolderKind:
    """Return whether a holder is a person or an organisation."""
    return HolderKind.ORGANISATION if holder.code_type == "001" else HolderKind.PERSON


def surface(licence_type: LicenceType, fields: Mapping[str, Value], holder: Holder) -> dict[str, Value]:
    """Return the whole face: `fields` as validated, and what follows from the first holder's number."""
    if not licence_type.derived:
        return dict(fields)
    found = citizen.parts(holder.code)
    derived = {Source.HOLDER_SEX: _SEXES[found.sex], Source.HOLDER_BIRTH_DATE: found.birth_date.isoformat()}
    return {**fields, **{field.name: derived[field.source] for field in licence_type.derived}}


def certificate_number(licence_type: LicenceType, *, holder: Holder, year: int, serial: str) -> str:
    """Return the licence number (证照编号) by the type's pattern."""
    return licence_type.number_pattern.format(holder=holder.code, year=year, serial=serial)


def read(record: object) -> Metadata:
    """Return the metadata that `record` (decoded JSON of what was sealed) states; raises `MetadataError`.

    Strict both ways: `read(m.record()).record() == m.record()`, and a record with a member more, less or of another
    form is refused.
    """
    try:
        return _read(RecordReader(record, "record"))
    except DefinitionError as error:
        raise MetadataError(str(error)) from None


def _read(source: RecordReader) -> Metadata:
    name = source.text("certificateTypeName", 512)
    if source.text("certificateName", 512) != name:
        raise source.wrong("certificateName", "the name of its type")
    found = Metadata(
        identifier=source.text("certificateIdentifier", 128),
        number=source.text("certificateNumber", 128),
        type_code=source.text("certificateTypeCode", 64),
        type_name=name,
        version=_version(source),
        holders=_holders(source),
        issuer=Issuer(
            name=source.text("certificateIssuingAuthorityName", 512),
            code=source.text("certificateIssuingAuthorityCode", 18),
            area=source.text("certificateAreaCode", 6),
        ),
        issued_on=_day(source, "certificateIssuedDate"),
        valid_from=_day(source, "certificateEffectiveDate"),
        valid_until=_last_day(source),
        surface=source.scalars("surfaceData", 100),
        previous=source.text("associatedCertIdentifier", 128) if source.has("associatedCertIdentifier") else None,
        demonstration=source.flag("demonstration"),
        type_version=_type_version(source),
        changed=_changed(source),
    )
    source.close()
    return found


def _type_version(source: RecordReader) -> int:
    """Return the version of the type; the first is never written, so that one licence has one form."""
    name = "certificateTypeVersion"
    return source.number(name, 2, MAX_TYPE_VERSION) if source.has(name) else 1


def _changed(source: RecordReader) -> Changed | None:
    if not source.has("changeTime"):
        return None
    text = source.text("changeTime", 25)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise source.wrong("changeTime", "a time") from None
    if at.utcoffset() is None or at.isoformat() != text:
        raise source.wrong("changeTime", "a time with its offset, in whole seconds")
    return Changed(at, source.text("changeReason", 200) if source.has("changeReason") else "")


def _version(source: RecordReader) -> int:
    text = source.text("certificateVersion", 3)
    if not (len(text) == 3 and text.isascii() and text.isdigit() and text != "000"):
        raise source.wrong("certificateVersion", "three digits from 001")
    return int(text)


def _day(source: RecordReader, name: str) -> date:
    text = source.text(name, 10)
    if not is_date(text):
        raise source.wrong(name, "a date")
    return date.fromisoformat(text)


def _last_day(source: RecordReader) -> date | None:
    text = source.text("certificateExpiringDate", 10)
    if text == LONG_TERM:
        return None
    if not is_date(text):
        raise source.wrong("certificateExpiringDate", f"a date or {LONG_TERM}")
    return date.fromisoformat(text)


def _holders(source: RecordReader) -> tuple[Holder, ...]:
    names = source.texts("certificateHolderName", MAX_HOLDERS, 512)
    codes = source.texts("certificateHolderCode", MAX_HOLDERS, 128)
    types = source.texts("certificateHolderTypeCode", MAX_HOLDERS, 3)
    titles = source.texts("certificateHolderTypeName", MAX_HOLDERS, 64)
    if not names or not len(names) == len(codes) == len(types) == len(titles) or len(set(codes)) != len(codes):
        raise source.wrong("certificateHolderName", "as long as its codes and types, with each holder once")
    if any(HOLDER_CODE_TYPES.get(code_type) != title for code_type, title in zip(types, titles, strict=True)):
        raise source.wrong("certificateHolderTypeCode", "a known type with its name")
    return tuple(Holder(*holder) for holder in zip(names, codes, types, strict=True))

"""A licence type (证照类型) as its authority defines it: one record of the catalogue (证照目录).

GB/T 36902-2018 names the catalogue fields. The type code is the credit code (GB 32100) of the defining authority and a
three-digit serial: 21 characters. The types shipped in `catalogue_data/` belong to a made-up city and say so
(`demonstration`); a real deployment imports its own.
"""

from __future__ import annotations

import calendar
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from licences.surface import Field, FieldType, Value, check_fields


class HolderKind(StrEnum):
    """Who may hold a type (持证者类别): persons, organisations, both, or (其他) the owner of the thing it is about."""

    PERSON = "person"
    ORGANISATION = "organisation"
    MIXED = "mixed"
    OTHER = "other"


class Level(StrEnum):
    """The level of an authority (机构级别)."""

    NATIONAL = "national"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"


class Source(StrEnum):
    """Where a derived field comes from: the holder's number says it, so nobody may submit it."""

    HOLDER_SEX = "holder_sex"
    HOLDER_BIRTH_DATE = "holder_birth_date"


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority that defines a type (证照定义机构)."""

    name: str
    name_en: str
    code: str
    level: Level


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """A matter of government that issues or changes the licence (关联事项)."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class NationalCode:
    """The code (证照类型代码) under which the national catalogue knows the type, and where that code is published."""

    code: str
    source: str


class Layout(StrEnum):
    """The sheet a template is drawn on."""

    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Template:
    """One template of the face (照面模板), by name and sheet."""

    name: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class DerivedField:
    """A field of the face that follows from the holder and is therefore never submitted."""

    name: str
    title: str
    title_en: str
    source: Source


@dataclass(frozen=True, slots=True)
class Card:
    """How a licence looks as a card on a screen: background and ink as `#rrggbb`, and the name of its emblem."""

    colour: str
    ink: str
    emblem: str


@dataclass(frozen=True, slots=True)
class LicenceType:
    """One licence type; `validity_months` None is 长期, `single` means that a holder has at most one in force.

    `number_pattern` is the licence number (证照编号) with `{holder}`, `{year}` and `{serial}` to be filled in.
    """

    code: str
    slug: str
    name: str
    name_en: str
    holder_kind: HolderKind
    validity_months: int | None
    single: bool
    defining_authority: Authority
    issuing_level: Level
    number_pattern: str
    related_items: tuple[RelatedItem, ...]
    fields: tuple[Field, ...]
    derived: tuple[DerivedField, ...]
    card: Card
    demonstration: bool
    national_code: NationalCode | None = None
    templates: tuple[Template, ...] = (Template("standard", Layout.PORTRAIT),)
    sensitive: bool = False  # whatever is done to one but to suspend it takes a second person
    several_holders: bool = False  # holders beside the first (共有人) may stand on it

    def accepts(self, kind: HolderKind) -> bool:
        """Tell whether a holder of `kind` (person or organisation) may hold this type."""
        whole = {HolderKind.MIXED, HolderKind.OTHER}
        return kind not in whole and self.holder_kind in {kind, *whole}

    def last_day(self, valid_from: date) -> date | None:
        """Return the last day of a licence that starts on `valid_from`, inclusive; None is 长期.

        The day is the same day of the month that many months later, as licences print it; 29 February becomes the 28th.
        """
        return None if self.validity_months is None else _add_months(valid_from, self.validity_months)

    @property
    def validity_range(self) -> str:
        """Return 有效期限范围 as the catalogue writes it: 长期, 6年 or 18个月."""
        if self.validity_months is None:
            return "长期"
        years, months = divmod(self.validity_months, 12)
        return f"{self.validity_months}个月" if months else f"{years}年"

    def examples(self) -> dict[str, Value]:
        """Return a submission that is enough to issue one licence of this type to any holder of its kind."""
        return {field.name: field.example for field in self.fields}

    def as_json(self) -> dict[str, object]:
        """Return the public catalogue entry, as `GET /v1/licence-types` lists it."""
        return {
            "code": self.code,
            "name": self.name,
            "name_en": self.name_en,
            "holder_kind": str(self.holder_kind),
            "validity_months": self.validity_months,
            "validity_range": self.validity_range,
            "single": self.single,
            "defining_authority": {
                "name": self.defining_authority.name,
                "name_en": self.defining_authority.name_en,
                "code": self.defining_authority.code,
                "level": str(self.defining_authority.level),
            },
            "issuing_level": str(self.issuing_level),
            "related_items": [{"code": item.code, "name": item.name} for item in self.related_items],
            "fields": [_field_json(place, field) for place, field in enumerate(self.fields, 1)],
            "derived_fields": [{"name": d.name, "title": d.title, "title_en": d.title_en} for d in self.derived],
            "templates": [{"name": template.name, "layout": str(template.layout)} for template in self.templates],
            "national_code": None if self.national_code is None else asdict(self.national_code),
            "sensitive": self.sensitive,
            "several_holders": self.several_holders,
            "demonstration": self.demonstration,
        }


def validate_fields(licence_type: LicenceType, submitted: object) -> dict[str, Value]:
    """Return `submitted` in face order once it fits; raises `surface.FieldsRefusedError` with every problem found."""
    return check_fields(licence_type.fields, submitted)


def _add_months(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _field_json(place: int, field: Field) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": field.name,
        "order": place,
        "title": field.title,
        "title_en": field.title_en,
        "type": str(field.type),
        "required": field.required,
        "example": field.example,
    }
    if field.type in {FieldType.STRING, FieldType.ENUM}:
        entry["max_length"] = field.max_length
    return {**entry, "choices": list(field.choices)} if field.choices else entry

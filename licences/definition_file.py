"""Reading the definition of a licence type from JSON, and the types shipped for the demonstration city.

GB/T 36902-2018 for the members. A definition is read whole or not at all: its own examples must pass its own check.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

from idservice.numbers import credit_code
from licences.definition import (
    Authority,
    Card,
    DerivedField,
    HolderKind,
    Layout,
    Level,
    LicenceType,
    NationalCode,
    RelatedItem,
    Source,
    Template,
)
from licences.record_reader import DefinitionError, RecordReader
from licences.surface import Field, FieldType, Mask, find_problem

MAX_FIELDS: Final = 64
MAX_LENGTH: Final = 2_000
#: What a field of a fixed form may measure at most, so that a definition need not say it.
_DEFAULT_LENGTH: Final = 100
_MAX_MONTHS: Final = 1_200
_MAX_TEMPLATES: Final = 10
_TEMPLATES: Final = (Template("standard", Layout.PORTRAIT),)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SERIAL = re.compile(r"[0-9]{3}")
_NATIONAL = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_PLACEHOLDERS = frozenset({"holder", "year", "serial"})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@cache
def shipped_types() -> tuple[LicenceType, ...]:
    """Return the licence types of the demonstration city by code; raises `DefinitionError` where a file is wrong."""
    folder = files("licences") / "catalogue_data"
    texts = [entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json")]
    found = [parse_type(json.loads(text)) for text in texts]
    if len({entry.code for entry in found}) != len(found) or len({entry.slug for entry in found}) != len(found):
        raise DefinitionError("two licence types share a code or a slug")
    return tuple(sorted(found, key=lambda entry: entry.code))


def parse_type(data: object) -> LicenceType:
    """Read one definition from decoded JSON; raises `DefinitionError` on what is missing, unknown or contradictory."""
    source = RecordReader(data, "type")
    found = LicenceType(
        code=source.text("code", 21),
        slug=source.text("slug", 40),
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        holder_kind=source.choice("holder_kind", HolderKind),
        validity_months=source.number("validity_months", 1, _MAX_MONTHS) if source.has("validity_months") else None,
        single=source.flag("single"),
        defining_authority=_parse_authority(source.inner("defining_authority")),
        issuing_level=source.choice("issuing_level", Level),
        number_pattern=source.text("number_pattern", 100),
        related_items=tuple(_parse_related_item(item) for item in source.several("related_items", 20)),
        fields=tuple(_parse_field(item) for item in source.several("fields", MAX_FIELDS)),
        derived=tuple(_parse_derived(item) for item in source.several("derived", MAX_FIELDS)),
        card=_parse_card(source.inner("card")),
        demonstration=source.flag("demonstration"),
        national_code=_parse_national_code(source.inner("national_code")) if source.has("national_code") else None,
        templates=_parse_templates(source),
        sensitive=source.has("sensitive") and source.flag("sensitive"),
        several_holders=source.has("several_holders") and source.flag("several_holders"),
    )
    source.close()
    _check_codes(found)
    _check_names(found)
    return found


def _check_codes(found: LicenceType) -> None:
    authority, serial = found.code[:18], found.code[18:]
    if authority != found.defining_authority.code or not _SERIAL.fullmatch(serial):
        raise DefinitionError("type.code is not the defining authority's code and a three-digit serial")
    if credit_code.normalise(authority) != authority or not credit_code.is_valid(authority):
        raise DefinitionError("type.defining_authority.code is not a credit code")
    placeholders = set(_PLACEHOLDER.findall(found.number_pattern))
    if re.search(r"[{}]", _PLACEHOLDER.sub("", found.number_pattern)) or not placeholders <= _PLACEHOLDERS:
        raise DefinitionError("type.number_pattern has an unknown placeholder")
    if not placeholders & {"holder", "serial"}:
        raise DefinitionError("type.number_pattern gives every licence the same number")


def _check_names(found: LicenceType) -> None:
    names = [field.name for field in found.fields] + [field.name for field in found.derived]
    if not found.fields or len(set(names)) != len(names):
        raise DefinitionError("type.fields are none, or two share a name")
    if not all(_NAME.fullmatch(name) for name in (found.slug, *names)):
        raise DefinitionError("type.slug and field names are lower-case words joined by underscores")
    if found.derived and found.holder_kind is not HolderKind.PERSON:
        raise DefinitionError("type.derived: only a person's number tells sex and birth date")


def _parse_authority(source: RecordReader) -> Authority:
    found = Authority(
        name=source.text("name", 256),
        name_en=source.text("name_en", 256),
        code=source.text("code", 18),
        level=source.choice("level", Level),
    )
    source.close()
    return found


def _parse_national_code(source: RecordReader) -> NationalCode:
    found = NationalCode(code=source.text("code", 21), source=source.text("source", 256))
    source.close()
    if not _NATIONAL.fullmatch(found.code):
        raise source.wrong("code", "18 characters of the authority and a three-digit serial")
    return found


def _parse_templates(source: RecordReader) -> tuple[Template, ...]:
    if not source.has("templates"):
        return _TEMPLATES
    found = tuple(_parse_template(item) for item in source.several("templates", _MAX_TEMPLATES))
    if not found or len({template.name for template in found}) != len(found):
        raise source.wrong("templates", "a list of one or more templates of different names")
    return found


def _parse_template(source: RecordReader) -> Template:
    found = Template(name=source.text("name", 40), layout=source.choice("layout", Layout))
    source.close()
    if not _NAME.fullmatch(found.name):
        raise source.wrong("name", "a word in lower case")
    return found


def _parse_related_item(source: RecordReader) -> RelatedItem:
    found = RelatedItem(code=source.text("code", 64), name=source.text("name", 256))
    source.close()
    return found


def _parse_derived(source: RecordReader) -> DerivedField:
    found = DerivedField(
        name=source.text("name", 40),
        title=source.text("title", 100),
        title_en=source.text("title_en", 100),
        source=source.choice("source", Source),
    )
    source.close()
    return found


def _parse_card(source: RecordReader) -> Card:
    found = Card(colour=source.text("colour", 7), ink=source.text("ink", 7), emblem=source.text("emblem", 40))
    source.close()
    if not (_COLOUR.fullmatch(found.colour) and _COLOUR.fullmatch(found.ink)):
        raise source.wrong("colour", "a colour #rrggbb in lower case, as its ink is")
    return found


def _parse_field(source: RecordReader) -> Field:
    found = Field(
        name=source.text("name", 40),
        title=source.text("title", 100),
        title_en=source.text("title_en", 100),
        type=source.choice("type", FieldType),
        required=source.flag("required"),
        example=source.scalar("example"),
        max_length=source.number("max_length", 1, MAX_LENGTH) if source.has("max_length") else _DEFAULT_LENGTH,
        choices=source.texts("choices", 100, _DEFAULT_LENGTH) if source.has("choices") else (),
        mask=source.choice("mask", Mask) if source.has("mask") else Mask.NONE,
    )
    source.close()
    if len(set(found.choices)) != len(found.choices):
        raise source.wrong("choices", "a list of different choices")
    if bool(found.choices) is not (found.type is FieldType.ENUM):
        raise source.wrong("choices", "what an enum has, and only an enum")
    if (problem := find_problem(found, found.example)) is not None:
        raise DefinitionError(f"{source.where}.example: {problem.message}")
    return found

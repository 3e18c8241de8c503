import copy
import json
import random
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from idservice.numbers import citizen, credit_code, regions
from licences import definition_file, metadata
from licences.definition import HolderKind, validate_fields
from licences.definition_file import parse_type, shipped_types
from licences.record_reader import DefinitionError

FOLDER = Path(str(files("licences") / "catalogue_data"))
GOOD: dict[str, Any] = json.loads((FOLDER / "resident_card.json").read_text("utf-8"))
EVERY_TYPE = sorted(shipped_types(), key=lambda of: of.slug)


def test_the_city_has_the_types_of_a_city() -> None:
    assert len(shipped_types()) >= 60
    assert {of.slug for of in shipped_types()} >= {
        *("resident_card", "business_licence", "driving_licence", "real_estate_title", "disability_card"),
        *("institution_certificate", "marriage_certificate", "household_register", "vocational_qualification"),
        *("food_permit", "road_transport_permit", "birth_certificate"),
    }
    assert {of.holder_kind for of in shipped_types()} == set(HolderKind) - {HolderKind.OTHER}
    assert {of.single for of in shipped_types()} == {of.several_holders for of in shipped_types()} == {True, False}
    assert len({of.name for of in shipped_types()}) == len({of.name_en for of in shipped_types()}) == len(EVERY_TYPE)


def test_national_codes_are_few_and_say_where_they_are_from() -> None:
    """A code of the national catalogue is a published fact; the code that licences bear is the demonstration's own."""
    known = {of.slug: of.national_code for of in EVERY_TYPE if of.national_code is not None}
    assert {slug: found.code for slug, found in known.items()} == {
        "real_estate_title": "11100000MB03271699001",
        "registration_proof": "11100000MB03271699022",
        "second_class_constructor": "11100000000013338W001",
        "construction_safety_officer": "11100000000013338W011",
        "construction_special_operation": "11100000000013338W032",
    }
    for found in known.values():
        assert credit_code.is_valid(found.code[:18])
        assert found.source


def test_codes_are_valid_and_marked_as_demonstration() -> None:
    for of in EVERY_TYPE:
        assert len(of.code) == 21, of.slug
        assert credit_code.is_valid(of.code[:18]), of.slug
        assert regions.name(of.code[2:8]) is None, of.slug
        assert of.demonstration, of.slug
        assert "演示" in of.defining_authority.name, of.slug


def test_examples_are_enough_to_issue_one() -> None:
    for of in EVERY_TYPE:
        assert validate_fields(of, of.examples()) == of.examples(), of.slug
        required = {field.name: field.example for field in of.fields if field.required}
        assert validate_fields(of, required) == required, of.slug


def test_examples_name_no_holder() -> None:
    """An example holds for any holder: what follows from the holder's number is derived, never submitted."""
    for of in EVERY_TYPE:
        names = {field.name for field in of.fields}
        assert not names & {"name", "sex", "birth_date", "number", "credit_code", "holder_name"}, of.slug
        numbers = [value for value in of.examples().values() if citizen.is_valid(str(value))]
        assert all(number.startswith("3799") for number in map(str, numbers)), of.slug


def test_the_catalogue_entry_is_json_with_every_member_of_the_standard() -> None:
    for of in EVERY_TYPE:
        entry = json.loads(json.dumps(of.as_json()))
        assert entry.keys() >= {
            *("code", "name", "name_en", "holder_kind", "single", "fields", "validity_range", "related_items"),
            *("defining_authority", "issuing_level", "templates", "national_code", "sensitive", "several_holders"),
        }, of.slug
        assert [field["order"] for field in entry["fields"]] == list(range(1, len(of.fields) + 1)), of.slug
        for field in entry["fields"]:
            assert {"name", "title", "title_en", "type", "required", "example"} <= field.keys(), of.slug


def test_white_is_legible_on_every_card() -> None:
    """WCAG 2.2 contrast of at least 4.5."""
    for of in EVERY_TYPE:
        parts = [int(of.card.colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5, of.slug
        assert of.card.ink == "#ffffff", of.slug


def test_who_may_hold_it() -> None:
    for of in EVERY_TYPE:
        assert of.accepts(HolderKind.PERSON) is (of.holder_kind is not HolderKind.ORGANISATION), of.slug
        assert of.accepts(HolderKind.ORGANISATION) is (of.holder_kind is not HolderKind.PERSON), of.slug
        assert not of.accepts(HolderKind.MIXED), of.slug


def test_numbers_differ_between_licences() -> None:
    one = metadata.person("王小明", "11010519491231002X")
    other = metadata.person("李小明", "440524188001010014")
    for of in EVERY_TYPE:
        numbers = {
            metadata.certificate_number(of, holder=one, year=2026, serial="0001"),
            metadata.certificate_number(of, holder=other, year=2026, serial="0002"),
        }
        assert len(numbers) == 2, of.slug
        assert not any("{" in number for number in numbers), of.slug


def test_how_long_it_lasts_in_words() -> None:
    kind = parse_type(GOOD)
    told = {months: replace(kind, validity_months=months).validity_range for months in (None, 12, 18, 240)}
    assert told == {None: "长期", 12: "1年", 18: "18个月", 240: "20年"}


def changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    *folders, last = path.split(".")
    place: Any = data
    for folder in folders:
        place = place[int(folder)] if folder.isdigit() else place[folder]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("code", ...),
        ("code", "11379900DM0001016L01"),
        ("code", "11379900DM0001016L00X"),
        ("code", "11379900DM0001024F001"),
        ("defining_authority.code", "11379900DM0001016M"),
        ("slug", "Resident-Card"),
        ("name", ""),
        ("name", "居民\u202e身份证"),
        ("holder_kind", "people"),
        ("holder_kind", "organisation"),
        ("validity_months", 0),
        ("validity_months", True),
        ("validity_months", "240"),
        ("single", 1),
        ("issuing_level", "moon"),
        ("number_pattern", "{holder.name}"),
        ("number_pattern", "{holder!r}"),
        ("number_pattern", "{"),
        ("number_pattern", "{year}"),
        ("number_pattern", "A"),
        ("related_items", {}),
        ("related_items", ["x"]),
        ("fields", []),
        ("fields.0.name", "Ethnicity"),
        ("fields.0.name", "address"),
        ("fields.0.name", "sex"),
        ("fields.0.type", "text"),
        ("fields.0.example", "火星族"),
        ("fields.0.example", None),
        ("fields.0.choices", []),
        ("fields.0.choices", ["汉族", "汉族"]),
        ("fields.0.choices", ["汉族", 1]),
        ("fields.1.choices", ["甲"]),
        ("fields.1.max_length", 0),
        ("fields.1.max_length", 3),
        ("fields.1.max_length", 10**9),
        ("fields.1.mask", "blur"),
        ("fields.1.colour", "red"),
        ("derived.0.source", "holder_income"),
        ("card.colour", "red"),
        ("card.ink", "#FFFFFF"),
        ("demonstration", "yes"),
        ("extra", 1),
        ("national_code", {"code": "X", "source": "y"}),
        ("templates", []),
        ("templates", [{"name": "a", "layout": "card"}, {"name": "a", "layout": "portrait"}]),
        ("templates", [{"name": "a", "layout": "round"}]),
        ("sensitive", "yes"),
        ("several_holders", 1),
    ],
)
def test_definitions_that_contradict_themselves(path: str, value: Any) -> None:
    assert parse_type(GOOD)
    with pytest.raises(DefinitionError):
        parse_type(changed(path, value))


@pytest.mark.parametrize("data", [None, [], "x", 1, {}, {1: 2}])
def test_what_is_no_definition(data: object) -> None:
    with pytest.raises(DefinitionError):
        parse_type(data)


def test_mutants_are_read_or_refused_but_never_crash() -> None:
    rng = random.Random(36902)
    text = json.dumps(GOOD)
    junk: list[Any] = [None, 0, -1, 1.5, "", "x" * 5_000, [], {}, [[]], True, "{", "\ud800"]
    for _ in range(2_000):
        data = json.loads(text)
        place: Any = data
        while True:
            key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
            if not (isinstance(place[key], dict | list) and place[key] and rng.random() < 0.7):
                break
            place = place[key]
        place[key] = rng.choice(junk)
        try:
            parse_type(data)
        except DefinitionError:
            continue


def test_a_code_stands_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "catalogue_data"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.json").write_text(json.dumps(GOOD), "utf-8")
    monkeypatch.setattr(definition_file, "files", lambda _package: tmp_path)
    with pytest.raises(DefinitionError, match="share"):
        definition_file.shipped_types.__wrapped__()

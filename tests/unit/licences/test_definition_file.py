import copy
import json
import random
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from idservice.numbers import citizen, credit_code
from licences import definition_file, metadata
from licences.definition import HolderKind, LicenceType, validate_fields
from licences.definition_file import parse_type, shipped_types
from licences.record_reader import DefinitionError

FOLDER = Path(str(files("licences") / "catalogue_data"))
GOOD: dict[str, Any] = json.loads((FOLDER / "resident_card.json").read_text("utf-8"))
EVERY_TYPE = pytest.mark.parametrize("of", shipped_types(), ids=lambda of: of.slug)


def test_the_city_has_twelve_types_of_different_kinds() -> None:
    assert {of.slug for of in shipped_types()} == {
        *("resident_card", "business_licence", "driving_licence", "real_estate_title", "disability_card"),
        *("institution_certificate", "marriage_certificate", "household_register", "vocational_qualification"),
        *("food_permit", "road_transport_permit", "birth_certificate"),
    }
    assert {of.holder_kind for of in shipped_types()} == set(HolderKind)
    assert {of.single for of in shipped_types()} == {True, False}


@EVERY_TYPE
def test_codes_are_valid_and_marked_as_demonstration(of: LicenceType) -> None:
    assert len(of.code) == 21
    assert credit_code.is_valid(of.code[:18])
    assert of.demonstration
    assert "演示" in of.defining_authority.name


@EVERY_TYPE
def test_examples_are_enough_to_issue_one(of: LicenceType) -> None:
    assert validate_fields(of, of.examples()) == of.examples()
    required = {field.name: field.example for field in of.fields if field.required}
    assert validate_fields(of, required) == required


@EVERY_TYPE
def test_examples_name_no_holder(of: LicenceType) -> None:
    """An example holds for any holder: what follows from the holder's number is derived, never submitted."""
    names = {field.name for field in of.fields}
    assert not names & {"name", "sex", "birth_date", "number", "credit_code", "holder_name"}
    numbers = [value for value in of.examples().values() if citizen.is_valid(str(value))]
    assert all(number.startswith("3799") for number in map(str, numbers))


@EVERY_TYPE
def test_the_catalogue_entry_is_json(of: LicenceType) -> None:
    entry = json.loads(json.dumps(of.as_json()))
    assert {"code", "name", "name_en", "holder_kind", "single", "fields"} <= entry.keys()
    for field in entry["fields"]:
        assert {"name", "title", "type", "required", "example"} <= field.keys()


@EVERY_TYPE
def test_who_may_hold_it(of: LicenceType) -> None:
    assert of.accepts(HolderKind.PERSON) is (of.holder_kind is not HolderKind.ORGANISATION)
    assert of.accepts(HolderKind.ORGANISATION) is (of.holder_kind is not HolderKind.PERSON)
    assert not of.accepts(HolderKind.MIXED)


@EVERY_TYPE
def test_numbers_differ_between_licences(of: LicenceType) -> None:
    one = metadata.person("王小明", "11010519491231002X")
    other = metadata.person("李小明", "440524188001010014")
    numbers = {
        metadata.certificate_number(of, holder=one, year=2026, serial="0001"),
        metadata.certificate_number(of, holder=other, year=2026, serial="0002"),
    }
    assert len(numbers) == 2
    assert not any("{" in number for number in numbers)


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

import copy
import json
from importlib.resources import files
from typing import Any

import pytest

from licences.counter.matter_definition import GENERIC_FIELDS, Way, parse_matter, shipped_matters
from licences.definition import HolderKind
from licences.definition_file import shipped_types
from licences.demo.departments import make_departments
from licences.record_reader import DefinitionError

TYPES = {of.code: of for of in shipped_types()}
GOOD: dict[str, Any] = json.loads((files("licences.counter") / "data" / "power_connection.json").read_text("utf-8"))


def test_the_city_has_matters_for_people_and_organisations() -> None:
    matters = shipped_matters()
    assert len(matters) >= 40
    assert {matter.subject_kind for matter in matters} == {HolderKind.PERSON, HolderKind.ORGANISATION}
    assert [matter.code for matter in matters] == sorted(matter.code for matter in matters)
    assert {way for matter in matters for proof in matter.proofs for way in proof.ways} == set(Way)
    assert len({matter.name for matter in matters}) == len(matters), "a clerk finds a matter by its name"


def test_a_unit_is_named_as_the_department_it_is() -> None:
    staff: Any = (None,) * 100
    names = {entry.name: entry.credit_code for entry in make_departments(staff)}
    units = {matter.unit: matter.unit_code for matter in shipped_matters() if matter.unit_code is not None}
    assert len(units) >= 6
    assert units.items() <= names.items()
    assert any(matter.grounds for matter in shipped_matters())


def test_a_matter_asks_for_less_than_the_whole_face() -> None:
    for matter, proof in ((one, proof) for one in shipped_matters() for proof in one.proofs):
        assert proof.issuing_unit, matter.code
        if proof.type_code is not None:
            of = TYPES[proof.type_code]
            whole = GENERIC_FIELDS | {field.name for field in (*of.fields, *of.derived)}
            assert set(proof.fields) < whole, matter.code


def test_the_public_entry_is_json() -> None:
    for matter in shipped_matters():
        entry = json.loads(json.dumps(matter.as_json()))
        assert {"code", "name", "proofs"} <= entry.keys()
        assert all({"proof", "name", "type", "ways", "fields"} <= proof.keys() for proof in entry["proofs"])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("code", "dm m"),
        ("name", ""),
        ("subject_kind", "animal"),
        ("subject_kind", "organisation"),
        ("subject_kind", "mixed"),
        ("proofs", []),
        ("proofs", [GOOD["proofs"][0], GOOD["proofs"][0]]),
        ("demonstration", None),
        ("more", 1),
        ("proofs.proof", "Identity"),
        ("proofs.type", "11379900DM0001016L999"),
        ("proofs.ways", []),
        ("proofs.ways", ["paper"]),
        ("proofs.ways", ["licence", "licence"]),
        ("proofs.fields", []),
        ("proofs.fields", ["holder_name", "holder_name"]),
        ("proofs.fields", ["vehicle_class"]),
        ("proofs.fields", "holder_name"),
        ("proofs.required", 1),
        ("proofs.more", 1),
        ("proofs.type", None),
        ("proofs.ways", ["cancelled", "licence"]),
        ("proofs.ways", ["cancelled"]),
        ("proofs.ways", ["licence", "department_check"]),
        ("proofs.ways", ["licence", "commitment"]),
        ("proofs.days", 3),
        ("proofs.commitment", "没有人要的承诺"),
        ("unit_code", "1" * 18),
        ("grounds", [{"code": "A-1", "law": "法", "article": "第一条"}]),
        ("in_force", 1),
    ],
)
def test_matters_that_are_refused(member: str, value: Any) -> None:
    assert parse_matter(GOOD, TYPES)
    data = copy.deepcopy(GOOD)
    folder, _, name = member.rpartition(".")
    place = data["proofs"][0] if folder else data
    place[name] = value
    with pytest.raises(DefinitionError):
        parse_matter(data, TYPES)


def test_a_proof_without_a_licence_is_compared_with_the_registers() -> None:
    data = copy.deepcopy(GOOD)
    data["proofs"][0] |= {"type": None, "ways": ["data_check"], "fields": ["holder_name", "phone"]}
    found = parse_matter(data, TYPES)
    assert (found.proofs[0].type_code, found.fields >= {"phone"}) == (None, True)
    assert found.types == {proof["type"] for proof in GOOD["proofs"][1:]}
    data["proofs"][0]["fields"] = ["ethnicity"]
    with pytest.raises(DefinitionError):
        parse_matter(data, TYPES)


def test_a_matter_reads_back_as_it_is_stored() -> None:
    for matter in shipped_matters():
        assert parse_matter(json.loads(json.dumps(matter.definition())), TYPES) == matter
        assert matter.entered_as(3).as_json() == {**matter.definition(), "version": 3}

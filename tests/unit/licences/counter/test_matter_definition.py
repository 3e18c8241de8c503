import copy
import json
from importlib.resources import files
from typing import Any

import pytest

from licences.counter.matter_definition import GENERIC_FIELDS, Matter, Way, parse_matter, shipped_matters
from licences.definition import HolderKind
from licences.definition_file import shipped_types
from licences.record_reader import DefinitionError

TYPES = {of.code: of for of in shipped_types()}
GOOD: dict[str, Any] = json.loads((files("licences.counter") / "data" / "power_connection.json").read_text("utf-8"))
EVERY_MATTER = pytest.mark.parametrize("matter", shipped_matters(), ids=lambda matter: matter.code)


def test_the_city_has_matters_for_people_and_organisations() -> None:
    assert len(shipped_matters()) >= 6
    assert {matter.subject_kind for matter in shipped_matters()} == {HolderKind.PERSON, HolderKind.ORGANISATION}
    assert [matter.code for matter in shipped_matters()] == sorted(matter.code for matter in shipped_matters())


def test_every_type_is_asked_for_by_some_matter() -> None:
    assert {proof.type_code for matter in shipped_matters() for proof in matter.proofs} == set(TYPES)


@EVERY_MATTER
def test_a_matter_asks_for_less_than_the_whole_face(matter: Matter) -> None:
    for proof in matter.proofs:
        of = TYPES[proof.type_code]
        assert proof.ways == (Way.LICENCE,)
        assert set(proof.fields) < GENERIC_FIELDS | {field.name for field in (*of.fields, *of.derived)}


@EVERY_MATTER
def test_the_public_entry_is_json(matter: Matter) -> None:
    entry = json.loads(json.dumps(matter.as_json()))
    assert {"code", "name", "proofs"} <= entry.keys()
    for proof in entry["proofs"]:
        assert {"proof", "name", "type", "ways", "fields"} <= proof.keys()


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

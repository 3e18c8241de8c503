"""Made-up types are good definitions, marked as made up, and the same again for the same arguments."""

import json
from dataclasses import asdict

import pytest

from licences.catalogue_generator import MOST, generate
from licences.definition import validate_fields
from licences.definition_file import parse_type, shipped_types


def test_the_rest_of_a_citys_types_can_be_made_up() -> None:
    taken = {kind.code for kind in shipped_types()} | {kind.slug for kind in shipped_types()}
    made = generate(546 - len(shipped_types()), seed=7, taken=taken)
    assert len({kind.code for kind in made} | {kind.code for kind in shipped_types()}) == 546
    assert len({kind.name for kind in made}) == len(made)
    for kind in made:
        assert parse_type(json.loads(json.dumps(asdict(kind)))) == kind
        assert validate_fields(kind, kind.examples())
        assert kind.demonstration
        assert "演示" in kind.name


def test_the_same_arguments_give_the_same_types() -> None:
    assert generate(20, seed=1) == generate(20, seed=1) != generate(20, seed=2)
    left = generate(MOST - 20, seed=3, taken=[kind.slug for kind in generate(20, seed=1)])
    assert not {kind.code for kind in left} & {kind.code for kind in generate(20, seed=1)}


@pytest.mark.parametrize("count", [-1, MOST + 1])
def test_no_more_than_there_are(count: int) -> None:
    with pytest.raises(ValueError, match="made up"):
        generate(count, seed=1)

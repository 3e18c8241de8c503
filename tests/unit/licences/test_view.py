"""What each reader sees: whole for holder and issuer, masked for a counter, only what was chosen."""

import pytest

from licences import artefacts, view
from licences.change import find
from licences.surface import Mask
from tests.town import AGENT, ALICE, COMPANY, Town, type_of


@pytest.fixture(scope="module")
def marriage(town: Town) -> str:
    return town.issue("marriage_certificate").identifier


def test_the_whole_is_what_was_submitted(town: Town, marriage: str) -> None:
    found = town.act(lambda call: view.whole(call, find(call, marriage)))
    assert found["fields"] == type_of("marriage_certificate").examples()
    assert found["holder"] == {"name": "王小明", "number": ALICE}


@pytest.mark.parametrize("slug", ["marriage_certificate", "birth_certificate", "disability_card", "resident_card"])
def test_a_face_masks_every_field_that_has_a_mask(town: Town, slug: str) -> None:
    kind = type_of(slug)
    code = town.issue(slug, AGENT).identifier
    face = town.act(lambda call: view.face(call, find(call, code), clear=()))
    for field in kind.fields:
        if field.mask is Mask.NONE:
            assert face["fields"][field.name] == field.example
        else:
            assert face["fields"][field.name] != field.example
            assert "*" in face["fields"][field.name]
    assert face["holder"] == {"name": "李**", "number": f"371***********{AGENT[-4:]}"}
    derived = {field.name for field in kind.derived}
    assert derived <= face["fields"].keys()


def test_chosen_fields_are_clear_and_the_rest_is_left_out(town: Town, marriage: str) -> None:
    chosen = {"spouse_name", "holder_number"}
    face = town.act(lambda call: view.face(call, find(call, marriage), clear=chosen, only=chosen))
    assert face["fields"] == {"spouse_name": "王示例"}
    assert face["holder"] == {"name": "王**", "number": ALICE}


def test_a_summary_says_nothing_of_the_holder(town: Town, marriage: str) -> None:
    summary = town.act(lambda call: view.summary(call, find(call, marriage)))
    text = str(summary)
    assert not any(secret in text for secret in (ALICE, "王小明", "王示例", town.subjects[ALICE]))


def test_the_name_of_an_organisation_is_public(town: Town) -> None:
    code = town.issue("food_permit", COMPANY).identifier
    face = town.act(lambda call: view.face(call, find(call, code), clear=()))
    assert face["holder"]["name"] == "滨州示范食品有限公司"


def test_generic_fields_are_shown_and_unknown_ones_are_not(town: Town, marriage: str) -> None:
    def shown(name: str) -> object:
        def deed(call: object) -> object:
            licence = find(call, marriage)  # type: ignore[arg-type]
            metadata = artefacts.open_record(call, licence).metadata  # type: ignore[arg-type]
            return view.shown(call, metadata, licence, name, clear=())  # type: ignore[arg-type]

        return town.act(deed)

    assert shown("state") == "valid"
    assert shown("valid_until") == "长期"
    assert shown("certificate_number")
    assert shown("no_such_field") is None

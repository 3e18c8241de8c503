"""Who answers for a proof, and what is shown of whom a case is about."""

from dataclasses import replace

import pytest

from idservice.errors import Problem
from licences.counter import case_log, case_parties
from tests import cases
from tests.town import ALICE, CIVIL, COMPANY, NAMES, SECURITY, STRANGER, Town


def test_the_named_unit_answers_else_the_issuer_else_the_asking_unit_itself(town: Town) -> None:
    proof = cases.matter().proofs[0]
    wanted = {
        CIVIL: replace(proof, issuing_unit=NAMES[CIVIL]),
        SECURITY: replace(proof, issuing_unit=SECURITY),
        "elsewhere": replace(proof, issuing_unit="别的市民政局", type_code=None),
    }
    found = {
        unit: town.act(lambda call, p=p: case_parties.answering(call, p, "elsewhere")) for unit, p in wanted.items()
    }
    assert all(unit == answering for unit, answering in found.items())
    by_type = replace(proof, issuing_unit="别的市公安局")
    assert town.act(lambda call: case_parties.answering(call, by_type, CIVIL)) == SECURITY


def test_a_holder_is_masked_unless_he_is_to_be_read_and_a_company_has_a_public_name(town: Town) -> None:
    def read(call: object) -> list[dict[str, str]]:
        subjects = [town.subjects[number] for number in (ALICE, COMPANY)]
        return [case_parties.holder(call, one, clear=clear) for one in subjects for clear in (False, True)]

    masked, clear, company, _whole = town.act(read)
    assert (masked["name"], clear) == ("王**", {"name": "王小明", "number": ALICE})
    assert company["name"] == "滨州示范食品有限公司"
    assert COMPANY not in company["number"]


def test_numbers_names_and_reasons_that_are_none(town: Town) -> None:
    for number in (STRANGER, "x", "37160219790101221X"):
        assert town.act(lambda call, n=number: case_parties.subject_of_number(call, n)) is None, number
    assert town.act(lambda call: case_log.subject_of(call, "no-number")) is None
    assert town.act(lambda call: case_parties.named(call, "gone", "proof")).matter == ("gone", "gone")
    for reason in (None, "", "  "):
        with pytest.raises(Problem, match="invalid"):
            case_log.demand_reason(reason)

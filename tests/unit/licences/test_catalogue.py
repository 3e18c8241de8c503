"""Who issues what, and who may issue for whom."""

import pytest

from idservice.call import Call, Caller
from idservice.errors import Problem
from licences import catalogue
from licences.models import LicenceType
from tests.town import CIVIL, SECURITY, Town, type_of

MACHINE = Caller(channel="api", client_id="c", departments=frozenset({SECURITY}))
OFFICER = Caller(channel="page", person="p", posts=frozenset({("officer", SECURITY)}))
CLERK = Caller(channel="page", person="p", posts=frozenset({("clerk", SECURITY)}))
CITIZEN = Caller(channel="page", person="p")


@pytest.mark.parametrize(
    ("caller", "own", "other"),
    [(MACHINE, True, False), (OFFICER, True, False), (CLERK, False, False), (CITIZEN, False, False)],
)
def test_a_system_or_an_officer_issues_for_his_department(town: Town, caller: Caller, own: bool, other: bool) -> None:
    assert town.act(lambda call: catalogue.is_issuer(call, SECURITY), caller=caller) is own
    assert town.act(lambda call: catalogue.is_issuer(call, CIVIL), caller=caller) is other


@pytest.mark.parametrize(
    ("caller", "slug", "department"),
    [(CLERK, "resident_card", None), (OFFICER, "marriage_certificate", None), (OFFICER, "resident_card", CIVIL)],
)
def test_a_type_is_issued_by_its_authority_alone(town: Town, caller: Caller, slug: str, department: str | None) -> None:
    entry = town.act(lambda call: catalogue.find(call, type_of(slug).code))
    with pytest.raises(Problem) as refused:
        town.act(lambda call: catalogue.authority(call, entry, department), caller=caller)
    assert refused.value.code == "forbidden"


def test_an_unknown_type_is_not_found(town: Town) -> None:
    with pytest.raises(Problem) as refused:
        town.act(lambda call: catalogue.find(call, "1" * 21))
    assert refused.value.code == "not_found"


def test_a_type_that_was_changed_is_read_anew_and_the_others_are_not(town: Town) -> None:
    def read(call: Call) -> dict[str, catalogue.Entry]:
        catalogue.forget(call)
        return catalogue.entries(call)

    def rename(name: str) -> None:
        def deed(call: Call) -> None:
            row = call.session.get_one(LicenceType, changed)
            row.definition = {**row.definition, "name_en": name}

        town.act(deed)

    before = town.act(read)
    changed, other = list(before)[:2]
    rename("Another name")
    after = town.act(read)
    rename(before[changed].type.name_en)
    assert after[changed].type.name_en == "Another name" != before[changed].type.name_en
    assert after[other].type is before[other].type
    assert town.act(read)[changed].type == before[changed].type

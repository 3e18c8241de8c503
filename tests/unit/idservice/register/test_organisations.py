import pytest
from sqlalchemy import func, select

from idservice.call import House
from idservice.errors import Problem
from idservice.models import AuditEntry, Organisation, SubjectIndex
from idservice.register import organisations, people
from tests.builders import act
from tests.identity import ALICE, COMPANY, company_code


def enrol(house: House, code: str = COMPANY, name: str = "滨州示范食品有限公司") -> str:
    return act(house, lambda call: organisations.enrol(call, code=code, name=name))


def test_an_organisation_is_found_by_code_and_read_by_subject(house: House) -> None:
    subject = enrol(house)
    assert act(house, lambda call: people.find_kind(call, COMPANY)) == (subject, "organisation")
    found = act(house, lambda call: organisations.facts(call, subject))
    assert found is not None
    assert (found.credit_code, found.name, found.status) == (COMPANY, "滨州示范食品有限公司", "active")
    assert act(house, lambda call: organisations.facts(call, "0" * 32)) is None


@pytest.mark.parametrize("again", [COMPANY, COMPANY.lower(), f" {COMPANY} "])
def test_a_code_entered_twice_keeps_its_subject(house: House, again: str) -> None:
    subject = enrol(house)
    assert enrol(house, again, "别的名字") == subject
    for table in (Organisation, SubjectIndex, AuditEntry):
        assert act(house, lambda call, table=table: call.session.scalar(select(func.count()).select_from(table))) == 1


@pytest.mark.parametrize("code", ["", ALICE, COMPANY[:-1] + "0", COMPANY[:16] + "00", COMPANY + "1", "I" * 18, "\0"])
def test_what_is_no_credit_code_is_not_entered(house: House, code: str) -> None:
    with pytest.raises(Problem) as refused:
        enrol(house, code)
    assert refused.value.code == "invalid"
    assert refused.value.errors[0].pointer == "/number"


def test_a_person_and_a_company_never_share_a_subject(house: House) -> None:
    person = act(house, lambda call: people.enrol(call, number=ALICE, name="王小明"))
    companies = {enrol(house), enrol(house, company_code("9137160210002001"))}
    assert len(companies | {person}) == 3
    assert all(act(house, lambda call, one=one: people.facts(call, one)) is None for one in companies)

"""What a change in the registers does to the seals of organisations and persons, and what refusals tell."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from idservice.call import Call
from idservice.errors import Problem
from idservice.models import Organisation, Person
from idservice.register import importing, representatives
from idservice.register.importing_rejects import Rejects
from idservice.register.importing_rows import Form
from seals import owners
from seals.lifecycle import Change, State
from seals.models import SealChange
from seals.owner_kinds import OwnerKind
from seals.picture_kinds import Kind
from tests.builders import act, migrate
from tests.databases import Databases
from tests.unit.seals.parties import COMPANY, COMPANY_NAME, NAMES, NOW, NUMBERS, OFFICE, RIVAL, Parties, settle


@pytest.fixture
def parties(databases: Databases, tmp_path: Path) -> Iterator[Parties]:
    url = databases.fresh(migrate)
    settled = settle(tmp_path, url)
    yield settled
    settled.house.database.engine.dispose()
    databases.drop(url)


def bring_in(parties: Parties, kind: str, text: str, folder: Path) -> None:
    rejects = Rejects(folder / f"{kind}.rejects")
    register = importing.REGISTERS[kind]
    done = importing.bring_in(parties.house, register, io.BytesIO(text.encode()), rejects, form=Form.CSV, restart=True)
    assert done.counts["rejected"] == 0


def state(parties: Parties, seal_id: str) -> str:
    return parties.seal(seal_id).state


def reason(parties: Parties, seal_id: str) -> str | None:
    asked = select(SealChange.reason).where(SealChange.seal_id == seal_id, SealChange.change == Change.RETIRE)
    return act(parties.house, lambda call: call.session.scalar(asked))


def live_keys(parties: Parties, seal_id: str) -> int:
    return sum(key.name == seal_id and key.state == "active" for key in parties.house.keys.list())


def test_a_new_name_in_an_import_retires_the_companys_seals_alone(parties: Parties, tmp_path: Path) -> None:
    contract, own, name = (
        parties.make(Kind.CONTRACT), parties.make(Kind.REPRESENTATIVE),
        parties.make(Kind.PERSONAL, by="stranger", company=False),
    )  # fmt: skip
    bring_in(parties, "organisations", f"number,name\n{COMPANY},{COMPANY_NAME}\n", tmp_path)
    assert state(parties, contract) == State.IN_FORCE, "nothing changed"
    bring_in(parties, "organisations", f"number,name\n{COMPANY},滨州新名食品有限公司\n", tmp_path)
    assert [state(parties, one) for one in (contract, own, name)] == [State.RETIRED, State.IN_FORCE, State.IN_FORCE]
    assert reason(parties, contract) == "单位更名"
    assert live_keys(parties, contract) == 0
    assert live_keys(parties, own) == 1


def test_the_end_of_a_company_retires_its_seals(parties: Parties, tmp_path: Path) -> None:
    contract = parties.make(Kind.CONTRACT)
    bring_in(parties, "organisations", f"number,name,status\n{COMPANY},{COMPANY_NAME},注销\n", tmp_path)
    assert (state(parties, contract), reason(parties, contract)) == (State.RETIRED, "单位注销")


def test_a_new_representative_retires_the_name_seal_of_the_old_one(parties: Parties, tmp_path: Path) -> None:
    contract, own = parties.make(Kind.CONTRACT), parties.make(Kind.REPRESENTATIVE)
    personal = parties.make(Kind.PERSONAL, by="leader", company=False)
    table = f"number,name,representative\n{COMPANY},{COMPANY_NAME},{NUMBERS['stranger']}\n"
    bring_in(parties, "organisations", table, tmp_path)
    assert [state(parties, one) for one in (contract, own, personal)] == ["in_force", "retired", "in_force"]
    assert reason(parties, own) == "法定代表人变更"


def test_a_persons_new_name_and_his_death_retire_his_seals(parties: Parties, tmp_path: Path) -> None:
    renamed = parties.make(Kind.PERSONAL, by="stranger", company=False)
    gone = parties.make(Kind.PERSONAL, by="clerk", company=False)
    telephone = f"number,name,phone\n{NUMBERS['stranger']},{NAMES['stranger']},13800001234\n"
    bring_in(parties, "people", telephone, tmp_path)
    assert state(parties, renamed) == State.IN_FORCE
    table = f"number,name,status\n{NUMBERS['stranger']},吴改名,正常\n{NUMBERS['clerk']},{NAMES['clerk']},死亡\n"
    bring_in(parties, "people", table, tmp_path)
    assert (reason(parties, renamed), reason(parties, gone)) == ("姓名变更", "持有人注销")


def test_a_change_that_nobody_told_of_stops_the_use_all_the_same(parties: Parties) -> None:
    contract, own = parties.make(Kind.CONTRACT), parties.make(Kind.PERSONAL, by="stranger", company=False)
    assert parties.announce(contract, parties.acting("leader"))

    def rename(call: Call) -> None:
        company = update(Organisation).where(Organisation.credit_code == COMPANY)
        call.session.execute(company.values(name="新名有限公司"))
        person = update(Person).where(Person.subject == parties.subjects["stranger"])
        call.session.execute(person.values(status="closed"))

    act(parties.house, rename)
    for seal_id, caller in ((contract, parties.acting("leader")), (own, parties.page("stranger"))):
        with pytest.raises(Problem, match="seal_name_changed"):
            parties.announce(seal_id, caller)


def test_the_seals_of_an_organisation_that_is_stopped_stay_as_they_are(parties: Parties) -> None:
    contract = parties.make(Kind.CONTRACT)
    stopped = update(Organisation).where(Organisation.credit_code == COMPANY).values(status="locked")
    act(parties.house, lambda call: call.session.execute(stopped))
    assert act(parties.house, lambda call: owners.of(call, parties.seal(contract))).is_active


def test_a_representative_who_left_before_the_seal_was_made_gets_none(parties: Parties) -> None:
    seal_id = parties.apply(Kind.REPRESENTATIVE, parties.acting("leader"))
    parties.change(seal_id, Change.APPROVE, parties.page("officer"))
    leaves = (parties.subjects["leader"], parties.mandates["leader"])
    assert act(parties.house, lambda call: representatives.withdraw(call, *leaves, reason="演示"))
    with pytest.raises(Problem, match="seal_name_changed"):
        parties.change(seal_id, Change.MAKE, parties.page("officer"))


@pytest.mark.parametrize("code", [RIVAL, "91000000000000000X", "x"])
def test_whether_an_organisation_is_there_is_told_to_its_own_people_alone(parties: Parties, code: str) -> None:
    with pytest.raises(Problem) as caught:
        parties.apply(Kind.CONTRACT, parties.page("leader"), organisation=code)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/organisation", "unknown")]


def test_a_refusal_says_what_to_do(parties: Parties) -> None:
    nobody = parties.page("stranger", channel="api")
    with pytest.raises(Problem) as caught:
        parties.apply(Kind.CONTRACT, nobody)
    assert "act for an organisation" in caught.value.detail
    with pytest.raises(Problem) as caught:
        parties.apply(Kind.CONTRACT, parties.acting("limited"))
    assert "`seals`" in caught.value.detail
    with pytest.raises(Problem) as caught:
        parties.apply(Kind.PERSONAL, parties.acting("leader"))
    assert "your own name" in caught.value.detail


def test_what_an_owner_is_called_where_it_is_kept(parties: Parties) -> None:
    person = owners.Owner(OwnerKind.PERSON, "王小明", person="p")
    assert (person.name_kept, person.columns) == ("王**", {"department": None, "organisation": None, "person": "p"})
    unit = act(parties.house, lambda call: owners.of_department(call, OFFICE))
    assert unit.name_kept == unit.name == "示范市公安局"
    assert act(parties.house, lambda call: owners.region_of(call, person), now=NOW) == "990100"

"""Whom a person may act for is decided at this instant, from the mandate and from the organisation's standing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from idservice.call import House
from idservice.models import Mandate, Organisation
from idservice.register import mandates, organisations, people
from tests.builders import act
from tests.identity import AGENT, ALICE, COMPANY, company_code

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHER = company_code("9137160210002001")


@dataclass
class Register:
    """Two people and two companies."""

    house: House
    agent: str
    alice: str
    company: str
    other: str

    def grant(self, principal: str | None = None, *, until: datetime | None = None, role: str = "agent") -> str:
        chosen = principal or self.company
        return act(
            self.house,
            lambda call: mandates.grant(call, person=self.agent, principal=chosen, role=role, valid_until=until),
            now=NOW,
        )

    def live(self, *, at: datetime = NOW, person: str | None = None) -> list[str]:
        found = act(self.house, lambda call: mandates.live(call, person or self.agent), now=at)
        return [mandate.mandate_id for mandate in found]

    def change(self, statement: Any) -> None:
        act(self.house, lambda call: call.session.execute(statement))


@pytest.fixture
def register(house: House) -> Register:
    return Register(
        house,
        act(house, lambda call: people.enrol(call, number=AGENT, name="李晓华")),
        act(house, lambda call: people.enrol(call, number=ALICE, name="王小明")),
        act(house, lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司")),
        act(house, lambda call: organisations.enrol(call, code=OTHER, name="滨州示范运输有限公司")),
    )


def test_a_mandate_in_force_names_the_organisation(register: Register) -> None:
    mandate_id = register.grant(role="legal_representative")
    found = act(register.house, lambda call: mandates.find_live(call, register.agent, mandate_id), now=NOW)
    assert found == mandates.LiveMandate(
        mandate_id, register.company, "滨州示范食品有限公司", COMPANY, "legal_representative"
    )


def test_it_is_the_persons_own(register: Register) -> None:
    mandate_id = register.grant()
    assert register.live(person=register.alice) == []
    assert act(register.house, lambda call: mandates.find_live(call, register.alice, mandate_id), now=NOW) is None
    assert act(register.house, lambda call: mandates.find_live(call, register.agent, "0" * 32), now=NOW) is None


def test_it_begins_when_it_is_granted(register: Register) -> None:
    mandate_id = register.grant()
    assert register.live(at=NOW - timedelta(microseconds=1)) == []
    assert register.live(at=NOW) == [mandate_id]
    assert register.live(at=NOW + timedelta(days=36500)) == [mandate_id]


def test_it_ends_with_its_term(register: Register) -> None:
    end = NOW + timedelta(days=1)
    mandate_id = register.grant(until=end)
    assert register.live(at=end - timedelta(microseconds=1)) == [mandate_id]
    assert register.live(at=end) == []


def test_it_ends_when_it_is_withdrawn(register: Register) -> None:
    mandate_id = register.grant()
    register.change(update(Mandate).where(Mandate.mandate_id == mandate_id).values(withdrawn_at=NOW))
    assert register.live() == []
    assert act(register.house, lambda call: mandates.find_live(call, register.agent, mandate_id), now=NOW) is None


def test_it_rests_while_the_organisation_is_closed(register: Register) -> None:
    mandate_id = register.grant()
    closed = update(Organisation).where(Organisation.subject == register.company)
    register.change(closed.values(status="closed"))
    assert register.live() == []
    register.change(closed.values(status="active"))
    assert register.live() == [mandate_id]


def test_several_are_told_apart(register: Register) -> None:
    both = {register.grant(), register.grant(register.other)}
    assert set(register.live()) == both
    register.change(update(Mandate).where(Mandate.principal == register.other).values(withdrawn_at=NOW))
    assert len(register.live()) == 1


def test_a_mandate_of_an_organisation_unknown_here_gives_nothing(register: Register) -> None:
    register.grant("0" * 32)
    assert register.live() == []

"""Nothing granted while the grantor's own power ends outlives it (PostgreSQL, where both can be under way at once)."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House
from idservice.models import Mandate
from idservice.register import grants, mandates, organisations, people, representatives
from idservice.register.grants_rules import Role, State, Wanted
from tests.builders import act, build_house, migrate
from tests.databases import PostgresDatabases
from tests.identity import AGENT, ALICE, COMPANY, citizen_number

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
BOB, CARL = citizen_number("37160219881102315"), citizen_number("37160219881102316")
NAMES = {ALICE: "王小明", AGENT: "李晓华", BOB: "赵大海", CARL: "钱大江"}
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


class Company:
    """A company of Alice's, in which the agent is an administrator."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.subject = {
            number: self.do(lambda call, n=number, w=name: people.enrol(call, number=n, name=w))
            for number, name in NAMES.items()
        }
        self.company = self.do(lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
        self.do(lambda call: representatives.change_representative(call, self.company, self.subject[ALICE]))
        self.top = self.do(lambda call: mandates.live(call, self.subject[ALICE])[0].mandate_id)
        self.administrator = self.do(lambda call: self.offer(call, self.top, AGENT, Role.ADMINISTRATOR), ALICE)
        self.do(lambda call: grants.accept(call, self.administrator), AGENT)

    @staticmethod
    def offer(call: Call, by: str, to: str, role: Role = Role.AGENT) -> str:
        return grants.offer(call, grants.granting(call, by), Wanted(to, NAMES[to], role, date(2027, 6, 30)))

    def caller(self, number: str | None) -> Caller:
        person = self.subject[number] if number else None
        return Caller(channel="api", person=person, amr=("pwd",), auth_time=NOW, level=3)

    def do(self, deed: Callable[..., Any], number: str | None = None, now: datetime = NOW) -> Any:
        return act(self.house, deed, caller=self.caller(number), now=now)

    def while_under_way(self, first: Callable[[Call], Any], number: str, meanwhile: Callable[[], Any]) -> Any:
        """Do the first deed and, before it is committed, begin the other; return what the first gave."""

        def both(session: Session) -> Any:
            found = first(Call(self.house, session, self.caller(number), NOW, "race"))
            other.start()
            self.wait_for(other)
            return found

        other = threading.Thread(target=meanwhile)
        found = self.house.database.run(both, write=True)
        other.join(30)
        assert not other.is_alive()
        return found

    def wait_for(self, other: threading.Thread) -> None:
        """Wait until the other deed is done, or waits for this one."""
        deadline = time.monotonic() + 30
        with self.house.database.engine.connect() as connection:
            while other.is_alive() and not connection.scalar(_WAITING) and time.monotonic() < deadline:
                connection.rollback()  # within one transaction the server's answer stays the same
                time.sleep(0.01)

    def states(self, principal_role: str) -> list[State]:
        asked = select(Mandate).where(Mandate.role == principal_role).order_by(Mandate.mandate_id)
        return [grants.state_of(row, LATER) for row in self.do(lambda call: call.session.scalars(asked).all())]


@pytest.fixture
def company(postgres: PostgresDatabases, tmp_path: Path) -> Iterator[Company]:
    url = postgres.fresh(migrate)
    house = build_house(tmp_path, url)
    yield Company(house)
    house.database.engine.dispose()
    postgres.drop(url)


def test_an_offer_made_while_the_administrator_is_withdrawn_falls_with_him(company: Company) -> None:
    def withdraw() -> None:
        company.do(lambda call: grants.withdraw(call, grants.granting(call, company.top), company.administrator), ALICE)

    company.while_under_way(lambda call: company.offer(call, company.administrator, BOB), AGENT, withdraw)
    assert company.states("administrator") == [State.WITHDRAWN]
    assert company.states("agent") == [State.SUSPENDED]


@pytest.mark.parametrize(("by", "whose"), [("administrator", AGENT), ("top", ALICE)])
def test_an_offer_made_while_the_representative_changes_falls_with_him(company: Company, by: str, whose: str) -> None:
    def change() -> None:
        company.do(
            lambda call: representatives.change_representative(call, company.company, company.subject[CARL]), now=LATER
        )

    company.while_under_way(lambda call: company.offer(call, getattr(company, by), BOB), whose, change)
    assert company.states("administrator") == company.states("agent") == [State.SUSPENDED]


def test_who_is_withdrawn_at_this_moment_grants_nothing(company: Company) -> None:
    refused = []

    def offer() -> None:
        try:
            company.do(lambda call: company.offer(call, company.administrator, BOB), AGENT)
        except grants.Problem as problem:
            refused.append(problem.code)

    company.while_under_way(
        lambda call: grants.withdraw(call, grants.granting(call, company.top), company.administrator), ALICE, offer
    )
    assert refused == ["forbidden"]
    assert company.states("agent") == []


def test_a_confirmation_while_the_administrator_is_withdrawn_falls_with_him(company: Company) -> None:
    agent = company.do(lambda call: company.offer(call, company.administrator, BOB), AGENT)
    company.do(lambda call: grants.accept(call, agent), BOB)
    company.do(
        lambda call: representatives.suspend_below(call, company.company, [company.administrator], reason="test")
    )

    def withdraw() -> None:
        company.do(lambda call: grants.withdraw(call, grants.granting(call, company.top), company.administrator), ALICE)

    company.while_under_way(
        lambda call: grants.confirm(call, grants.granting(call, company.administrator), agent), AGENT, withdraw
    )
    assert company.states("agent") == [State.SUSPENDED]


def test_of_two_changes_at_once_one_representative_is_left(company: Company) -> None:
    def change(to: str) -> Callable[[Call], None]:
        return lambda call: representatives.change_representative(call, company.company, company.subject[to])

    company.while_under_way(change(BOB), ALICE, lambda: company.do(change(CARL)))
    states = company.states(representatives.ROLE)
    assert sorted(states) == sorted([State.WITHDRAWN, State.WITHDRAWN, State.IN_FORCE])

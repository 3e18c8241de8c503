"""Offer, accept, withdraw, confirm: nobody acts unasked, nothing outlives the power it was granted from."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry, Mandate
from idservice.register import grants, grants_choices, guardians, mandates, organisations, people, representatives
from idservice.register.grants_choices import Limit
from idservice.register.grants_rules import OFFER_STANDS, Role, State, Wanted
from tests.builders import act
from tests.identity import AGENT, ALICE, COMPANY, STRANGER, citizen_number

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
BOB = citizen_number("37160219881102315")
CHILD = citizen_number("37160220150301001")
NAMES = {ALICE: "王小明", AGENT: "李晓华", BOB: "赵大海", CHILD: "王小小"}
TYPES = {"T1": ("甲证", "Licence A"), "T2": ("乙证", "Licence B")}


class Office:
    """Some people and a company whose legal representative is Alice."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = NOW
        self.subject = {
            number: self.do(lambda call, n=number, w=name: people.enrol(call, number=n, name=w))
            for number, name in NAMES.items()
        }
        self.company = self.do(lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
        self.do(lambda call: representatives.change_representative(call, self.company, self.subject[ALICE]))

    def do(self, deed: Callable[..., Any], number: str | None = None, **login: Any) -> Any:
        person = self.subject[number] if number else None
        facts = {"amr": ("pwd",), "auth_time": self.now, "level": 3} | login
        return act(self.house, deed, caller=Caller(channel="api", person=person, **facts), now=self.now)

    def power(self, number: str, *, own: bool = False) -> str | None:
        """The mandate of the company by which that person grants."""
        found = self.do(lambda call: mandates.live(call, self.subject[number]))
        return None if own else next(m.mandate_id for m in found if m.principal == self.company)

    def offer(self, by: str = ALICE, to: str = AGENT, role: Role = Role.AGENT, own: bool = False, **more: Any) -> str:
        wanted = Wanted(to, more.pop("name", NAMES.get(to, "无名氏")), role, date(2027, 6, 30))
        mandate = self.power(by, own=own)
        wanted = replace(wanted, **more)
        return str(self.do(lambda call: grants.offer(call, grants.granting(call, mandate), wanted), by))

    def grant(self, by: str = ALICE, to: str = AGENT, role: Role = Role.AGENT, **more: Any) -> str:
        mandate_id = self.offer(by, to, role, **more)
        self.do(lambda call: grants.accept(call, mandate_id), to)
        return mandate_id

    def as_grantor(self, verb: Callable[..., Any], mandate_id: str, by: str = ALICE, own: bool = False) -> None:
        mandate = self.power(by, own=own)
        self.do(lambda call: verb(call, grants.granting(call, mandate), mandate_id), by)

    def state(self, mandate_id: str) -> State:
        row = self.do(lambda call: call.session.scalars(select(Mandate).where(Mandate.mandate_id == mandate_id)).one())
        return grants.state_of(row, self.now)

    def live(self, number: str) -> set[str]:
        return {m.mandate_id for m in self.do(lambda call: mandates.live(call, self.subject[number]))}


@pytest.fixture
def office(house: House, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(grants_choices, "_known", {Limit.LICENCE_TYPES: lambda _call: TYPES})
    return Office(house)


def refusal(deed: Callable[[], Any]) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(Problem) as refused:
        deed()
    return refused.value.code, [(error.pointer, error.code) for error in refused.value.errors]


def test_an_offer_holds_when_it_is_accepted(office: Office) -> None:
    mandate_id = office.offer(licence_types=("T2", "T1"))
    assert office.state(mandate_id) is State.OFFERED
    assert office.live(AGENT) == set()
    office.do(lambda call: grants.accept(call, mandate_id), AGENT)
    assert office.live(AGENT) == {mandate_id}
    found = office.do(lambda call: mandates.find_live(call, office.subject[AGENT], mandate_id))
    assert (found.licence_types, found.is_limited, found.organisation) == (("T1", "T2"), True, "滨州示范食品有限公司")
    assert refusal(lambda: office.do(lambda call: grants.accept(call, mandate_id), AGENT))[0] == "mandate_state"


def test_only_whom_it_names_can_accept(office: Office) -> None:
    mandate_id = office.offer()
    assert refusal(lambda: office.do(lambda call: grants.accept(call, mandate_id), BOB))[0] == "not_found"


@pytest.mark.parametrize(("number", "name"), [(STRANGER, "无名氏"), (AGENT, "李小华"), (AGENT, "李晓华 ")])
def test_the_grantor_does_not_learn_who_is_registered(office: Office, number: str, name: str) -> None:
    real, inert = office.offer(), office.offer(to=number, name=name)
    rows = {
        row.mandate_id: row
        for row in office.do(lambda call: grants.given(call, grants.granting(call, office.power(ALICE))), ALICE)
    }
    assert office.state(real) is office.state(inert) is State.OFFERED
    assert office.do(lambda call: grants.grantee(call, rows[inert])) == (name, number)
    assert office.do(lambda call: grants.grantee(call, rows[real])) == ("李晓华", AGENT)
    assert {m.mandate_id for m in office.do(grants.received, AGENT)} == {real}
    unlike = {"subject", "mandate_id", "grantee_sealed", "valid_from", "_sa_instance_state"}
    first, second = ({k: v for k, v in vars(rows[one]).items() if k not in unlike} for one in (real, inert))
    assert first == second


def test_nothing_personal_is_stored_in_the_clear_or_audited(office: Office) -> None:
    office.grant()
    row = office.do(lambda call: call.session.scalars(select(Mandate).where(Mandate.role == "agent")).one())
    told = " ".join(office.do(lambda call: call.session.scalars(select(AuditEntry.facts)).all()))
    for personal in (AGENT, "李晓华"):
        assert personal.encode() not in row.grantee_sealed
        assert personal not in told


def test_an_offer_lapses(office: Office) -> None:
    mandate_id = office.offer()
    office.now = NOW + OFFER_STANDS
    assert office.state(mandate_id) is State.LAPSED
    assert refusal(lambda: office.do(lambda call: grants.accept(call, mandate_id), AGENT))[0] == "mandate_state"


def test_the_chain_ends_at_an_agent(office: Office) -> None:
    office.grant(to=AGENT, role=Role.ADMINISTRATOR)
    agent = office.grant(by=AGENT, to=BOB)
    assert office.live(BOB) == {agent}
    assert refusal(lambda: office.offer(by=BOB, to=CHILD))[0] == "forbidden"
    assert refusal(lambda: office.offer(by=AGENT, to=BOB, role=Role.ADMINISTRATOR)) == (
        "invalid",
        [("/role", "not_yours_to_grant")],
    )


def test_everything_wrong_is_named_at_once(office: Office) -> None:
    wrong = {"to": "1", "name": "", "role": Role.PROXY, "last_day": date(2020, 1, 1), "licence_types": ("T9",)}
    assert refusal(lambda: office.offer(**wrong)) == (
        "invalid",
        [
            ("/role", "not_yours_to_grant"),
            ("/valid_until", "past"),
            ("/licence_types", "unknown"),
            ("/number", "length"),
            ("/name", "required"),
        ],
    )
    assert refusal(lambda: office.offer(to=ALICE)) == ("invalid", [("/number", "yourself")])


def test_nobody_grants_by_a_mandate_that_is_not_his(office: Office) -> None:
    head = office.power(ALICE)
    assert refusal(lambda: office.do(lambda call: grants.granting(call, head), BOB))[0] == "forbidden"
    assert refusal(lambda: office.do(lambda call: grants.granting(call, None)))[0] == "forbidden"


def test_granting_needs_the_level_the_policy_asks(office: Office) -> None:
    wanted = Wanted(AGENT, "李晓华", Role.AGENT, date(2027, 6, 30))
    head = office.power(ALICE)

    def offer(call: Call) -> str:
        return grants.offer(call, grants.granting(call, head), wanted)

    assert refusal(lambda: office.do(offer, ALICE, level=1))[0] == "level_too_low"
    assert refusal(lambda: office.do(offer, ALICE, signals=("new_device",)))[0] == "insufficient_user_authentication"


def test_withdrawal_takes_with_it_what_rests_on_it(office: Office) -> None:
    administrator = office.grant(to=AGENT, role=Role.ADMINISTRATOR)
    agent = office.grant(by=AGENT, to=BOB)
    office.as_grantor(grants.withdraw, administrator)
    assert (office.state(administrator), office.state(agent)) == (State.WITHDRAWN, State.SUSPENDED)
    assert office.live(AGENT) == office.live(BOB) == set()
    assert refusal(lambda: office.as_grantor(grants.withdraw, administrator))[0] == "mandate_state"


def test_an_administrator_withdraws_only_what_he_granted(office: Office) -> None:
    office.grant(to=AGENT, role=Role.ADMINISTRATOR)
    by_head, by_him = office.grant(to=BOB), office.grant(by=AGENT, to=BOB)
    assert refusal(lambda: office.as_grantor(grants.withdraw, by_head, by=AGENT))[0] == "not_found"
    office.as_grantor(grants.withdraw, by_him, by=AGENT)
    assert office.live(BOB) == {by_head}


def test_whoever_holds_a_mandate_can_give_it_up(office: Office) -> None:
    mandate_id = office.grant()
    office.do(lambda call: grants.give_up(call, mandate_id), AGENT)
    assert office.state(mandate_id) is State.WITHDRAWN
    head = str(office.power(ALICE))
    assert refusal(lambda: office.do(lambda call: grants.give_up(call, head), ALICE))[0] == "mandate_state"


def test_a_new_representative_confirms_what_the_old_one_granted(office: Office) -> None:
    administrator = office.grant(to=AGENT, role=Role.ADMINISTRATOR)
    agent = office.grant(by=AGENT, to=CHILD)
    office.do(lambda call: representatives.change_representative(call, office.company, office.subject[BOB]))
    assert [office.state(one) for one in (administrator, agent)] == [State.SUSPENDED, State.SUSPENDED]
    assert office.live(ALICE) == office.live(AGENT) == office.live(CHILD) == set()
    office.as_grantor(grants.confirm, administrator, by=BOB)
    assert office.live(AGENT) == {administrator}
    assert office.live(CHILD) == set()
    office.as_grantor(grants.confirm, agent, by=BOB)
    assert office.live(CHILD) == {agent}
    assert refusal(lambda: office.as_grantor(grants.confirm, agent, by=BOB))[0] == "mandate_state"
    office.as_grantor(grants.withdraw, administrator, by=BOB)
    assert office.live(CHILD) == {agent}, "it rests on the representative now"


def test_an_agent_whom_nobody_here_granted_rests_on_the_representative_too(office: Office) -> None:
    agent = office.subject[AGENT]
    mandate_id = office.do(lambda call: mandates.grant(call, person=agent, principal=office.company, role="agent"))
    office.do(lambda call: representatives.change_representative(call, office.company, office.subject[BOB]))
    assert office.state(mandate_id) is State.SUSPENDED
    assert office.live(AGENT) == set()


def test_the_same_representative_again_changes_nothing(office: Office) -> None:
    mandate_id = office.grant()
    office.do(lambda call: representatives.change_representative(call, office.company, office.subject[ALICE]))
    assert office.live(AGENT) == {mandate_id}


def test_a_person_grants_a_proxy_and_takes_it_back(office: Office) -> None:
    mandate_id = office.grant(by=BOB, to=AGENT, role=Role.PROXY, own=True)
    found = office.do(lambda call: mandates.find_live(call, office.subject[AGENT], mandate_id))
    assert (found.principal, found.principal_kind, found.organisation) == (office.subject[BOB], "person", "赵**")
    assert refusal(lambda: office.do(lambda call: grants.granting(call, mandate_id), AGENT))[0] == "forbidden"
    office.as_grantor(grants.withdraw, mandate_id, by=BOB, own=True)
    assert office.live(AGENT) == set()


def test_a_minor_grants_nothing_and_cannot_end_his_guardianship(office: Office) -> None:
    assert refusal(lambda: office.offer(by=CHILD, to=BOB, role=Role.PROXY, own=True))[0] == "minor"
    guardian = office.do(
        lambda call: mandates.grant(
            call,
            person=office.subject[ALICE],
            principal=office.subject[CHILD],
            principal_kind=mandates.PERSON,
            role="guardian",
            valid_until=guardians.guarded_until(CHILD),
        )
    )
    assert refusal(lambda: office.as_grantor(grants.withdraw, guardian, by=CHILD, own=True))[0] == "not_found"
    assert refusal(lambda: office.do(lambda call: grants.give_up(call, guardian), ALICE))[0] == "mandate_state"
    assert guardian in office.live(ALICE)
    office.now = datetime(2033, 3, 1, tzinfo=UTC) - timedelta(hours=8)
    assert guardian not in office.live(ALICE)


def test_offers_do_not_pile_up_without_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MOST_OFFERS", 2)
    first, _second = office.offer(), office.offer()
    assert refusal(office.offer)[0] == "offers_full"
    office.as_grantor(grants.withdraw, first)
    office.offer()

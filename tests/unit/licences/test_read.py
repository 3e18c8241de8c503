"""Lists: what a state in a query selects is what `lifecycle` says of each licence, on every day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.register import mandates
from licences import read, wallet
from licences.lifecycle import COMPUTED, STORED, State, state_at
from licences.models import Licence
from tests.builders import STAFF_LOGIN
from tests.town import AGENT, BOB, CIVIL, COMPANY, SECURITY, Town

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def shelf(town: Town) -> Town:
    """Licences of Bob in every stored state, before, in and after their time."""
    days = [-2, -1, 0, 1, 2]
    periods = [(start, end) for start in days for end in [*days, None] if end is None or start <= end]
    codes = [town.issue("vocational_qualification", BOB).identifier for _ in range(len(periods) * len(STORED))]

    def age(call: Call) -> None:
        kinds = [(state, *period) for state in sorted(STORED) for period in periods]
        for code, (state, start, end) in zip(codes, kinds, strict=True):
            until = None if end is None else TODAY + timedelta(days=end)
            values = {"state": state, "valid_from": TODAY + timedelta(days=start), "valid_until": until}
            call.session.execute(update(Licence).where(Licence.identifier == code).values(**values))

    town.act(age)
    return town


@pytest.mark.parametrize("state", list(State))
def test_a_query_for_a_state_agrees_with_the_life_cycle(shelf: Town, state: State) -> None:
    def selected(call: Call) -> tuple[set[str], set[str]]:
        rows = call.session.scalars(select(Licence).where(Licence.subject == shelf.subjects[BOB])).all()
        expected = {
            row.identifier
            for row in rows
            if state_at(State(row.state), valid_from=row.valid_from, valid_until=row.valid_until, now=call.now) == state
        }
        wanted = [Licence.subject == shelf.subjects[BOB], *read.conditions(call, type_code=None, state=state)]
        return expected, set(call.session.scalars(select(Licence.identifier).where(*wanted)))

    expected, found = shelf.act(selected, now=NOON)
    assert expected
    assert found == expected
    assert state in COMPUTED | STORED


def test_a_wallet_is_its_holders(town: Town) -> None:
    code = town.issue("food_permit", COMPANY).identifier
    agent = town.caller(AGENT)
    company = town.subjects[COMPANY]
    (mandate,) = [m for m in town.act(lambda call: mandates.live(call, str(agent.person))) if m.principal == company]
    acting = Caller(channel="api", client_id="a", person=agent.person, principal=company, mandate=mandate.mandate_id)
    assert [row.identifier for row in town.act(wallet.own, caller=acting)] == [code]
    assert town.act(wallet.own, caller=agent) == []
    assert town.act(wallet.own, caller=replace(acting, mandate=None)) == [], "without a mandate nothing is within reach"
    with pytest.raises(Problem):
        town.act(wallet.own, caller=Caller(channel="api", client_id="a"))


@pytest.mark.parametrize(
    ("caller", "department", "issuers"),
    [
        (Caller(channel="api", client_id="a", departments=frozenset({CIVIL})), None, {CIVIL}),
        (Caller(channel="api", client_id="a", departments=frozenset({CIVIL})), SECURITY, None),
        (Caller(channel="api", client_id="a"), None, None),
        (Caller(channel="api", person="p", posts=frozenset({("clerk", CIVIL)}), **STAFF_LOGIN), None, None),
        (Caller(channel="api", client_id="a", all_departments=True), None, {CIVIL, SECURITY}),
        (Caller(channel="api", client_id="a", all_departments=True), SECURITY, {SECURITY}),
    ],
)
def test_an_issuer_lists_what_his_departments_issued(
    town: Town, caller: Caller, department: str | None, issuers: set[str] | None
) -> None:
    if not town.act(lambda call: call.session.scalar(select(Licence).where(Licence.issuer_code == CIVIL))):
        town.issue("marriage_certificate", BOB)
        town.issue("real_estate_title", BOB)
    query = {"type": None, "state": None, "department": department, "limit": 200, "cursor": None}
    if issuers is None:
        with pytest.raises(Problem) as refused:
            town.act(lambda call: read.issued(call, query), caller=caller)
        assert refused.value.code == "forbidden"
    else:
        assert {row.issuer_code for row in town.act(lambda call: read.issued(call, query), caller=caller)} == issuers

"""An organisation is stopped by two, and its agents' tokens with it."""

import json

from sqlalchemy import select

from idservice.admin import approvals
from idservice.admin.acts import RiskyAct
from idservice.models import AuditEntry, TokenFamily
from idservice.register import mandates, organisations
from tests.identity import COMPANY
from tests.unit.idservice.admin.conftest import Desk
from tests.unit.idservice.admin.test_approvals import approve, ask


def test_an_organisation_is_stopped_and_let_go_on_by_two(desk: Desk) -> None:
    company = desk.do(lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
    agent, facts = desk.subject["citizen"], {"organisation": company}
    desk.do(lambda call: mandates.grant(call, person=agent, principal=company, role="agent"))
    first, second = (ask(desk, RiskyAct.ORGANISATION_DISABLE, facts) for _ in range(2))
    assert len(desk.do(lambda call: mandates.live(call, agent))) == 1
    approve(desk, first)
    assert desk.do(lambda call: mandates.live(call, agent)) == []
    assert desk.refusal(lambda call: approvals.decide(call, second.request_id, approve=True), "security") == "conflict"
    approve(desk, ask(desk, RiskyAct.ORGANISATION_ENABLE, facts))
    assert len(desk.do(lambda call: mandates.live(call, agent))) == 1
    nobody = {"organisation": "0" * 32}
    refused = desk.refusal(lambda call: approvals.ask(call, RiskyAct.ORGANISATION_DISABLE, nobody))
    assert refused == "not_found"


def test_the_families_of_its_agents_are_ended_and_no_other(desk: Desk) -> None:
    company = desk.do(lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
    agent = desk.subject["citizen"]
    mandate = desk.do(lambda call: mandates.grant(call, person=agent, principal=company, role="agent"))
    rows = [
        TokenFamily(
            subject=agent, family_id=name * 32, client_id="app", principal=principal, mandate_id=by, scope="openid",
            auth_time=desk.now, amr=["pwd"], level=3, created_at=desk.now,
        )
        for name, principal, by in (("a", company, mandate), ("b", None, None))
    ]  # fmt: skip
    desk.do(lambda call: call.session.add_all(rows))
    approve(desk, ask(desk, RiskyAct.ORGANISATION_DISABLE, {"organisation": company}))
    query = select(TokenFamily.revoked_for).order_by(TokenFamily.family_id)
    assert desk.do(lambda call: call.session.scalars(query).all()) == ["organisation_disabled", None]
    told = select(AuditEntry.facts).where(AuditEntry.deed == "idservice:organisation:disable")
    assert json.loads(desk.do(lambda call: call.session.scalars(told).one())) == {"subject": company}

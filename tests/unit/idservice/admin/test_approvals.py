"""One asks, another decides, and the act is done with the decision or not at all."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idservice.admin import approvals, client_acts, person_acts, roles, view
from idservice.admin.acts import RULES, RiskyAct
from idservice.admin.approvals import STANDS, Asked
from idservice.admin.models import AdminRequest
from idservice.admin.roles import Role
from idservice.errors import Problem
from idservice.login import proofing
from idservice.models import AuditEntry, Client, LoginSession, Mandate, Person
from idservice.oauth import clients
from idservice.register import mandates, organisations, people
from tests.identity import ALICE, COMPANY, STRANGER, citizen_number
from tests.unit.idservice.admin.conftest import Desk

APP = {
    "client_id": "new-app", "name": "新应用", "unit": "示范单位", "auth_method": "client_secret_basic",
    "grant_types": ["client_credentials"], "scope": "matters.read",
}  # fmt: skip
CHILD = citizen_number("37160220150301001")


def ask(desk: Desk, act: RiskyAct, facts: dict[str, Any], who: str = "system") -> Asked:
    asked: Asked = desk.do(lambda call: approvals.ask(call, act, facts), who)
    return asked


def approve(desk: Desk, asked: Asked, who: str = "security") -> None:
    desk.do(lambda call: approvals.decide(call, asked.request_id, approve=True), who)


def app(desk: Desk, client_id: str = "new-app") -> Any:
    def find(call: Any) -> Any:
        clients.forget(call.house, client_id)
        return clients.find(call, client_id)

    return desk.do(find)


def made(desk: Desk) -> str:
    """Create the app and return its secret."""
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    approve(desk, asked)
    return str(asked.secret)


def test_an_app_works_once_a_second_person_has_approved(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    assert app(desk) is None
    approve(desk, asked)
    assert app(desk).check_secret(asked.secret)


def test_the_secret_is_kept_sealed_and_only_until_it_is_decided(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    assert asked.secret is not None
    row = desk.do(lambda call: call.session.get(AdminRequest, asked.request_id))
    assert asked.secret.encode() not in row.facts_sealed
    assert asked.secret not in str(desk.do(lambda call: view.request(call, row)))
    assert asked.secret not in repr(asked)
    approve(desk, asked)
    row = desk.do(lambda call: call.session.get(AdminRequest, asked.request_id))
    assert "secret" not in desk.do(lambda call: approvals.facts_of(call, row))
    assert asked.secret not in " ".join(desk.do(lambda call: call.session.scalars(select(AuditEntry.facts)).all()))


@pytest.mark.parametrize("act", RiskyAct)
def test_only_the_role_of_the_table_may_ask(desk: Desk, act: RiskyAct) -> None:
    for who in ("system", "security", "audit", "citizen"):
        if who in {"audit", "citizen"} or RULES[act].asks != who:
            assert desk.refusal(lambda call: approvals.ask(call, act, {}), who) == "forbidden"


def test_nobody_decides_on_what_he_asked_for(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.ROLE_GIVE, {"subject": desk.subject["citizen"], "role": "audit"}, "security")
    decide = approvals.decide
    assert desk.refusal(lambda call: decide(call, asked.request_id, approve=True), "security") == "second_person"
    assert desk.refusal(lambda call: decide(call, asked.request_id, approve=True), "audit") == "forbidden"
    approve(desk, asked, "security2")
    assert desk.do(lambda call: roles.of(call, desk.subject["citizen"])) is Role.AUDIT


def test_another_of_the_asking_role_is_no_second_opinion(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    assert desk.refusal(lambda call: approvals.decide(call, asked.request_id, approve=True), "system2") == "forbidden"


def test_a_request_is_decided_once_and_in_time(desk: Desk) -> None:
    first, second = ask(desk, RiskyAct.CLIENT_CREATE, APP), ask(desk, RiskyAct.CLIENT_CREATE, APP | {"client_id": "b"})
    desk.do(lambda call: approvals.decide(call, first.request_id, approve=False), "security")
    assert desk.refusal(lambda call: approvals.decide(call, first.request_id, approve=True), "security2") == "decided"
    desk.now += STANDS
    assert desk.refusal(lambda call: approvals.decide(call, second.request_id, approve=True), "security") == "decided"
    assert desk.refusal(lambda call: approvals.decide(call, "0" * 32, approve=True), "security") == "not_found"
    states = [
        approvals.state(row, call=None) if row.decision else "open"  # type: ignore[arg-type]
        for row in desk.do(lambda call: approvals.listed(call, limit=9, cursor=None, waiting=False))
    ]
    assert sorted(states) == ["open", "refused"]
    assert desk.do(lambda call: approvals.listed(call, limit=9, cursor=None, waiting=True)) == []


def test_of_many_who_approve_at_once_one_does(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    start, outcomes = threading.Barrier(8), []

    def run(who: str) -> None:
        start.wait(timeout=60)
        try:
            approve(desk, asked, who)
            outcomes.append("done")
        except Problem as problem:
            outcomes.append(problem.code)

    threads = [threading.Thread(target=run, args=(("security", "security2")[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["decided"] * 7 + ["done"]


def test_an_act_that_fails_leaves_its_request_waiting(desk: Desk) -> None:
    first, second = ask(desk, RiskyAct.CLIENT_CREATE, APP), ask(desk, RiskyAct.CLIENT_CREATE, APP)
    approve(desk, first)
    assert desk.refusal(lambda call: approvals.decide(call, second.request_id, approve=True), "security") == "conflict"
    row = desk.do(lambda call: call.session.get(AdminRequest, second.request_id))
    assert row.decision is None


def test_a_request_can_be_withdrawn_by_whoever_made_it(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    assert desk.refusal(lambda call: approvals.withdraw(call, asked.request_id), "system2") == "not_found"
    desk.do(lambda call: approvals.withdraw(call, asked.request_id))
    assert desk.refusal(lambda call: approvals.decide(call, asked.request_id, approve=True), "security") == "decided"


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "a b"}, {"scope": "none"}, {"departments": ["*"]}, {"auth_method": "magic"}, {"grant_types": []}],
)
def test_an_app_that_could_not_be_registered_is_not_asked_for(desk: Desk, wrong: dict[str, Any]) -> None:
    assert desk.refusal(lambda call: approvals.ask(call, RiskyAct.CLIENT_CREATE, APP | wrong)) == "invalid"


def test_a_rotated_secret_overlaps_with_the_old_one(desk: Desk, time_machine: Any) -> None:
    time_machine.move_to(desk.now, tick=False)
    old = made(desk)
    asked = ask(desk, RiskyAct.CLIENT_ROTATE, {"client_id": "new-app", "overlap_hours": 2})
    assert not app(desk).check_secret(asked.secret)
    approve(desk, asked)
    assert app(desk).check_secret(asked.secret)
    assert app(desk).check_secret(old)
    assert not app(desk).check_secret("x" * 43)
    time_machine.move_to(desk.now + timedelta(hours=2), tick=False)
    assert app(desk).check_secret(asked.secret)
    assert not app(desk).check_secret(old)


def test_a_scope_only_widens_by_approval(desk: Desk) -> None:
    made(desk)
    assert (
        desk.refusal(
            lambda call: approvals.ask(call, RiskyAct.CLIENT_WIDEN, {"client_id": "new-app", "scope": "matters.read"})
        )
        == "invalid"
    )
    asked = ask(desk, RiskyAct.CLIENT_WIDEN, {"client_id": "new-app", "scope": "lookups.create"})
    assert app(desk).scope == ("matters.read",)
    approve(desk, asked)
    assert app(desk).scope == ("matters.read", "lookups.create")


def test_an_app_without_a_secret_gets_no_scope_of_staff_by_widening(desk: Desk) -> None:
    public = {
        "client_id": "phone", "auth_method": "none", "grant_types": ["authorization_code"], "scope": "openid",
        "redirect_uris": ["https://phone.example.cn/cb"],
    }  # fmt: skip
    approve(desk, ask(desk, RiskyAct.CLIENT_CREATE, APP | public))
    for scope in ("admin.manage", "licences.issue", "scim.write"):
        facts = {"client_id": "phone", "scope": scope}
        assert desk.refusal(lambda call, f=facts: approvals.ask(call, RiskyAct.CLIENT_WIDEN, f)) == "invalid"
    asked = ask(desk, RiskyAct.CLIENT_WIDEN, {"client_id": "phone", "scope": "profile"})
    approve(desk, asked)
    assert app(desk, "phone").scope == ("openid", "profile")


def settings(desk: Desk, stated: dict[str, Any]) -> Asked:
    return ask(desk, RiskyAct.CLIENT_CHANGE, {"client_id": "new-app", "settings": stated})


def test_settings_that_widen_hold_when_a_second_person_has_approved(desk: Desk) -> None:
    made(desk)
    asked = settings(desk, {"name": "新名称", "unit": "示范单位"})
    assert asked.facts == {"client_id": "new-app", "before": {"name": "新应用"}, "settings": {"name": "新名称"}}
    assert app(desk).name == "新应用"
    approve(desk, asked)
    assert app(desk).name == "新名称"


def test_settings_that_changed_meanwhile_are_not_overwritten(desk: Desk) -> None:
    made(desk)
    first, second = settings(desk, {"name": "甲"}), settings(desk, {"name": "乙"})
    approve(desk, first)
    assert desk.refusal(lambda call: approvals.decide(call, second.request_id, approve=True), "security") == "conflict"


def test_an_app_that_is_to_have_a_secret_gets_one_with_the_approval(desk: Desk) -> None:
    made(desk)
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    approve(desk, settings(desk, {"auth_method": "private_key_jwt", "jwks": {"keys": [key]}}))
    asked = settings(desk, {"auth_method": "client_secret_post", "jwks": None})
    assert asked.secret is not None
    approve(desk, asked)
    assert app(desk).check_secret(asked.secret)


@pytest.mark.parametrize("who", ["system", "security"])
def test_what_only_takes_something_away_is_done_by_one(desk: Desk, who: str) -> None:
    approve(desk, ask(desk, RiskyAct.CLIENT_CREATE, APP | {"scope": "matters.read lookups.create"}))
    narrow = client_acts.narrow
    assert desk.do(lambda call: narrow(call, "new-app", {"scope": "matters.read"}), who)
    assert app(desk).scope == ("matters.read",)
    assert not desk.do(lambda call: narrow(call, "new-app", {"scope": "matters.read ssf.manage"}), who)
    assert app(desk).scope == ("matters.read",)
    for other in ("audit", "citizen"):
        assert desk.refusal(lambda call: narrow(call, "new-app", {"scope": "matters.read"}), other) == "forbidden"


def test_an_app_that_proves_itself_by_a_certificate_is_registered(desk: Desk) -> None:
    known = {"auth_method": "tls_client_auth", "certificate": {"tls_client_auth_san_dns": "app.example.cn"}}
    policy = {"delivery": "poll", "notification_endpoint": None, "audiences": ["hall"], "actor": None}
    grants = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
    approve(desk, ask(desk, RiskyAct.CLIENT_CREATE, APP | known | {"policy": policy, "grant_types": grants}))
    assert (app(desk).certificate, app(desk).policy.audiences) == (known["certificate"], ("hall",))


def test_an_app_is_stopped_by_one_and_let_go_on_by_two(desk: Desk) -> None:
    made(desk)
    desk.do(lambda call: client_acts.disable(call, "new-app"))
    assert app(desk) is None
    assert desk.refusal(lambda call: client_acts.disable(call, "new-app")) == "not_found"
    approve(desk, ask(desk, RiskyAct.CLIENT_ENABLE, {"client_id": "new-app"}))
    assert app(desk) is not None


def test_apps_are_listed_by_key(desk: Desk) -> None:
    for name in ("c", "a", "b"):
        approve(desk, ask(desk, RiskyAct.CLIENT_CREATE, APP | {"client_id": name}))
    first = desk.do(lambda call: client_acts.listed(call, limit=2, cursor=None))
    assert [row.client_id for row in first] == ["a", "b", "c"]
    assert [row.client_id for row in desk.do(lambda call: client_acts.listed(call, limit=2, cursor="b"))] == ["c"]
    assert desk.do(lambda call: call.session.get(Client, "a")).previous_secret_hash is None


def test_a_person_is_locked_with_his_sessions_and_unlocked_by_two(desk: Desk) -> None:
    citizen = desk.subject["citizen"]
    session = LoginSession(
        id_hash=b"1" * 32, subject=citizen, auth_time=desk.now, amr=["pwd"], level=3, seen_at=desk.now,
        expires_at=desk.now + timedelta(hours=1), ended_at=None,
    )  # fmt: skip
    desk.do(lambda call: call.session.add(session))
    approve(desk, ask(desk, RiskyAct.PERSON_DISABLE, {"subject": citizen}))
    assert desk.do(lambda call: call.session.get(Person, citizen)).status == "locked"
    assert desk.do(lambda call: call.session.get(LoginSession, b"1" * 32)).ended_at == desk.now
    approve(desk, ask(desk, RiskyAct.PERSON_ENABLE, {"subject": citizen}))
    assert desk.do(lambda call: call.session.get(Person, citizen)).status == "active"
    assert desk.refusal(lambda call: approvals.ask(call, RiskyAct.PERSON_DISABLE, {"subject": "0" * 32})) == "not_found"


def test_a_person_is_confirmed_at_the_counter_by_two_and_never_by_himself(desk: Desk) -> None:
    citizen = desk.subject["citizen"]
    session = LoginSession(
        id_hash=b"2" * 32, subject=citizen, auth_time=desk.now, amr=["pwd"], level=2, seen_at=desk.now,
        expires_at=desk.now + timedelta(hours=1), ended_at=None,
    )  # fmt: skip
    desk.do(lambda call: call.session.add(session))
    approve(desk, ask(desk, RiskyAct.PERSON_CONFIRM, {"subject": citizen}))
    assert desk.do(lambda call: call.session.get(Person, citizen)).level == 4
    assert desk.do(lambda call: call.session.get(LoginSession, b"2" * 32)).level == 4
    (check,) = desk.do(lambda call: proofing.checks_of(call, citizen))
    assert (check.level, check.checker) == (4, "counter")
    raised = select(AuditEntry.facts).where(AuditEntry.deed == "idservice:person:raise_level")
    assert json.loads(desk.do(lambda call: call.session.scalars(raised).one()))["level"] == 4

    def confirm(subject: str, who: str = "system") -> str:
        return desk.refusal(lambda call: approvals.ask(call, RiskyAct.PERSON_CONFIRM, {"subject": subject}), who)

    assert confirm(citizen) == "conflict", "he has the level"
    assert confirm(desk.subject["system"]) == "forbidden"
    assert confirm("0" * 32) == "not_found"
    his = ask(desk, RiskyAct.PERSON_CONFIRM, {"subject": desk.subject["security"]})
    decide = desk.refusal(lambda call: approvals.decide(call, his.request_id, approve=True), "security")
    assert decide == "forbidden", "nor does he decide on himself"
    assert desk.do(lambda call: call.session.get(Person, desk.subject["security"])).level < 4


def test_a_mandate_is_revoked_by_office(desk: Desk) -> None:
    company = desk.do(lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
    agent = desk.subject["citizen"]
    mandate = desk.do(lambda call: mandates.grant(call, person=agent, principal=company, role="agent"))
    approve(desk, ask(desk, RiskyAct.MANDATE_REVOKE, {"subject": agent, "mandate_id": mandate}))
    assert desk.do(lambda call: mandates.live(call, agent)) == []
    facts = {"subject": agent, "mandate_id": mandate}
    assert desk.refusal(lambda call: approvals.ask(call, RiskyAct.MANDATE_REVOKE, facts)) == "not_found"


def test_a_guardian_is_entered_until_the_ward_comes_of_age(desk: Desk) -> None:
    child = desk.do(lambda call: people.enrol(call, number=CHILD, name="王小小"))
    asked = ask(desk, RiskyAct.GUARDIAN_ENTER, {"minor": CHILD, "guardian": ALICE})
    row = desk.do(lambda call: call.session.get(AdminRequest, asked.request_id))
    assert desk.do(lambda call: view.request(call, row))["facts"] == {"minor": "王**", "guardian": "王**"}
    approve(desk, asked)
    (found,) = desk.do(lambda call: mandates.live(call, desk.subject["citizen"]))
    assert (found.principal, found.role, found.principal_kind) == (child, "guardian", "person")
    until = desk.do(lambda call: call.session.scalars(select(Mandate.valid_until)).one())
    assert until.isoformat() == "2033-02-28T16:00:00+00:00"
    for wrong in ({"minor": ALICE, "guardian": ALICE}, {"minor": CHILD, "guardian": CHILD}, {"minor": CHILD, "guardian": STRANGER}):  # fmt: skip  # noqa: E501
        assert desk.refusal(lambda call, w=wrong: approvals.ask(call, RiskyAct.GUARDIAN_ENTER, w)) == "invalid"


def test_a_number_is_found_whole_or_not_at_all(desk: Desk) -> None:
    assert desk.do(lambda call: person_acts.find(call, ALICE.lower())) == (desk.subject["citizen"], "person")
    for number in (ALICE[:17], ALICE[:10] + "%", "", STRANGER, "*"):
        assert desk.refusal(lambda call, n=number: person_acts.find(call, n)) == "not_found"


def test_a_look_at_a_person_is_masked_and_on_his_record(desk: Desk) -> None:
    citizen = desk.subject["citizen"]
    seen = desk.do(lambda call: view.found(call, citizen, "person"))
    assert (seen["name"], seen["number"]) == ("王**", ALICE[:3] + "***********" + ALICE[-4:])
    assert desk.refusal(lambda call: view.found(call, citizen, "person"), "audit") == "forbidden"
    entries = desk.do(lambda call: call.session.scalars(select(AuditEntry.deed)).all())
    assert "idservice:person:look_up" in entries


def test_the_audit_administrator_reads_what_everybody_did_and_leaves_a_trace(desk: Desk) -> None:
    made(desk)
    desk.now += timedelta(seconds=1)
    rows = desk.do(lambda call: view.log_entries(call, limit=200, cursor=None), "audit")
    shown = [view.log_entry(row) for row in rows]
    assert {"idservice:client:create", "idservice:admin_request:approve"} <= {entry["deed"] for entry in shown}
    assert ALICE not in json.dumps([entry["facts"] for entry in shown])
    desk.now += timedelta(seconds=1)
    again = desk.do(lambda call: view.log_entries(call, limit=1, cursor=None), "audit")
    assert again[0].deed == "idservice:audit_entry:read"
    for who in ("system", "security"):
        assert desk.refusal(lambda call: view.log_entries(call, limit=1, cursor=None), who) == "forbidden"
    assert desk.refusal(lambda call: view.log_entries(call, limit=1, cursor="'; --"), "audit") == "bad_request"

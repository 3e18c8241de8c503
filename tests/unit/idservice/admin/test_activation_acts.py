"""A code for a first second factor: for whom two administrators make one, and what is kept of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import delete, select, update

from idservice.admin import activation_acts, approvals
from idservice.admin.acts import RiskyAct
from idservice.admin.models import Administrator, AdminRequest
from idservice.login import activation, totp
from idservice.login.models import ActivationCode
from idservice.models import AuditEntry, Person
from tests.unit.idservice.admin.conftest import Desk

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def ask(desk: Desk, whose: str = "audit") -> Any:
    facts = {"subject": desk.subject[whose]}
    return desk.do(lambda call: approvals.ask(call, RiskyAct.FACTOR_ACTIVATE, facts))


def decide(desk: Desk, asked: Any) -> Any:
    return desk.do(lambda call: approvals.decide(call, asked.request_id, approve=True), "security")


def held(desk: Desk) -> list[bytes]:
    return list(desk.do(lambda call: call.session.scalars(select(ActivationCode.code_hash)).all()))


def test_the_code_is_told_to_whoever_asks_and_kept_as_a_hash_alone(desk: Desk) -> None:
    asked = ask(desk)
    assert held(desk) == []
    row = desk.do(lambda call: call.session.get(AdminRequest, asked.request_id))
    kept = desk.do(lambda call: approvals.facts_of(call, row))
    assert asked.secret not in str(kept)
    assert set(asked.facts) == {"subject"}
    decide(desk, asked)
    assert held(desk) == [activation.hash_of(asked.secret)]
    facts = desk.do(lambda call: " ".join(call.session.scalars(select(AuditEntry.facts)).all()))
    assert asked.secret not in facts
    assert kept["secret"] not in facts


def test_whom_no_code_is_made_for(desk: Desk) -> None:
    def refusal(whose: str) -> str:
        return desk.refusal(lambda call: activation_acts.propose(call, {"subject": desk.subject.get(whose, "0" * 32)}))

    assert [refusal(whose) for whose in ("nobody", "citizen", "system")] == ["not_found", "conflict", "forbidden"]
    desk.do(lambda call: totp.put(call, desk.subject["audit"], SECRET))
    assert refusal("audit") == "conflict", "he has a second factor"
    desk.do(lambda call: call.session.execute(update(Person).values(status="locked")))
    assert refusal("security2") == "conflict", "he is stopped"


def test_it_is_looked_at_again_when_it_is_agreed_to(desk: Desk) -> None:
    asked = ask(desk)
    gone = delete(Administrator).where(Administrator.subject == desk.subject["audit"])
    desk.do(lambda call: call.session.execute(gone))
    agree = approvals.decide
    assert desk.refusal(lambda call: agree(call, asked.request_id, approve=True), "security") == "conflict"
    assert held(desk) == []


def test_of_two_that_are_agreed_to_at_once_one_holds(desk: Desk) -> None:
    subject = desk.subject["audit"]
    with ThreadPoolExecutor(2) as pool:
        both = [bytes([number]) * 32 for number in range(2)]
        list(pool.map(lambda code: desk.do(lambda call: _slowly(call, subject, code)), both))
    assert held(desk) in [[code] for code in both]


def _slowly(call: Any, subject: str, code: bytes) -> None:
    activation.enter(call, subject, code)
    time.sleep(0.1)  # before the commit, so that the other one comes meanwhile

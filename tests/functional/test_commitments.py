"""Commitments through the API: offered, signed, verified without us, found false, objected to, decided, cleared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from sqlalchemy import select

from idservice.errors import Problem
from idservice.models import Mandate
from keys.ring import Purpose
from licences.counter import commitment_signing, commitment_statement, commitments
from licences.counter.commitment_life import Step
from licences.counter.commitment_schemas import CommitmentSchema
from licences.counter.models import Commitment
from tests import cases
from tests.identity import ISSUER
from tests.town import AGENT, ALICE, BOB, CLERK, COMPANY, NAMES, OFFICER, SECURITY, WINDOW, Town

PATH = "/v1/commitments"


@pytest.fixture(scope="module", autouse=True)
def _cases(town: Town) -> None:
    cases.set_up(town)


def post(town: Town, path: str, headers: dict[str, str], status: int = 201, **body: Any) -> Any:
    answer = town.web.post(f"{PATH}/{path}", json=body or None, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json


def is_barred(town: Town) -> bool:
    return town.act(lambda call: commitments.barred(call, town.subjects[ALICE], cases.CODE))


def test_from_the_signature_to_the_cleared_mark(town: Town) -> None:
    alice, officer = cases.header(town, ALICE, "case-holder"), cases.header(town, OFFICER)
    number = cases.offered(town)
    signed = post(town, f"{number}/signatures", alice, language="zh")
    assert (signed["state"], signed["text"], signed["unit"]) == ("signed", cases.TEXT, NAMES[SECURITY])
    assert CommitmentSchema().validate(signed) == {}
    assert post(town, f"{number}/signatures", alice, 409, language="zh")["code"] == "step_not_open"

    answer = town.web.get(f"{PATH}/{number}/statement", headers=alice)
    assert answer.content_type == "application/commitment+jwt"
    keys = KeySet.import_key_set(town.web.get("/.well-known/consent-receipt-jwks.json").json)
    theirs = jws.deserialize_compact(answer.text, keys, algorithms=["ES256"])
    report = commitment_statement.verify(answer.text, keys=town.house.keys.public(Purpose.RECEIPT), issuer=ISSUER)
    assert report.ok
    assert theirs.headers()["typ"] == commitment_statement.TYPE
    assert report.payload["signer"] == {"name": "王小明", "number": ALICE}
    assert (report.payload["text"], report.payload["act"]["amr"]) == (cases.TEXT, ["pwd"])
    row = town.act(lambda call: call.session.get_one(Commitment, (town.subjects[ALICE], number)))
    assert ALICE.encode() not in row.content_sealed + (row.statement_sealed or b"")

    assert number in {one["id"] for one in town.web.get(PATH, headers=officer).json["items"]}
    assert town.web.get(f"{PATH}/{number}", headers=officer).json["holder"]["name"] == "王**"
    assert town.looks()[0]["act"] == "licences:commitment:read"
    assert not is_barred(town)
    assert post(town, f"{number}/findings", officer, 422, finding="false")["code"] == "invalid"
    marked = post(town, f"{number}/findings", officer, finding="false", reason="与登记不符")
    assert is_barred(town)
    assert town.looks()[0]["act"] == "licences:commitment:mark", "the person is told"
    assert datetime.fromisoformat(marked["objection_until"]).date() > datetime.now(UTC).date()

    assert post(town, f"{number}/objections", alice, 422, reason="")["code"] == "invalid"
    objected = post(town, f"{number}/objections", alice, reason="登记已更正")
    assert objected["steps"][-2]["reason"] == "与登记不符", "he reads why"
    refused = post(town, f"{number}/decisions", officer, 403, decision="uphold", reason="维持")
    assert refused["code"] == "another_officer"
    second = cases.header(town, cases.SECOND)
    assert post(town, f"{number}/decisions", second, decision="uphold", reason="维持")["state"] == "upheld"
    assert is_barred(town)
    assert post(town, f"{number}/decisions", second, decision="clear", reason="已改正")["state"] == "cleared"
    assert not is_barred(town)


def test_a_show_code_signs_at_the_counter_for_its_own_holder_alone(town: Town) -> None:
    for who in (ALICE, BOB):
        town.issue("resident_card", who)
    number, clerk = cases.offered(town), cases.header(town, CLERK)
    licence = {who: town.issue("real_estate_title", who).identifier for who in (ALICE, BOB)}
    other = post(town, f"{number}/counter-signatures", clerk, 403, code=town.show(licence[BOB], number=BOB))
    assert other["code"] == "authorisation_refused"
    body = {"operator": {"id_number": CLERK, "counter": WINDOW}, "department": SECURITY}
    nameless = post(town, f"{number}/counter-signatures", cases.machine(town), 403, code="0" * 26, department=SECURITY)
    assert nameless["code"] == "operator_required"
    signed = post(town, f"{number}/counter-signatures", cases.machine(town), code=town.show(licence[ALICE]), **body)
    assert signed["state"] == "signed"
    newest = town.looks()[0]
    assert (newest["act"], newest["who"]) == ("licences:commitment:sign", "孙**")
    assert newest["unit"] == f"{NAMES[SECURITY]} {WINDOW}"


def test_a_commitment_is_its_persons_and_its_units(town: Town) -> None:
    number = cases.offered(town)
    bob, alice = cases.header(town, BOB, "case-holder"), cases.header(town, ALICE, "case-holder")
    for path in ("signatures", "refusals", "objections"):
        body = {"language": "zh"} if path == "signatures" else {"reason": "x"} if path == "objections" else {}
        assert post(town, f"{number}/{path}", bob, 404, **body)["code"] == "not_found", path
    assert town.web.get(f"{PATH}/{number}", headers=cases.header(town, CLERK)).status_code == 404
    assert town.web.get(f"{PATH}/{number}/statement", headers=alice).status_code == 404
    assert post(town, f"{number}/refusals", alice)["state"] == "declined"
    assert post(town, f"{number}/signatures", alice, 409, language="zh")["code"] == "step_not_open"
    own = town.web.get(f"{PATH}/own", headers=alice).json["items"]
    assert number in {one["id"] for one in own}
    assert town.web.get(f"{PATH}/own", headers=bob).json["items"] == []


def test_signing_wants_a_recent_login_and_objecting_has_an_end(town: Town) -> None:
    number = cases.offered(town)
    subject, then = town.subjects[ALICE], datetime.now(UTC)
    caller = town.caller(ALICE, level=3, amr=("pwd",), auth_time=then - timedelta(minutes=16))

    def code_of(deed: Any, caller: Any, now: datetime) -> str:
        with pytest.raises(Problem) as caught:
            town.act(deed, caller=caller, now=now)
        return caught.value.code

    def sign(call: Any) -> Any:
        return commitment_signing.sign(call, number, language="zh")

    assert code_of(sign, caller, then) == "insufficient_user_authentication"
    low = town.caller(ALICE, level=2, amr=("pwd",), auth_time=then)
    assert code_of(sign, low, then) == "level_too_low"
    fresh = town.caller(ALICE, level=3, amr=("pwd",), auth_time=then)
    town.act(sign, caller=fresh, now=then)
    town.act(lambda call: commitments.judge(call, number, Step.FIND_FALSE, "不符"), now=then)
    row = town.act(lambda call: call.session.get_one(Commitment, (subject, number)))
    late = datetime.combine(row.objection_until, datetime.min.time(), UTC) + timedelta(days=1)
    assert code_of(lambda call: commitments.object_to(call, number, "异议"), fresh, late) == "objection_too_late"


def test_who_acts_for_a_company_signs_for_it_and_is_named(town: Town) -> None:
    number, agent = cases.offered(town, number=COMPANY), town.subjects[AGENT]
    mandate = town.act(
        lambda call: call.session.scalars(select(Mandate.mandate_id).where(Mandate.subject == agent)).one()
    )
    acting = {"principal": town.subjects[COMPANY], "mandate": mandate, "level": 3, "amr": ("pwd",)}
    caller = town.caller(AGENT, auth_time=datetime.now(UTC), **acting)
    signed = town.act(lambda call: commitment_signing.sign(call, number, language="zh"), caller=caller)
    token = town.act(lambda call: commitment_signing.statement(call, signed))
    report = commitment_statement.verify(token, keys=town.house.keys.public(Purpose.RECEIPT), issuer=ISSUER)
    assert report.payload["signer"] == {"name": "滨州示范食品有限公司", "number": COMPANY}
    assert report.payload["act"]["acting"] == "李**"
    alone = town.caller(AGENT, level=3, amr=("pwd",), auth_time=datetime.now(UTC))
    with pytest.raises(Problem, match="not_found"):
        town.act(lambda call: commitments.find_own(call, number), caller=alone)

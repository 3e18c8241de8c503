"""Commitments through the API: offered, signed, verified without us, found false, objected to, decided, cleared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from sqlalchemy import delete, select

from idservice.call import Caller
from idservice.errors import Problem
from idservice.models import Mandate
from keys.ring import Purpose
from licences.counter import commitment_codes, commitment_signing, commitment_statement, commitments
from licences.counter.commitment_life import Step
from licences.counter.commitment_schemas import CommitmentSchema
from licences.counter.models import Commitment
from licences.guard import stop
from licences.guard.models import GuardStop
from tests import cases
from tests.builders import SYSTEM
from tests.identity import ISSUER
from tests.looking_up import ask, request_for
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


def test_from_the_signature_to_the_cleared_mark(fresh_town: Town) -> None:
    cases.set_up(fresh_town)
    alice, officer = cases.header(fresh_town, ALICE, "case-holder"), cases.header(fresh_town, OFFICER)
    number = cases.offered(fresh_town)
    signed = post(fresh_town, f"{number}/signatures", alice, language="zh")
    assert (signed["state"], signed["text"], signed["unit"]) == ("signed", cases.TEXT, NAMES[SECURITY])
    assert CommitmentSchema().validate(signed) == {}
    assert post(fresh_town, f"{number}/signatures", alice, 409, language="zh")["code"] == "step_not_open"

    answer = fresh_town.web.get(f"{PATH}/{number}/statement", headers=alice)
    assert answer.content_type == "application/commitment+jwt"
    keys = KeySet.import_key_set(fresh_town.web.get("/.well-known/consent-receipt-jwks.json").json)
    theirs = jws.deserialize_compact(answer.text, keys, algorithms=["ES256"])
    report = commitment_statement.verify(answer.text, keys=fresh_town.house.keys.public(Purpose.RECEIPT), issuer=ISSUER)
    assert report.ok
    assert theirs.headers()["typ"] == commitment_statement.TYPE
    assert report.payload["signer"] == {"name": "王小明", "number": ALICE}
    assert (report.payload["text"], report.payload["act"]["amr"]) == (cases.TEXT, ["pwd"])
    row = fresh_town.act(lambda call: call.session.get_one(Commitment, (fresh_town.subjects[ALICE], number)))
    assert ALICE.encode() not in row.content_sealed + (row.statement_sealed or b"")

    assert number in {one["id"] for one in fresh_town.web.get(PATH, headers=officer).json["items"]}
    assert fresh_town.web.get(f"{PATH}/{number}", headers=officer).json["holder"]["name"] == "王**"
    assert fresh_town.looks()[0]["act"] == "licences:commitment:read"
    assert not is_barred(fresh_town)
    assert post(fresh_town, f"{number}/findings", officer, 422, finding="false")["code"] == "invalid"
    marked = post(fresh_town, f"{number}/findings", officer, finding="false", reason="与登记不符")
    assert is_barred(fresh_town)
    assert fresh_town.looks()[0]["act"] == "licences:commitment:mark", "the person is told"
    assert datetime.fromisoformat(marked["objection_until"]).date() > datetime.now(UTC).date()

    assert post(fresh_town, f"{number}/objections", alice, 422, reason="")["code"] == "invalid"
    objected = post(fresh_town, f"{number}/objections", alice, reason="登记已更正")
    assert objected["steps"][-2]["reason"] == "与登记不符", "he reads why"
    refused = post(fresh_town, f"{number}/decisions", officer, 403, decision="uphold", reason="维持")
    assert refused["code"] == "another_officer"
    second = cases.header(fresh_town, cases.SECOND)
    assert post(fresh_town, f"{number}/decisions", second, decision="uphold", reason="维持")["state"] == "upheld"
    assert is_barred(fresh_town)
    assert post(fresh_town, f"{number}/decisions", second, decision="clear", reason="已改正")["state"] == "cleared"
    assert not is_barred(fresh_town)


def test_the_code_made_for_a_commitment_signs_it_at_the_counter_and_no_other_does(town: Town) -> None:
    number, clerk = cases.offered(town), cases.header(town, CLERK)
    alice, bob = (cases.header(town, who, "case-holder") for who in (ALICE, BOB))
    licence, theirs = town.issue("real_estate_title").identifier, cases.offered(town, number=AGENT)
    agent = town.caller(AGENT, level=3, amr=("pwd",), auth_time=datetime.now(UTC))
    assert post(town, f"{number}/codes", bob, 404)["code"] == "not_found"
    others = {
        "shows a licence": town.show(licence),
        "shows his age": town.show(licence, fields=["age_over_18"]),
        "of another commitment": post(town, f"{cases.offered(town)}/codes", alice)["code"],
        "of another person": town.act(lambda call: commitment_codes.make(call, theirs), caller=agent).code,
        "nothing": "x",
    }
    for what, code in others.items():
        refused = post(town, f"{number}/counter-signatures", clerk, 403, code=code)
        assert refused["code"] == "authorisation_refused", what
    made = post(town, f"{number}/codes", alice)
    looked = ask(town, request_for({"auth_code": made["code"]}, matter=cases.CODE))
    assert (looked.status_code, looked.json["code"]) == (403, "authorisation_refused"), "it opens nothing else"
    assert town.verify(made["code"])["reasons"] == ["code_expired"]
    body = {"operator": {"id_number": CLERK, "counter": WINDOW}, "department": SECURITY}
    nameless = post(town, f"{number}/counter-signatures", cases.machine(town), 403, code="0" * 26, department=SECURITY)
    assert nameless["code"] == "operator_required"
    signed = post(town, f"{number}/counter-signatures", cases.machine(town), code=made["code"], **body)
    assert signed["state"] == "signed"
    again = post(town, f"{number}/counter-signatures", cases.machine(town), 403, code=made["code"], **body)
    assert again["code"] == "authorisation_refused"
    statement = town.web.get(f"{PATH}/{number}/statement", headers=alice).text
    keys = town.house.keys.public(Purpose.RECEIPT)
    act = commitment_statement.verify(statement, keys=keys, issuer=ISSUER).payload["act"]
    assert (act["way"], act["clerk"], act["amr"], act["level"]) == ("counter", "孙**", ["pwd"], 3)
    newest = town.looks()[0]
    assert (newest["act"], newest["who"]) == ("licences:commitment:sign", "孙**")
    assert newest["unit"] == f"{NAMES[SECURITY]} {WINDOW}"


def test_a_code_wants_the_login_that_signing_wants_and_the_guard_admits_its_use(town: Town) -> None:
    number, then = cases.offered(town), datetime.now(UTC)

    def refused(deed: Any, caller: Any = SYSTEM, now: datetime = then) -> str:
        with pytest.raises(Problem) as caught:
            town.act(deed, caller=caller, now=now)
        return caught.value.code

    def make(call: Any) -> Any:
        return commitment_codes.make(call, number)

    old = town.caller(ALICE, level=3, amr=("pwd",), auth_time=then - timedelta(minutes=16))
    assert refused(make, old) == "insufficient_user_authentication"
    low = town.caller(ALICE, level=2, amr=("pwd",), auth_time=then)
    assert refused(make, low) == "level_too_low"
    made = town.act(make, caller=town.caller(ALICE, level=3, amr=("pwd",), auth_time=then), now=then)
    body = {"code": made.code, "operator": {"id_number": CLERK}, "department": SECURITY}

    def sign(call: Any) -> Any:
        return commitment_signing.sign_at_counter(call, number, body, language="zh")

    machine = Caller(channel="api", client_id="case-counter", departments=frozenset({SECURITY}))
    assert refused(sign, machine, made.expires_at) == "authorisation_refused", "it is old"
    town.act(lambda call: stop.put(call, scope="all", target="", reason="演示"))
    assert refused(sign, machine) == "look_ups_stopped"
    town.act(lambda call: call.session.execute(delete(GuardStop)))
    assert town.act(sign, caller=machine, now=then).state == "signed", "a code that was refused is not used up"


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


def test_a_list_names_nobody_and_an_unsigned_commitment_tells_not_even_that_there_is_somebody(town: Town) -> None:
    real = cases.offered(town)
    nobody = cases.offered(town, subject="0" * 32)
    officer, before = cases.header(town, OFFICER), len(town.looks())
    listed = {one["id"]: one for one in town.web.get(f"{PATH}?state=offered", headers=officer).json["items"]}
    for number in (real, nobody):
        assert not {"holder", "text", "steps"} & listed[number].keys()
        read = town.web.get(f"{PATH}/{number}", headers=officer).json
        assert (read["holder"], read["text"]) == (None, cases.TEXT)
    unsigned = town.browser(OFFICER).open("/commitments").text
    assert "王**" not in unsigned
    assert len(town.looks()) == before + 1, "each commitment that is read is on record, and no list is"
    post(town, f"{real}/signatures", cases.header(town, ALICE, "case-holder"), language="zh")
    judged = post(town, f"{real}/findings", officer, finding="kept")
    assert judged["holder"]["name"] == "王**"
    assert [look["act"] for look in town.looks()[:2]] == ["licences:commitment:read"] * 2


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

"""Look-ups refused: 403 with a code of its own, on record, and nothing is learnt. Consents and their end."""

import concurrent.futures
import json
from datetime import timedelta
from typing import Any

import pytest

from licences.counter import lookups
from licences.models import LookupConsent
from tests.looking_up import ask, consent, counts, proofs, refusals, request_for
from tests.town import (
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    MATTER,
    OFFICER,
    STRANGER,
    Town,
)

SPOUSE = {"spouse_name": "王示例", "spouse_number": "379901199001010015"}


@pytest.fixture(scope="module", autouse=True)
def card(town: Town) -> str:
    """Alice holds a resident card, the one returned, and a marriage certificate."""
    town.issue("marriage_certificate")
    return town.issue("resident_card").identifier


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": ...}, "purpose_required"),
        ({"purpose": "  "}, "purpose_required"),
        ({"purpose": None}, "purpose_required"),
        ({"case_number": ...}, "case_number_required"),
        ({"case_number": ""}, "case_number_required"),
        ({"operator": ...}, "operator_required"),
        ({"operator": None}, "operator_required"),
        ({"operator": {}}, "operator_required"),
        ({"operator": {"id_number": ""}}, "operator_required"),
        ({"operator": {"id_number": BOB}}, "operator_unknown"),
        ({"operator": {"id_number": OFFICER}}, "operator_unknown"),
        ({"operator": {"id_number": "1"}}, "operator_unknown"),
        ({"operator": {"id_number": CLERK}, "department": CIVIL}, "operator_unknown"),
        ({"authorisation": ...}, "authorisation_required"),
        ({"authorisation": None}, "authorisation_required"),
        ({"authorisation": {}}, "authorisation_required"),
        ({"authorisation": {"code": ""}}, "authorisation_required"),
        ({"authorisation": {"code": "0" * 26}}, "authorisation_refused"),
        ({"authorisation": {"code": "nonsense"}}, "authorisation_refused"),
        ({"authorisation": {"consent": "0" * 32}}, "authorisation_refused"),
        ({"authorisation": {"consent": "%"}}, "authorisation_refused"),
        ({"authorisation": {"legal_basis": "第七条"}}, "legal_basis_not_offered"),
    ],
)
def test_what_is_missing_or_foreign_is_refused_and_recorded(town: Town, changes: dict[str, Any], code: str) -> None:
    given = consent(town)
    before, refused = counts(town), len(refusals(town))
    answer = ask(town, request_for({"consent": given}, **changes))
    assert (answer.status_code, answer.json["code"]) == (403, code), answer.text
    assert counts(town) == before
    assert refusals(town)[refused:] == [code]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"matter": "NO-SUCH"}, 404),
        ({"matter": ...}, 422),
        ({"subject": {"number": "371602199003071230"}}, 422),
        ({"subject": {"number": "1" * 65}}, 422),
        ({"subject": ...}, 422),
        ({"authorisation": {"code": "0" * 26, "consent": "0" * 32}}, 422),
        ({"authorisation": "0" * 26}, 422),
        ({"operator": CLERK}, 422),
        ({"purpose": "x" * 201}, 422),
        ({"purpose": "x\u202e"}, 422),
        ({"all": True}, 422),
    ],
)
def test_what_is_malformed_is_refused_as_such(town: Town, changes: dict[str, Any], status: int) -> None:
    answer = ask(town, request_for({"consent": consent(town)}, **changes))
    assert answer.status_code == status, answer.text


def test_an_unknown_subject_and_a_foreign_authorisation_are_answered_alike(town: Town, card: str) -> None:
    given, code = consent(town), town.show(card)
    bodies = [
        request_for({"consent": given}, subject={"number": STRANGER}),
        request_for({"consent": given}, subject={"number": BOB}),
        request_for({"code": code}, subject={"number": STRANGER}),
        request_for({"code": code}, subject={"number": BOB}),
    ]
    answers = [ask(town, body) for body in bodies]
    assert {answer.status_code for answer in answers} == {403}
    assert len({json.dumps(answer.json | {"request_id": ""}) for answer in answers}) == 1
    assert proofs(ask(town, request_for({"code": code}))), "a refused code is not used up"


@pytest.mark.parametrize("how", ["withdrawn", "expired", "other unit", "other matter"])
def test_a_consent_ends(town: Town, how: str) -> None:
    other = next(m["code"] for m in town.web.get("/v1/matters").json["items"] if m["code"] != MATTER)
    given = {
        "other unit": lambda: consent(town, department=CIVIL),
        "other matter": lambda: consent(town, matter=other),
    }.get(how, lambda: consent(town))()
    if how == "withdrawn":
        assert proofs(ask(town, request_for({"consent": given})))
        where = f"/v1/lookup-consents/{given}/withdrawals"
        assert town.web.post(where, headers=town.person(BOB)).status_code == 404
        done = town.web.post(where, headers=town.person(ALICE))
        assert (done.status_code, done.json["withdrawn_at"] is not None) == (201, True)
        again = town.web.post(where, headers=town.person(ALICE))
        assert again.json["withdrawn_at"] == done.json["withdrawn_at"]
    if how == "expired":
        town.act(lambda call: _expire(call, town.subjects[ALICE], given))
    answer = ask(town, request_for({"consent": given}))
    assert (answer.status_code, answer.json["code"]) == (403, "authorisation_refused")


def test_a_look_that_is_repeated_under_one_key_is_another_look(town: Town, card: str) -> None:
    """What was answered is not handed out again after the leave has ended, and never without its record."""
    given = consent(town)
    keyed = town.machine("counter") | {"Idempotency-Key": "look-1"}
    first, again = (ask(town, request_for({"consent": given}), keyed) for _ in range(2))
    assert first.json["id"] != again.json["id"]
    assert "Idempotent-Replayed" not in again.headers
    town.web.post(f"/v1/lookup-consents/{given}/withdrawals", headers=town.person(ALICE))
    before = counts(town)
    refused = ask(town, request_for({"consent": given}), keyed)
    assert (refused.status_code, refused.json["code"]) == (403, "authorisation_refused")
    assert counts(town) == before


def test_the_operator_of_one_department_is_not_borrowed_by_another(town: Town) -> None:
    answer = ask(town, request_for({"consent": consent(town)}), town.machine("civil-counter"))
    assert (answer.status_code, answer.json["code"]) == (403, "operator_unknown")


def test_a_citizen_and_an_issuer_do_not_look_up(town: Town) -> None:
    body = request_for({"consent": consent(town)})
    citizen = ask(town, body, town.person(BOB, client="staff-app"))
    assert (citizen.status_code, citizen.json["code"]) == (403, "operator_unknown")
    assert ask(town, body, town.machine("issuer")).json["code"] == "insufficient_scope"
    assert town.web.post("/v1/lookups", json=body).status_code == 401


def test_fifty_look_ups_with_one_code_succeed_once(town: Town, card: str) -> None:
    code, headers = town.show(card), town.machine("counter")
    before = counts(town)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _n: ask(town, request_for({"code": code}), headers).status_code, range(50)))
    assert sorted(set(answers)) == [200, 403]
    assert answers.count(200) == 1
    assert counts(town) == (before[0] + 1, before[1] + 1)


def test_no_answer_leaves_without_its_record(town: Town, monkeypatch: pytest.MonkeyPatch, card: str) -> None:
    code = town.show(card)
    before = counts(town)

    def broken(*_args: Any, **_facts: Any) -> None:
        raise RuntimeError("the record cannot be written")

    monkeypatch.setattr(lookups.audit, "record_access", broken)
    assert ask(town, request_for({"code": code})).status_code == 500
    monkeypatch.undo()
    assert counts(town) == before
    assert proofs(ask(town, request_for({"code": code}))), "and the code is not used up"


# --- consents and the page ---------------------------------------------------------------------------------------


def test_consents_are_listed_page_by_page(town: Town) -> None:
    mine = town.person(BOB)
    for _ in range(3):
        consent(town, BOB, days=1)
    first = town.web.get("/v1/lookup-consents?limit=2", headers=mine).json
    rest = town.web.get(f"/v1/lookup-consents?limit=2&cursor={first['next_cursor']}", headers=mine).json
    given = [item["given_at"] for item in first["items"] + rest["items"]]
    assert len(given) == 3
    assert given == sorted(given, reverse=True)
    assert rest["next_cursor"] is None
    for body in ({"matter": "NO-SUCH"}, {"matter": MATTER, "days": 400}, {"matter": MATTER, "department": "0" * 18}):
        refused = town.web.post("/v1/lookup-consents", json=body, headers=mine)
        assert refused.status_code in {404, 422}
    assert (
        town.web.post("/v1/lookup-consents", json={"matter": MATTER}, headers=town.machine("issuer")).status_code == 403
    )


def _expire(call: Any, subject: str, consent_id: str) -> None:
    row = call.session.get_one(LookupConsent, (subject, consent_id))
    row.expires_at = call.now - timedelta(seconds=1)

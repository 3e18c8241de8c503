"""What becomes of a licence: the table of changes, next versions, the officer's pages, the operator's check."""

import concurrent.futures
import json
from typing import Any

import pytest
from sqlalchemy import select

from licences import recheck
from licences.models import Licence
from tests.town import (
    ALICE,
    BOB,
    CLERK,
    NAMES,
    OFFICER,
    SECURITY,
    Town,
    type_of,
)


def test_a_licence_lives_as_the_table_says(town: Town) -> None:
    code = town.order()["identifier"]
    for deed, status, state in (
        ("resume", 409, None),
        ("suspend", 201, "suspended"),
        ("renew", 409, None),
        ("resume", 201, "valid"),
        ("revoke", 201, "revoked"),
        ("resume", 409, None),
    ):
        answer = town.change(code, deed, reason="演示")
        assert (answer.status_code, answer.json.get("state")) == (status, state), answer.text
    assert town.web.get(f"/v1/licences/{code}", headers=town.machine("issuer")).json["state"] == "revoked"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"change": "suspend"}, 422, "reason_required"),
        ({"change": "suspend", "reason": " "}, 422, "reason_required"),
        ({"change": "vanish", "reason": "x"}, 422, "change_unknown"),
        ({"change": "suspend", "reason": "x", "fields": {}}, 422, "invalid"),
        ({"change": "suspend", "reason": "x\u202e"}, 422, "invalid"),
        ({"change": ["suspend"], "reason": "x"}, 422, "invalid"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(town: Town, body: dict[str, Any], status: int, code: str) -> None:
    made = town.order("vocational_qualification", BOB)["identifier"]
    answer = town.post(f"/v1/licences/{made}/changes", body)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_the_holder_may_give_up_and_no_more(town: Town) -> None:
    code = town.order()["identifier"]
    row = town.row(code)
    holder = town.caller(ALICE)
    assert row.subject == holder.person
    where = f"/v1/licences/{code}/changes"
    assert town.web.post(where, json={"change": "revoke", "reason": "x"}, headers=town.person(ALICE)).status_code == 403
    as_citizen = town.person(ALICE, client="staff-app")
    refused = town.web.post(where, json={"change": "suspend", "reason": "x"}, headers=as_citizen)
    assert (refused.status_code, refused.json["code"]) == (403, "not_entitled")
    given_up = town.web.post(where, json={"change": "cancel", "reason": "不再需要"}, headers=as_citizen)
    assert (given_up.status_code, given_up.json["state"]) == (201, "cancelled")
    assert (
        town.web.post(where, json={"change": "cancel"}, headers=town.person(BOB, client="staff-app")).status_code == 404
    )


@pytest.mark.parametrize("deed", ["renew", "correct"])
def test_a_next_version_replaces_the_old(town: Town, deed: str) -> None:
    old = town.order()
    fields = {"location": "演示省示范市示范区新街9号"} if deed == "correct" else None
    answer = town.change(old["identifier"], deed, reason="演示", **({"fields": fields} if fields else {}))
    assert answer.status_code == 201, answer.text
    new = answer.json
    assert (new["version"], new["state"], new["number"]) == (2, "valid", old["number"])
    assert new["identifier"] != old["identifier"]
    assert new["fields"] == old["fields"] | (fields or {})
    before = town.web.get(f"/v1/licences/{old['identifier']}", headers=town.person(ALICE)).json
    assert (before["state"], before["next_identifier"]) == ("replaced", new["identifier"])
    assert town.change(old["identifier"], deed, reason="演示").status_code == 409
    assert town.act(lambda call: recheck.check(call, town.row(new["identifier"]))) == []


def test_parallel_renewals_make_one_next_version(town: Town) -> None:
    code, headers = town.order()["identifier"], town.machine("issuer")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: town.change(code, "renew", headers=headers).status_code, range(16)))
    assert sorted(set(answers)) == [201, 409]
    assert answers.count(201) == 1


# --- the officer's pages -----------------------------------------------------------------------------------------


def test_an_officer_issues_and_changes_on_his_pages(town: Town) -> None:
    officer = town.browser(OFFICER)
    front = officer.open("/admin")
    assert front.status == 200
    assert type_of("real_estate_title").name in front.text
    assert type_of("marriage_certificate").name not in front.text
    form = officer.open(f"/admin/issue/{type_of('real_estate_title').code}")
    filled = {f"field.{name}": str(value) for name, value in type_of("real_estate_title").examples().items()}
    missing = officer.submit(form, number=BOB)
    assert missing.status == 422
    assert 'id="field.location-error"' in missing.text
    done = officer.submit(form, number=BOB, **filled)
    assert "/admin/issued/" in done.url
    code = done.url.rsplit("/", 1)[1]
    twice = officer.submit(form, number=BOB, **filled)
    assert twice.url == done.url, "the same form posted twice issues once"
    shown = officer.open(f"/admin/licences?identifier={code}")
    assert shown.url == f"/admin/licences/{code}"
    assert BOB not in shown.text
    assert "赵大海" not in shown.text
    refused = officer.submit(shown, change="suspend")
    assert refused.status == 422
    assert "reason-error" in refused.text
    suspended = officer.submit(shown, change="suspend", reason="演示暂扣")
    assert suspended.status == 200
    assert "演示暂扣" in suspended.text
    assert town.row(code).state == "suspended"
    looks = town.web.get("/v1/accesses", headers=town.person(BOB)).json["items"]
    assert any(look["act"] == "licences:licence:read" and look["unit"] == NAMES[SECURITY] for look in looks)


@pytest.mark.parametrize("number", [ALICE, CLERK])
def test_the_officers_pages_are_closed_to_others(town: Town, number: str) -> None:
    browser = town.browser(number)
    assert browser.open("/admin").status == 403
    assert browser.open(f"/admin/issue/{type_of('driving_licence').code}").status == 403
    code = town.order()["identifier"]
    assert browser.open(f"/admin/licences/{code}").status == 403


def test_an_officer_does_not_reach_other_departments(town: Town) -> None:
    officer = town.browser(OFFICER)
    code = town.order("marriage_certificate", BOB)["identifier"] if not _held(town, BOB) else _held(town, BOB)
    assert officer.open(f"/admin/licences/{code}").status == 404
    assert officer.open(f"/admin/issue/{type_of('marriage_certificate').code}").status == 403


# --- the operator ------------------------------------------------------------------------------------------------


def test_the_operator_checks_every_stored_licence(town: Town) -> None:
    runner = town.app.test_cli_runner()
    done = runner.invoke(args=["licences", "check", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == {"checked": town.count(Licence), "wrong": 0}
    code = town.order()["identifier"]

    def tamper(call: Any) -> None:
        row = call.session.get_one(Licence, (town.subjects[ALICE], code))
        row.seal_signature = row.seal_signature[:-1] + bytes([row.seal_signature[-1] ^ 1])

    town.act(tamper)
    done = runner.invoke(args=["licences", "check", "--json"])
    assert done.exit_code == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(item["identifier"], item["fault"]) for item in found[:-1]} == {(code, "seal"), (code, "credential")}
    town.act(tamper)


def _held(town: Town, number: str) -> str | None:
    wanted = select(Licence.identifier).where(
        Licence.subject == town.subjects[number], Licence.type_code == type_of("marriage_certificate").code
    )
    return town.act(lambda call: call.session.scalar(wanted))

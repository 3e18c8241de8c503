"""Collected licences of a type that takes two people wait for an officer, and he approves many at once."""

from dataclasses import replace
from typing import Any

import pytest

from licences import enrol
from licences.collection import approving, batches
from licences.collection.models import CollectedLicence
from tests.builders import STAFF_LOGIN
from tests.town import ALICE, BOB, OFFICER, SECURITY, Town, type_of

KIND = type_of("disability_card")
OTHER = {**KIND.examples(), "disability_category": "视力"}


@pytest.fixture
def town(fresh_town: Town) -> Town:
    """A town of the test's own: whoever was given a licence holds it."""
    return fresh_town


@pytest.fixture(autouse=True)
def sensitive(town: Town) -> None:
    """One type takes two people."""
    town.act(lambda call: enrol.put_type(call, replace(KIND, sensitive=True)))


def row(number: str, holder: str = BOB, **more: Any) -> dict[str, Any]:
    return {"type": KIND.code, "holder": holder, "number": number, "fields": KIND.examples(), **more}


def send(town: Town, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = town.post("/v1/licence-batches", {"department": SECURITY, "rows": list(rows)})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def seal(town: Town) -> int:
    return town.app.test_cli_runner().invoke(args=["licences", "sign", "--json"]).exit_code


def states(town: Town) -> dict[str, tuple[str, str | None]]:
    where = f"/v1/collected-licences?department={SECURITY}&limit=200"
    items = town.web.get(where, headers=town.machine("issuer")).json["items"]
    return {item["number"]: (item["state"], item["reason"]) for item in items}


def waiting(town: Town) -> list[dict[str, Any]]:
    where = f"/v1/collection-approvals?department={SECURITY}"
    found: list[dict[str, Any]] = town.web.get(where, headers=town.machine("issuer")).json["items"]
    return found


def test_what_is_sensitive_is_sealed_once_an_officer_has_approved_it(town: Town) -> None:
    send(town, row("C-1"), row("C-2", ALICE))
    assert seal(town) == 1
    assert states(town) == {"C-1": ("failed", approving.PARKED), "C-2": ("failed", approving.PARKED)}
    (found,) = waiting(town)
    assert (found["type"], found["rows"]) == (KIND.code, 2)
    body = {"department": SECURITY, "type": KIND.code, "until": found["until"]}
    where = "/v1/collection-approvals"
    assert town.post(where, body, town.machine("civil-issuer")).status_code == 403
    assert town.post(where, body).json["code"] == "second_person_other", "a system is no second person"
    approved = town.post(where, body, town.person(OFFICER, client="staff-app"))
    assert (approved.status_code, approved.json["rows"]) == (201, 2), approved.text
    assert waiting(town) == []
    assert seal(town) == 0
    assert states(town) == {"C-1": ("signed", approving.APPROVED), "C-2": ("signed", approving.APPROVED)}


def test_what_the_source_says_otherwise_waits_again(town: Town) -> None:
    send(town, row("C-1"))
    assert seal(town) == 1
    body = {"department": SECURITY, "type": KIND.code, "until": waiting(town)[0]["until"]}
    approved = town.post("/v1/collection-approvals", body, town.person(OFFICER, client="staff-app"))
    assert (approved.json["rows"], seal(town)) == (1, 0)
    assert send(town, row("C-1", fields=OTHER))["changed"] == 1
    assert seal(town) == 1
    assert states(town)["C-1"] == ("failed", approving.PARKED)
    again = town.app.test_cli_runner().invoke(args=["licences", "sign", "--again"])
    assert again.exit_code == 1
    assert states(town)["C-1"] == ("failed", approving.PARKED), "trying again is no approval"
    officer = town.browser(OFFICER)
    desk = officer.open("/admin/life")
    assert KIND.name in desk.text
    (found,) = waiting(town)
    given = {"csrf_token": desk.form["values"]["csrf_token"], "department": SECURITY}
    done = officer.open("/admin/quality/approvals", {**given, "type": KIND.code, "until": found["until"]})
    assert "下次签发时办理" in done.text
    assert seal(town) == 0
    assert states(town)["C-1"][0] == "signed"


def test_nobody_approves_his_own(town: Town) -> None:
    send(town, row("C-3", OFFICER))
    assert seal(town) == 1
    (found,) = waiting(town)
    body = {"department": SECURITY, "type": KIND.code, "until": found["until"]}
    assert town.post("/v1/collection-approvals", body, town.person(OFFICER, client="staff-app")).json["rows"] == 0
    assert states(town)["C-3"] == ("failed", approving.PARKED)


def test_nobody_approves_those_of_whom_he_acts_for(town: Town) -> None:
    send(town, row("C-5", ALICE))
    assert seal(town) == 1
    officer = town.caller(
        OFFICER, posts=frozenset({("officer", SECURITY)}), **STAFF_LOGIN, principal=town.subjects[ALICE]
    )
    found = town.act(lambda call: approving.approve(call, SECURITY, KIND.code, call.now), caller=officer)
    assert (found, states(town)["C-5"]) == (0, ("failed", approving.PARKED))


def test_a_person_sends_no_rows_that_take_two(town: Town) -> None:
    before = town.count(CollectedLicence)
    officer = town.caller(OFFICER, posts=frozenset({("officer", SECURITY)}), **STAFF_LOGIN)
    body = {"department": SECURITY, "rows": [row("C-4")]}
    told = town.act(lambda call: batches.bring_in(call, body), caller=officer)
    assert told["results"] == [{"row": 0, "outcome": "refused", "reasons": [approving.PARKED]}]
    assert town.count(CollectedLicence) == before

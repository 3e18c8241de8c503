"""What one officer alone may do to a licence of a type that takes two people: stop it, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from idservice.models import Staff
from licences import change, enrol
from licences.lifecycle import Change
from tests.functional.test_licence_life import SENSITIVE, ask, decide, officers_of
from tests.town import BOB, OFFICER, SECURITY, Town, order_for, type_of


@pytest.fixture(scope="module", autouse=True)
def two_officers(town: Town) -> None:
    """BOB is an officer too, and a type that one may hold twice takes two people."""

    def set_up(call: Any) -> None:
        call.session.add(Staff(subject=town.subjects[BOB], department=SECURITY, role="officer", counter=None))
        enrol.put_type(call, replace(type_of(SENSITIVE), sensitive=True, single=False))

    town.act(set_up)


BY_TWO = [
    ("collect", "uncollected", {}, "valid"),
    ("resume", "suspended", {}, "valid"),
    ("renew", "valid", {}, "valid"),
    ("renew", "valid", {"valid_until": "2050-01-01"}, "valid"),
    ("replace", "valid", {}, "valid"),
    ("change", "valid", {"fields": {"disability_category": "视力"}}, "valid"),
    ("correct", "valid", {"fields": {"disability_category": "视力"}}, "valid"),
    ("revoke", "valid", {}, "revoked"),
    ("withdraw", "valid", {}, "withdrawn"),
    ("cancel", "valid", {}, "cancelled"),
    ("transfer", "valid", {}, "transferred"),
]


def test_every_deed_on_a_sensitive_licence_takes_one_person_or_two() -> None:
    assert {deed for deed, *_rest in BY_TWO} == {*Change} - {Change.ISSUE, Change.SUSPEND, Change.FREEZE}


@pytest.mark.parametrize(("deed", "stands", "more", "ends"), BY_TWO)
def test_one_officer_alone_brings_nothing_into_force(
    town: Town, deed: str, stands: str, more: dict[str, Any], ends: str
) -> None:
    first, second = officers_of(town)
    code = sensitive_licence(town, collect=stands == "uncollected")
    if stands == "suspended":
        assert town.change(code, "suspend", first, reason="演示").status_code == 201
    for alone in (first, town.machine("issuer")):
        refused = town.change(code, deed, alone, reason="演示", **more)
        assert (refused.status_code, refused.json["code"]) == (409, "second_person_required")
    assert town.row(code).state == stands
    asked = ask(town, first, identifier=code, change={"change": deed, "reason": "演示", **more})
    assert asked.status_code == 201, asked.text
    assert decide(town, first, asked.json["id"]).json["code"] == "second_person_other"
    assert town.row(code).state == stands
    done = decide(town, second, asked.json["id"])
    assert (done.status_code, done.json["decision"]) == (201, "approved"), done.text
    now_held = town.row(done.json["result"])
    assert now_held.state == ends
    assert "valid_until" not in more or str(now_held.valid_until) == more["valid_until"]


@pytest.mark.parametrize("deed", ["suspend", "freeze"])
def test_one_officer_alone_stops_a_sensitive_licence(town: Town, deed: str) -> None:
    code = sensitive_licence(town)
    first = officers_of(town)[0]
    needless = ask(town, first, identifier=code, change={"change": deed, "reason": "演示"})
    assert needless.json["code"] == "second_person_not_needed"
    assert town.change(code, deed, first, reason="演示").json["state"] == "suspended"


def test_a_holder_collects_his_own_alone(town: Town) -> None:
    code = sensitive_licence(town, collect=True)
    town.act(lambda call: change.change(call, code, {"change": "collect"}, None), caller=town.caller())
    assert town.row(code).state == "valid"


def test_an_upheld_objection_corrects_no_sensitive_licence_by_one(town: Town) -> None:
    code = sensitive_licence(town)
    said = {"field": "disability_category", "right": "视力", "why": "笔误"}
    made = town.post(f"/v1/licences/{code}/objections", said, town.person()).json
    upholding = {"decision": "uphold", "answer": "属实", "fields": {"disability_category": "视力"}}
    refused = town.post(f"/v1/objections/{made['id']}/answers", upholding, officers_of(town)[0])
    assert (refused.status_code, refused.json["code"]) == (409, "second_person_required")
    assert town.row(code).state == "valid"


def test_an_officers_page_asks_for_a_renewal_and_the_other_sees_its_dates(town: Town) -> None:
    code = sensitive_licence(town)
    first, second = town.browser(OFFICER), town.browser(BOB)
    asked = first.submit(first.open(f"/admin/licences/{code}"), change="renew", reason="演示")
    assert "已提交，请另一名人员复核" in asked.text
    assert town.row(code).state == "valid"
    renewing = {"change": "renew", "valid_until": "2051-03-04"}
    assert ask(town, officers_of(town)[0], identifier=code, change=renewing).status_code == 201
    assert "2051" in second.open("/admin/life").text, "whoever approves sees until when"


def sensitive_licence(town: Town, **more: Any) -> str:
    """Return a licence of the sensitive type, issued by two."""
    first, second = officers_of(town)
    asked = ask(town, first, issue=order_for(SENSITIVE, **more))
    return str(decide(town, second, asked.json["id"]).json["result"])

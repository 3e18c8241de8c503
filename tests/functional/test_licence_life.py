"""The life of a licence beyond single changes: collecting, grounds, second persons, stops of issuing, objections."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idservice.models import Staff
from licences import change, enrol
from licences.life import change_requests, objections
from tests.identity import Browser, Page
from tests.town import ALICE, BOB, COMPANY, OFFICER, SECURITY, Town, now, order_for, type_of

SENSITIVE = "disability_card"


@pytest.fixture(scope="module", autouse=True)
def second_officer(town: Town) -> None:
    enter_second_officer(town)


def enter_second_officer(town: Town) -> None:
    """BOB is an officer too, and one type takes two people."""

    def set_up(call: Any) -> None:
        call.session.add(Staff(subject=town.subjects[BOB], department=SECURITY, role="officer", counter=None))
        enrol.put_type(call, replace(type_of(SENSITIVE), sensitive=True))

    town.act(set_up)


@pytest.fixture
def officers(town: Town) -> tuple[dict[str, str], dict[str, str]]:
    return officers_of(town)


def officers_of(town: Town) -> tuple[dict[str, str], dict[str, str]]:
    """Two officers of one department, at their department's system."""
    return town.person(OFFICER, client="staff-app"), town.person(BOB, client="staff-app")


def test_a_licence_holds_only_once_it_is_collected(town: Town) -> None:
    made = town.order(collect=True)
    assert made["state"] == "uncollected"
    report = town.verify(made["identifier"])
    assert (report["ok"], report["state"], report["reasons"]) == (False, "uncollected", ["not_yet_valid"])
    holder = town.browser(ALICE)
    page = holder.open(f"/me/licences/{made['identifier']}")
    collected = post(holder, page, f"/me/collecting/{made['identifier']}")
    assert collected.status == 200, collected.text
    assert town.row(made["identifier"]).state == "valid"
    assert town.change(made["identifier"], "collect").json["code"] == "change_not_allowed"


def test_every_change_says_on_what_ground(town: Town) -> None:
    code = town.order()["identifier"]
    refused = town.change(code, "suspend", reason="x", ground="licensing_69")
    assert (refused.status_code, refused.json["code"]) == (422, "ground_unknown")
    assert "penalty_9" in refused.json["detail"]
    for deed, ground in (("freeze", "court"), ("resume", None), ("withdraw", None)):
        answer = town.change(code, deed, reason="演示", **({"ground": ground} if ground else {}))
        assert answer.status_code == 201, answer.text
    page = town.browser(OFFICER).open(f"/admin/licences/{code}")
    for words in ("人民法院协助执行通知", "原措施已解除或期满", "行政处罚法第九条", "国务院令第716号第十条", "已吊销"):
        assert words in page.text
    assert town.verify(code)["reasons"] == ["revoked"]


@pytest.mark.parametrize(("deed", "version"), [("change", 2), ("replace", 2)])
def test_what_makes_a_next_version(town: Town, deed: str, version: int) -> None:
    old = town.order()
    more = {"fields": {"location": "演示省示范市示范区新街8号"}} if deed == "change" else {}
    new = town.change(old["identifier"], deed, reason="演示", **more).json
    assert (new["version"], new["state"], new["valid_until"]) == (version, "valid", old["valid_until"])
    assert town.row(old["identifier"]).state == "replaced"
    assert new["fields"].get("location") == (more["fields"]["location"] if more else old["fields"]["location"])


# --- two people --------------------------------------------------------------------------------------------------


def ask(town: Town, headers: dict[str, str], **body: Any) -> Any:
    return town.post("/v1/change-requests", body, headers)


def decide(town: Town, headers: dict[str, str], request_id: str, decision: str = "approve") -> Any:
    return town.post(f"/v1/change-requests/{request_id}/decisions", {"decision": decision}, headers)


def test_a_sensitive_licence_takes_two_people(fresh_town: Town) -> None:
    enter_second_officer(fresh_town)
    first, second = officers_of(fresh_town)
    order = order_for(SENSITIVE)
    alone = fresh_town.post("/v1/licences", order)
    assert (alone.status_code, alone.json["code"]) == (409, "second_person_required")
    assert ask(fresh_town, first, issue=order_for()).json["code"] == "second_person_not_needed"
    asked = ask(fresh_town, first, issue=order).json
    assert decide(fresh_town, first, asked["id"]).json["code"] == "second_person_other"
    assert decide(fresh_town, fresh_town.machine("issuer"), asked["id"]).json["code"] == "second_person_other"
    assert decide(fresh_town, fresh_town.machine("civil-issuer"), asked["id"]).status_code == 404
    waiting = fresh_town.web.get(f"/v1/change-requests?department={SECURITY}", headers=second).json["items"]
    assert [item["id"] for item in waiting] == [asked["id"]]
    done = decide(fresh_town, second, asked["id"])
    assert (done.status_code, done.json["decision"]) == (201, "approved"), done.text
    code = done.json["result"]
    assert fresh_town.row(code).state == "valid"
    assert decide(fresh_town, second, asked["id"]).json["code"] == "request_decided"

    assert fresh_town.change(code, "revoke", reason="演示").json["code"] == "second_person_required"
    assert fresh_town.change(code, "suspend", reason="演示").status_code == 201, "what can be undone takes one person"
    revoking = {"identifier": code, "change": {"change": "revoke", "reason": "演示"}}
    refused = ask(fresh_town, second, **revoking).json["id"]
    assert decide(fresh_town, first, refused, "refuse").json["decision"] == "refused"
    assert fresh_town.row(code).state == "suspended"
    asked_again = ask(fresh_town, fresh_town.machine("issuer"), **revoking).json["id"]
    assert decide(fresh_town, first, asked_again).json["result"] == code
    assert fresh_town.row(code).state == "revoked"


def test_what_two_people_renewed_its_holder_gives_up_alone(fresh_town: Town) -> None:
    enter_second_officer(fresh_town)
    first, second = officers_of(fresh_town)
    code = decide(fresh_town, second, ask(fresh_town, first, issue=order_for(SENSITIVE)).json["id"]).json["result"]
    other = {"disability_category": "视力"}
    renewing = {"identifier": code, "change": {"change": "renew", "reason": "演示", "fields": other}}
    renewed = decide(fresh_town, first, ask(fresh_town, second, **renewing).json["id"]).json["result"]
    assert fresh_town.row(renewed).state == "valid"
    giving_up = {"change": "cancel", "reason": "本人不再需要"}
    fresh_town.act(lambda call: change.change(call, renewed, giving_up, None), caller=fresh_town.caller(ALICE))
    assert fresh_town.row(renewed).state == "cancelled", "a holder gives up what is his alone"


def test_no_officer_acts_on_a_licence_of_his_own(town: Town, officers: tuple[dict[str, str], dict[str, str]]) -> None:
    first, second = officers

    def refused(answer: Any) -> bool:
        return bool((answer.status_code, answer.json.get("code")) == (403, "second_person_other"))

    assert refused(town.post("/v1/licences", order_for("driving_licence", OFFICER), first))
    assert refused(ask(town, first, issue=order_for(SENSITIVE, OFFICER)))
    his = town.order("driving_licence", OFFICER)["identifier"]
    for deed, more in (("suspend", {}), ("correct", {"fields": {"vehicle_class": "A1"}}), ("renew", {})):
        assert refused(town.change(his, deed, first, reason="演示", **more)), deed
    assert town.change(his, "suspend", second, reason="违法").status_code == 201
    assert refused(town.change(his, "resume", first, reason="演示"))
    assert town.change(his, "resume", second, reason="演示").status_code == 201
    assert town.change(his, "cancel", first, reason="本人不再需要").json["state"] == "cancelled", "as every holder may"
    order = {name: value for name, value in order_for().items() if name != "holder"}
    with_him = town.post("/v1/licences", order | {"holders": [{"number": ALICE}, {"number": OFFICER}]})
    shared = with_him.json["identifier"]
    assert refused(town.change(shared, "replace", first, reason="遗失"))
    assert town.change(shared, "replace", second, reason="遗失").status_code == 201


def test_no_officer_asks_for_a_licence_that_names_him_beside_another(
    town: Town, officers: tuple[dict[str, str], dict[str, str]]
) -> None:
    kind = type_of("vehicle_registration")
    town.act(lambda call: enrol.put_type(call, replace(kind, sensitive=True)))
    both = [{"number": ALICE}, {"number": OFFICER}]
    order = order_for("vehicle_registration")
    wanted = {name: value for name, value in order.items() if name != "holder"} | {"holders": both}
    refused = ask(town, officers[0], issue=wanted)
    assert (refused.status_code, refused.json["code"]) == (403, "second_person_other"), refused.text
    assert ask(town, officers[1], issue=wanted).status_code == 201
    town.act(lambda call: enrol.put_type(call, kind))


def test_nobody_decides_on_his_own_licence_nor_after_three_days(
    town: Town, officers: tuple[dict[str, str], dict[str, str]]
) -> None:
    first, second = officers
    mine = ask(town, first, issue=order_for(SENSITIVE, BOB)).json
    assert decide(town, second, mine["id"]).json["code"] == "second_person_other"
    late = now() + timedelta(days=3, minutes=1)
    assert town.act(lambda call: change_requests.waiting(call, SECURITY), now=late) == []


def test_two_officers_on_their_pages(town: Town) -> None:
    first, second = town.browser(OFFICER), town.browser(BOB)
    form = first.open(f"/admin/issue/{type_of(SENSITIVE).code}")
    filled = {f"field.{name}": str(value) for name, value in type_of(SENSITIVE).examples().items()}
    asked = first.submit(form, number=COMPANY, **filled)
    assert asked.status == 422, "a company holds no such card"
    asked = first.submit(form, number=ALICE, **filled)
    assert "已提交，请另一名人员复核" in asked.text
    assert "这是您提出的" in asked.text
    desk = second.open("/admin/life")
    approved = post(second, desk, "/admin/life/decisions", request=_value(desk, "request"), decision="approve")
    assert "已批准并办理" in approved.text


# --- stop issuing ------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(town: Town) -> Iterator[str]:
    made = town.post(
        "/v1/issuing-stops", {"department": SECURITY, "type": type_of("real_estate_title").code, "reason": "系统升级"}
    )
    assert made.status_code == 201, made.text
    yield made.json["id"]
    town.post(f"/v1/issuing-stops/{made.json['id']}/lifting", {})


def test_a_stop_ends_issuing_and_nothing_else(town: Town, stopped: str) -> None:
    refused = town.post("/v1/licences", order_for())
    assert (refused.status_code, refused.json["code"]) == (503, "issuing_stopped")
    assert "系统升级" in refused.json["detail"]
    other = town.order("vocational_qualification", BOB)
    assert town.verify(other["identifier"])["ok"]
    assert town.change(other["identifier"], "renew").status_code == 201
    lifted = town.post(f"/v1/issuing-stops/{stopped}/lifting", {})
    assert lifted.json["lifted_at"]
    assert town.post(f"/v1/issuing-stops/{stopped}/lifting", {}).status_code == 409
    held = town.order()
    assert town.change(held["identifier"], "suspend", reason="演示").status_code == 201


def test_a_stop_is_for_ones_own_department_and_for_later(town: Town) -> None:
    body = {"department": SECURITY, "reason": "x"}
    assert town.post("/v1/issuing-stops", body, town.machine("civil-issuer")).status_code == 403
    past = town.post("/v1/issuing-stops", body | {"until": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json["errors"][0]["pointer"]) == (422, "/until")
    assert town.web.get(f"/v1/issuing-stops?department={SECURITY}", headers=town.machine("issuer")).json["items"] == []


def test_an_officer_stops_issuing_on_his_page(town: Town) -> None:
    officer = town.browser(OFFICER)
    desk = officer.open("/admin/life")
    stopped = post(officer, desk, "/admin/life/stops", reason="演示停签")
    assert "已停止签发" in stopped.text
    assert town.post("/v1/licences", order_for("vocational_qualification", BOB)).json["code"] == "issuing_stopped"
    again = post(officer, stopped, "/admin/life/stops", lift=_value(stopped, "lift"))
    assert "已恢复签发" in again.text


# --- objections --------------------------------------------------------------------------------------------------


def test_an_objection_ends_in_a_corrected_version(town: Town) -> None:
    code = town.order()["identifier"]
    where = f"/v1/licences/{code}/objections"
    said = {"field": "location", "right": "演示省示范市示范区正街1号", "why": "与登记簿不一致"}
    assert town.post(where, said, town.person(BOB)).status_code == 404
    assert town.post(where, said | {"field": "invented"}, town.person()).json["code"] == "invalid"
    made = town.post(where, said, town.person()).json
    assert (made["state"], made["overdue"]) == ("waiting", False)
    waiting = town.web.get(f"/v1/department-objections?department={SECURITY}", headers=town.machine("issuer")).json
    assert made["id"] in [item["id"] for item in waiting["items"]]
    answer = f"/v1/objections/{made['id']}/answers"
    empty = town.post(answer, {"decision": "uphold", "answer": "属实"})
    assert (empty.status_code, empty.json["code"]) == (422, "correction_missing")
    for nothing in ({}, {"location": town.order()["fields"]["location"]}):
        same = town.post(answer, {"decision": "uphold", "answer": "属实", "fields": nothing})
        assert (same.status_code, same.json["code"]) == (422, "correction_missing"), nothing
    assert town.row(code).state == "valid"
    upheld = town.post(answer, {"decision": "uphold", "answer": "属实", "fields": {"location": said["right"]}})
    assert (upheld.status_code, upheld.json["state"]) == (201, "upheld"), upheld.text
    new = town.web.get(f"/v1/licences/{upheld.json['corrected']}", headers=town.person()).json
    assert (new["version"], new["fields"]["location"]) == (2, said["right"])
    assert town.post(answer, {"decision": "refuse", "answer": "x"}).json["code"] == "objection_decided"
    mine = town.web.get("/v1/objections", headers=town.person()).json["items"]
    assert [(item["state"], item["answer"]) for item in mine if item["id"] == made["id"]] == [("upheld", "属实")]


def test_a_holder_objects_and_an_officer_answers_on_pages(town: Town) -> None:
    code = town.order()["identifier"]
    holder, officer = town.browser(ALICE), town.browser(OFFICER)
    form = holder.open(f"/me/objections/{code}")
    assert holder.submit(form, field="location", right="", why="x").status == 422
    mine = holder.submit(form, field="location", right="演示路99号", why="笔误")
    assert "等待答复" in mine.text
    desk = officer.open("/admin/life")
    assert "演示路99号" in desk.text
    answered = post(
        officer,
        desk,
        "/admin/life/answers",
        objection=_value(desk, "objection"),
        decision="refuse",
        answer="以登记簿为准",
    )
    assert "已驳回" in answered.text
    assert "以登记簿为准" in holder.open("/me/objections").text


def test_a_late_answer_is_marked(town: Town) -> None:
    code = town.order()["identifier"]
    row = town.act(
        lambda call: objections.make(call, code, {"field": "location", "right": "x", "why": "y"}),
        caller=town.caller(ALICE),
    )
    assert timedelta(days=15) < row.due_at - now() < timedelta(days=45)
    assert not town.act(lambda call: objections.shown(call, row))["overdue"]
    assert town.act(lambda call: objections.shown(call, row), now=row.due_at)["overdue"]


def post(browser: Browser, page: Page, action: str, **values: str) -> Page:
    """Post one of the forms of a page that has several."""
    return browser.open(action, {"csrf_token": _value(page, "csrf_token"), **values})


def _value(page: Page, name: str) -> str:
    """Return the value of the last field of that name: what came last waits at the end."""
    found = re.findall(f'name="{name}"[^>]* value="([^"]*)"', page.text)
    assert found, f"{name} is not on {page.url}"
    return str(found[-1])

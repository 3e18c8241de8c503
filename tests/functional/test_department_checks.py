"""Department checks through the API: asked, returned, answered under seal, read, closed; escalated when late."""

import base64
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from idservice import expiry
from idservice.admin import roles
from idservice.errors import Problem
from idservice.login import stand_in
from licences.counter import assist_escalation, assist_reply, assist_view, assists
from licences.counter.assist_schemas import DepartmentCheckReadSchema
from licences.counter.models import DepartmentCheck
from tests import cases
from tests.looking_up import ask, proofs, request_for
from tests.town import ALICE, BOB, CIVIL, CLERK, NAMES, OFFICER, SECURITY, STRANGER, WINDOW, Town

PATH = "/v1/department-checks"


@pytest.fixture(scope="module", autouse=True)
def _cases(town: Town) -> None:
    cases.set_up(town)


@pytest.fixture(scope="module")
def officer(town: Town) -> dict[str, str]:
    return cases.header(town, OFFICER)


@pytest.fixture(scope="module")
def clerk(town: Town) -> dict[str, str]:
    return cases.header(town, CLERK)


def post(town: Town, path: str, headers: dict[str, str], status: int = 201, **body: Any) -> Any:
    answer = town.web.post(f"{PATH}{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json


def get(town: Town, path: str, headers: dict[str, str], status: int = 200) -> Any:
    answer = town.web.get(f"{PATH}{path}", headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json


def test_from_the_question_to_the_sealed_answer(town: Town, officer: dict[str, str], clerk: dict[str, str]) -> None:
    lookup = town.act(lambda call: cases.look_up(call, town.subjects[ALICE]))
    body = {"lookup": lookup, "subject": {"number": ALICE}, "proof": cases.PROOF, "purpose": "落户登记"}
    more = {"case_number": "DM-7", "operator": {"id_number": CLERK, "counter": WINDOW}, "department": SECURITY}
    asked = post(town, "", cases.machine(town), **body, **more)
    where = f"/{asked['id']}"
    assert post(town, "", cases.machine(town), 409, **body, **more)["code"] == "asked_already"
    assert (asked["state"], asked["department"], asked["asking_department"]) == ("requested", CIVIL, SECURITY)
    assert asked["holder"] is None, "a name would tell the counter that somebody exists"
    assert date.fromisoformat(asked["due_on"]) > datetime.now(UTC).date()
    assert asked["id"] in {one["id"] for one in get(town, "", officer)["items"]}
    assert asked["id"] in {one["id"] for one in get(town, f"/asked?matter={cases.CODE}", clerk)["items"]}

    reminded = post(town, f"{where}/reminders", clerk, reason="请尽快")
    assert reminded["reminders"] == 1
    assert post(town, f"{where}/reminders", clerk, 409)["code"] == "reminded_already"
    assert post(town, f"{where}/returns", officer, 422, reason=" ")["code"] == "invalid"
    assert post(town, f"{where}/returns", officer, reason="请补充户号")["state"] == "returned"
    assert post(town, f"{where}/assignments", officer, 409)["code"] == "step_not_open"
    assert post(town, f"{where}/resubmissions", clerk, reason="户号 123")["state"] == "requested"
    assert post(town, f"{where}/replies", officer, 409, answer="yes", text="属实")["code"] == "step_not_open"

    taken = post(town, f"{where}/assignments", officer)
    assert taken["holder"] == {"name": "王小明", "number": ALICE}, "who answers knows of whom"
    assert [step["step"] for step in taken["steps"]] == ["request", "remind", "return", "resend", "assign"]
    assert DepartmentCheckReadSchema().validate(taken) == {}
    second = cases.header(town, cases.SECOND)
    assert get(town, where, second)["holder"]["name"] == "王**"
    refused = post(town, f"{where}/replies", second, 403, answer="yes", text="属实")
    assert refused["code"] == "not_assigned_to_you"
    assert get(town, f"{where}/replies", clerk, 404)["code"] == "not_found"

    turned = post(town, f"{where}/replies", officer, 422, answer="yes", text="属实\u202e")
    assert turned["errors"][0]["pointer"] == "/text"
    foreign = post(town, f"{where}/replies", officer, 422, answer="yes", text="属实", seal=town.seals[SECURITY])
    assert foreign["errors"][0]["pointer"] == "/seal", "he is an officer there too, and it is not the unit's seal"
    sent = post(town, f"{where}/replies", officer, answer="yes", text="经查，户籍登记情况属实。" * 10)
    document = base64.b64decode(sent["document"])
    report = town.web.post("/v1/seal-verifications", data={"file": (io.BytesIO(document), "reply.ofd")})
    assert report.json["ok"], report.json
    assert report.json["signatures"][0]["seal"]["name"] == NAMES[CIVIL]
    assert post(town, f"{where}/replies", officer, 409, answer="no", text="否")["code"] == "step_not_open"

    before = len(town.looks())
    got = get(town, f"{where}/replies", clerk)
    assert (got["answer"], got["document"], got["media_type"]) == ("yes", sent["document"], assist_reply.MEDIA_TYPE)
    newest = town.looks()[0]
    assert len(town.looks()) == before + 1
    assert (newest["act"], newest["who"], newest["unit"]) == ("licences:department_check:open", "孙**", NAMES[SECURITY])
    assert (newest["matter"], newest["case_number"]) == (cases.CODE, "DM-7")
    get(town, f"{where}/replies", cases.machine(town))
    assert len(town.looks()) == before + 2, "a system that reads it is recorded too"
    closed = post(town, f"{where}/closures", clerk)
    assert (closed["state"], closed["answer"]) == ("closed", "yes")
    own = get(town, "/own", cases.header(town, ALICE, "case-holder"))["items"]
    assert asked["id"] in {one["id"] for one in own}
    assert get(town, "/own", cases.header(town, BOB, "case-holder"))["items"] == []


@pytest.mark.parametrize("fields", [["age_over_18"], ["holder_name", "holder_number"]])
def test_what_a_holder_did_not_show_is_not_had_from_a_department(town: Town, fields: list[str]) -> None:
    title = town.issue().identifier
    before = town.count(DepartmentCheck)

    def looked(chosen: list[str] | None, **more: Any) -> tuple[str, dict[str, Any]]:
        code = town.show(title, **({} if chosen is None else {"fields": chosen}))
        body = request_for({"code": code}, matter=cases.CODE, department=SECURITY, **more)
        answer = ask(town, body)
        return answer.json["id"], proofs(answer)[cases.PROOF]

    _lookup, by_itself = looked(fields)
    assert by_itself["outcome"] == "commitment", "which is the applicant's own word"
    lookup, chosen_way = looked(fields, ways={cases.PROOF: "department_check"})
    assert (chosen_way["outcome"], chosen_way["ways_beyond"]) == ("not_held", ["department_check"])
    assert "department_check" not in chosen_way["ways_left"]
    later = {"lookup": lookup, "subject": {"number": ALICE}, "proof": cases.PROOF, "purpose": "落户登记"}
    later |= {"case_number": "DM-7", "operator": {"id_number": CLERK, "counter": WINDOW}, "department": SECURITY}
    assert post(town, "", cases.machine(town), 403, **later)["code"] == "authorisation_refused"
    assert town.count(DepartmentCheck) == before
    lookup, left_to_the_matter = looked(None)
    assert (left_to_the_matter["outcome"], "ways_beyond" in left_to_the_matter) == ("department", False)


def test_a_check_is_nobody_elses_and_rests_on_a_fresh_look_up(
    town: Town, officer: dict[str, str], clerk: dict[str, str]
) -> None:
    check = cases.opened(town)
    assert get(town, f"/{check}", clerk, 404)["code"] == "not_found", "the asking side is no answering side"
    assert get(town, "/" + "0" * 32, officer, 404)["code"] == "not_found"
    assert post(town, f"/{check}/closures", cases.header(town, ALICE), 404)["code"] == "not_found"
    foreign = post(town, f"/{check}/assignments", officer, 422, officer=CLERK)
    assert foreign["errors"][0]["pointer"] == "/officer"
    assert post(town, f"/{check}/assignments", officer, officer=cases.SECOND)["holder"]["name"] == "王**"

    old = datetime.now(UTC) - assists.LOOKUP_STANDS - timedelta(minutes=1)
    stale = town.act(lambda call: cases.look_up(call, town.subjects[ALICE]), now=old)
    body = {"proof": cases.PROOF, "purpose": "落户登记", "case_number": "DM-8"}
    for lookup, number in ((stale, ALICE), ("f" * 32, ALICE), (stale, BOB), (stale, STRANGER)):
        refused = post(town, "", clerk, 403, lookup=lookup, subject={"number": number}, **body)
        assert refused["code"] == "authorisation_refused", (lookup, number)
    nobody = town.act(lambda call: cases.look_up(call, stand_in.of(call, STRANGER)))
    asked = post(town, "", clerk, lookup=nobody, subject={"number": STRANGER}, **body)
    assert asked["holder"] is None, "nobody is asked about as somebody is"
    mine = post(town, f"/{asked['id']}/assignments", officer)
    assert mine["holder"] == {"name": "", "number": ""}


def test_what_is_late_is_escalated_once_and_first_in_the_list(town: Town, officer: dict[str, str]) -> None:
    begun = datetime(2026, 9, 28, 1, tzinfo=UTC)  # due on 30 September; then comes a week of holidays
    check = cases.opened(town, now=begun)
    assert assist_escalation.escalate(town.house, datetime(2026, 10, 8, 1, tzinfo=UTC)) == 0, "late by one working day"
    late = datetime(2026, 10, 9, 1, tzinfo=UTC)
    assert expiry.sweep(town.house, late) >= 1, "the background work does it"
    assert assist_escalation.escalate(town.house, late) == 0
    found = get(town, "", officer)["items"][0]
    assert (found["id"], found["is_overdue"], found["due_on"]) == (check, True, "2026-09-30")
    assert found["escalated_at"].startswith("2026-10-09")
    chief = town.caller(BOB, level=3, amr=("pwd", "otp", "mfa"))
    with pytest.raises(Problem, match="forbidden"):
        town.act(assist_escalation.escalated, caller=chief)
    town.act(lambda call: roles.give(call, town.subjects[BOB], roles.Role.SYSTEM))
    (told,) = town.act(assist_escalation.escalated, caller=chief, now=late)
    assert (told["id"], told["department"], told["days_late"]) == (check, CIVIL, 2)
    assert told.keys().isdisjoint({"holder", "case_number", "subject"})
    row = town.act(lambda call: call.session.get_one(DepartmentCheck, (town.subjects[ALICE], check)))
    assert ALICE.encode() not in row.request_sealed

    figures = get(town, "/figures?month=2026-09", cases.header(town, CLERK))
    assert [(row["checks"], row["overdue_share"]) for row in figures["items"]] == [(1, 100.0)]
    assert figures["total"]["without_paper_share"] == 0.0
    assert get(town, "/figures?month=2026-13", cases.header(town, CLERK), 422)["code"] == "invalid"


def test_the_inbox_is_read_page_by_page(town: Town, officer: dict[str, str]) -> None:
    wanted = {cases.opened(town) for _ in range(3)} | {cases.opened(town, now=datetime(2026, 11, 2, tzinfo=UTC))}
    seen, cursor = [], ""
    while cursor is not None:
        found = get(town, f"?limit=2{cursor and '&cursor=' + cursor}", officer)
        assert len(found["items"]) <= 2
        seen += found["items"]
        cursor = found["next_cursor"]
    assert wanted <= {one["id"] for one in seen}
    assert len({one["id"] for one in seen}) == len(seen)
    assert [one["due_on"] for one in seen] == sorted(one["due_on"] for one in seen)
    (late,) = [one["id"] for one in seen if one["opened_at"].startswith("2026-11-02")]
    row = town.act(lambda call: call.session.get_one(DepartmentCheck, (town.subjects[ALICE], late)))
    after = get(town, f"?cursor={assist_view.cursor_of(row)}", officer)["items"]
    assert [one["id"] for one in after] == [one["id"] for one in seen[[one["id"] for one in seen].index(late) + 1 :]]
    assert get(town, "?cursor=x", officer, 422)["code"] == "invalid"


def test_a_look_up_opens_the_check(town: Town, officer: dict[str, str]) -> None:
    given = town.web.post("/v1/lookup-consents", json={"matter": cases.CODE}, headers=town.person(ALICE)).json["id"]
    body = request_for({"consent": given}, matter=cases.CODE)
    (met,) = proofs(ask(town, body)).values()
    assert met["outcome"] == "department"
    found = next(one for one in get(town, "", officer)["items"] if one["id"] == met["check"])
    assert (found["due_on"], found["case_number"]) == (met["due"], body["case_number"])
    assert found["holder"]["name"] == "王**"

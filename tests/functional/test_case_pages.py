"""The pages of department checks and commitments, walked without a script: officer, clerk, citizen."""

import io
import json
import re

import pytest

from licences.counter.assist_schemas import DepartmentCheckReadSchema
from tests import cases
from tests.identity import Browser, Page
from tests.town import AGENT, ALICE, BOB, CLERK, OFFICER, Town


@pytest.fixture(scope="module", autouse=True)
def _cases(town: Town) -> None:
    cases.set_up(town)


def step(browser: Browser, page: Page, path: str, **values: str) -> Page:
    """Post one of the forms of a page."""
    return browser.open(path, {"csrf_token": page.form["values"]["csrf_token"], **values})


def test_a_check_walks_from_the_inbox_to_the_person(town: Town) -> None:
    number = cases.opened(town)
    path = f"/assists/{number}"
    officer, clerk, alice = (town.browser(who) for who in (OFFICER, CLERK, ALICE))
    assert number in officer.open("/assists").text
    assert number not in officer.open("/assists?late=yes").text
    assert number not in officer.open("/assists?state=closed&matter=nothing").text
    assert officer.open("/assists?state=no-such-state").status == 200

    seen = clerk.open(path)
    assert ALICE not in seen.text
    assert "加盖本单位印章并答复" not in seen.text
    assert "请尽快" in step(clerk, seen, path, step="remind", reason="请尽快").text
    again = step(clerk, seen, path, step="remind", reason="请尽快")
    assert (again.status, "今天已经催办过" in again.text) == (409, True)
    assert step(clerk, seen, path, step="assign").status == 404, "it is not the counter's to assign"
    assert step(clerk, seen, path, step="no-such-step").status == 400

    page = officer.open(path)
    assert ALICE not in page.text
    page = step(officer, page, path, step="assign")
    assert ALICE in page.text
    assert town.looks()[0]["act"] == "licences:department_check:read"
    wrong = step(officer, page, f"{path}/reply", answer="yes", text=" ")
    assert (wrong.status, 'id="text-error"' in wrong.text) == (422, True)
    assert ALICE not in wrong.text, "what is not recorded is not shown"
    page = step(officer, page, f"{path}/reply", answer="no", text="查无此户")
    assert "不属实" in page.text

    document = clerk.client.get(f"{path}/reply.ofd")
    assert document.content_type == "application/ofd"
    verdict = town.web.post("/v1/seal-verifications", data={"file": (io.BytesIO(document.data), "reply.ofd")})
    assert verdict.json["ok"]
    assert town.looks()[0]["act"] == "licences:department_check:open"
    assert step(clerk, seen, path, step="close").status == 200
    mine = alice.open("/me/commitments").text
    assert f"/me/checks/{number}/reply.ofd" in mine
    assert alice.client.get(f"/me/checks/{number}/reply.ofd").data == document.data
    assert town.browser(BOB).client.get(f"/me/checks/{number}/reply.ofd").status_code == 404
    assert alice.open(path).status == 404
    assert alice.open("/assists/figures").status == 403
    figures = clerk.open("/assists/figures").text
    assert "户籍核查" in figures
    assert 'href="/commitments"' not in figures, "a clerk is not led where he may not go"
    assert clerk.open("/assists/figures?month=1").status == 422
    assert set(DepartmentCheckReadSchema().fields) >= {"holder", "steps"}


def test_a_commitment_is_signed_by_login_or_code_and_found_false(town: Town) -> None:
    number, other = cases.offered(town, number=AGENT), cases.offered(town, number=AGENT)
    path = f"/me/commitments/{number}"
    citizen, officer, clerk = (town.browser(who) for who in (AGENT, OFFICER, CLERK))
    page = citizen.open(path)
    assert cases.TEXT in page.text
    asked = step(citizen, page, path, step="sign")
    assert "/login/second" in asked.url, "a new device is not enough"
    citizen.log_in(number=AGENT)
    page = citizen.open(path)
    signed = step(citizen, page, path, step="sign")
    assert "已签署" in signed.text
    file = citizen.client.get(f"{path}/statement.jwt")
    assert (file.status_code, file.data.count(b".")) == (200, 2)
    assert step(citizen, page, path, step="sign").status == 409
    assert town.browser(BOB).open(path).status == 404

    at_counter = f"/counter/commitments/{other}"
    seen = clerk.open(at_counter)
    assert cases.TEXT in seen.text
    assert AGENT not in seen.text
    refused = step(clerk, seen, at_counter, code="0" * 26)
    assert (refused.status, 'id="code-error"' in refused.text) == (403, True)
    where = f"/me/commitments/{other}"
    shown = step(citizen, citizen.open(where), where, step="code")
    assert 'name="step" value="code"' in shown.text, "another code is made by the same form"
    code = "".join(re.findall(r"<span>([0-9A-Z]{2,4})</span>", shown.text))
    assert f'data-state-url="{where}/state"' in shown.text
    assert json.loads(citizen.open(f"{where}/state").text) == {"shown_to": None}
    assert "已签署" in step(clerk, seen, at_counter, code=code).text
    told = json.loads(citizen.open(f"{where}/state").text)["shown_to"]
    assert (told["unit"], "T" in told["at"]) == ("示范市公安局", True), "his own screen says so at once"
    assert clerk.open(f"{where}/state").status == 404
    again = step(citizen, shown, where, step="code")
    assert (again.status, again.url, "当前状态下不能" in again.text) == (200, where, False), "nothing went wrong"

    assert number in officer.open("/commitments").text
    judged = officer.open(f"/commitments/{number}")
    assert AGENT not in judged.text
    assert step(officer, judged, f"/commitments/{number}", step="find_false").status == 422
    assert step(officer, judged, f"/commitments/{number}", step="find_false", reason="与登记不符").status == 200
    assert number in officer.open("/commitments?state=marked").text
    page = citizen.open(path)
    assert "与登记不符" in page.text
    assert step(citizen, page, path, step="object", reason="").status == 422
    assert "异议处理中" in step(citizen, page, path, step="object", reason="已更正").text
    own = step(officer, judged, f"/commitments/{number}", step="clear", reason="已更正")
    assert own.status == 403
    second = town.browser(cases.SECOND)
    page = second.open(f"/commitments/{number}")
    assert "已解除" in step(second, page, f"/commitments/{number}", step="clear", reason="已更正").text

"""The middle of walk B: a citizen shows a licence, a clerk verifies it, and the citizen sees who looked (亮证)."""

import concurrent.futures
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idservice.models import AccessRecord, AuditEntry
from licences import show
from licences.models import Presentation
from tests.town import (
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    MATTER,
    NAMES,
    SECURITY,
    WINDOW,
    Town,
    now,
    type_of,
)


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    """A real-estate title of Alice's: its location is masked as an address."""
    return town.issue().identifier


def test_a_code_is_shown_verified_once_and_on_record(town: Town, title: str) -> None:
    answer = town.web.post("/v1/presentations", json={"licences": [title]}, headers=town.person(ALICE))
    assert answer.status_code == 201
    code = answer.json["code"]
    assert re.fullmatch(r"[0-9A-Z]{26}", code)
    assert answer.json["qr_text"] == code
    report = town.verify(code, purpose="核对产权", operator={"id_number": CLERK, "counter": "综合窗口3号"})
    assert (report["ok"], report["state"], report["reasons"], report["scanned"]) == (True, "valid", [], "show_code")
    assert {check["name"]: check["result"] for check in report["checks"]} == {"code": "ok", "state": "ok", "seal": "ok"}
    licence = report["licence"]
    assert (licence["identifier"], licence["type"]) == (title, type_of("real_estate_title").code)
    assert licence["holder"] == {"name": "王**", "number": f"371***********{ALICE[-4:]}"}
    assert licence["fields"]["location"] == "演示省示范市示范区***"
    assert licence["issuer"]["name"] == NAMES[SECURITY]
    again = town.verify(code)
    assert (again["ok"], again["reasons"]) == (False, ["replayed"])
    assert "licence" not in again
    look = town.looks()[0]
    assert (look["act"], look["unit"], look["who"], look["purpose"], look["basis"]) == (
        "licences:verification:create",
        f"{NAMES[SECURITY]} {WINDOW}",
        "孙**",
        "核对产权",
        "show_code",
    )
    status = town.web.post("/v1/presentations/status", json={"code": code}, headers=town.person(ALICE)).json
    assert (status["shown_to"], status["used_at"] is not None) == (f"{NAMES[SECURITY]} {WINDOW}", True)
    asked = town.web.post("/v1/presentations/status", json={"code": code}, headers=town.person(BOB))
    assert asked.status_code == 404


def test_a_code_stands_in_no_table_and_no_log(town: Town, title: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = town.show(title)
    town.verify(code)
    rows = town.act(lambda call: call.session.scalars(select(AuditEntry.facts)).all())
    assert not any(code in facts or ALICE in facts or "王小明" in facts for facts in rows)
    sealed = town.act(lambda call: call.session.scalars(select(AccessRecord.facts_sealed)).all())
    assert not any("孙".encode() in blob for blob in sealed)
    output = capfd.readouterr()
    assert code not in output.out + output.err
    assert ALICE not in output.out + output.err


@pytest.mark.parametrize(
    ("fields", "clear", "hidden"),
    [
        (["location"], {"location": "演示省示范市示范区演示路3号1幢101室"}, {"area"}),
        (["holder_name", "area"], {"area": type_of("real_estate_title").examples()["area"]}, {"location"}),
        ([], {}, {"location", "area"}),
    ],
)
def test_the_holder_chooses_what_is_read(
    town: Town, title: str, fields: list[str], clear: dict[str, Any], hidden: set[str]
) -> None:
    licence = town.verify(town.show(title, fields=fields))["licence"]
    assert licence["fields"] == clear
    assert not hidden & licence["fields"].keys()
    assert licence["holder"]["name"] == ("王小明" if "holder_name" in fields else "王**")
    # What the counter reads of the holder himself is on his record too: in every answer he is named, masked.
    assert town.looks()[0]["fields"] == [*sorted(fields), "masked_holder"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"licences": []}, 422, "invalid"),
        ({"licences": ["1.2.156.3005.2.nothing"]}, 404, "not_found"),
        ({"licences": ["x\u0000"]}, 400, "body_unreadable"),
        ({"matter": "NO-SUCH"}, 404, "not_found"),
        ({"matter": MATTER, "licences": ["1.2.156.3005.2.a"]}, 422, "invalid"),
        ({"licences": "all"}, 422, "invalid"),
        ({"fields": ["location"]}, 422, "invalid"),
    ],
)
def test_a_request_to_show_is_refused(town: Town, body: dict[str, Any], status: int, code: str) -> None:
    answer = town.web.post("/v1/presentations", json=body, headers=town.person(ALICE))
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_the_holder_proves_his_age_without_his_birth_date(town: Town, title: str) -> None:
    browser = town.browser(ALICE)
    page = browser.open("/me/show")
    assert "遮盖后的姓名、号码" in page.text, "what is always told is said where he chooses"
    shown = browser.submit(page, licences=title, part="adult")
    code = re.findall(r"<span>([0-9A-Z]{2,4})</span>", shown.text)
    report = town.verify("".join(code))
    assert report["ok"], report
    assert report["licence"]["fields"] == {"age_over_18": True}
    assert ALICE[6:14] not in json.dumps(report)


def test_nobody_shows_what_another_holds(town: Town, title: str) -> None:
    for headers in (town.person(BOB), town.person(ALICE, client="staff-app"), town.machine("issuer")):
        answer = town.web.post("/v1/presentations", json={"licences": [title]}, headers=headers)
        assert answer.status_code in {403, 404}
    unknown = town.web.post(
        "/v1/presentations", json={"licences": [title], "fields": ["x"]}, headers=town.person(ALICE)
    )
    assert unknown.status_code == 422


def test_a_code_is_old_after_a_minute(town: Town, title: str) -> None:
    code = town.show(title)

    def age(call: Any) -> None:
        row = call.session.get_one(Presentation, show.secret_hash(code))
        assert timedelta(0) < row.expires_at - row.created_at <= timedelta(seconds=60)
        row.expires_at = call.now

    town.act(age)
    assert town.verify(code)["reasons"] == ["code_expired"]
    never = town.verify("0" * 26)
    assert never["reasons"] == ["code_expired"]
    assert never["checks"] == town.verify(code)["checks"], "old and unknown are answered alike"


def test_several_codes_live_at_once(town: Town, title: str) -> None:
    codes = [town.show(title) for _ in range(3)]
    assert all(town.verify(code)["ok"] for code in reversed(codes))


@pytest.mark.parametrize(
    ("audience", "asker", "ok"),
    [
        (CIVIL, {"client": "civil-counter", "department": CIVIL}, True),
        (CIVIL, {"department": SECURITY}, False),
        (CIVIL, {}, False),
        ("civil-counter", {"client": "civil-counter"}, True),
        ("civil-counter", {}, False),
        ("某银行柜台", {}, True),
    ],
)
def test_a_code_meant_for_one_unit_serves_no_other(
    town: Town, title: str, audience: str, asker: dict[str, str], ok: bool
) -> None:
    code = town.show(title, audience=audience)
    report = town.verify(code, **asker)
    assert report["ok"] is ok
    assert report["reasons"] == ([] if ok else ["wrong_audience"])
    if not ok:
        assert town.verify(code, client="civil-counter", department=CIVIL)["ok"], "a refused code is not used up"


def test_fifty_redemptions_at_once_succeed_once(town: Town, title: str) -> None:
    code, headers = town.show(title), town.machine("counter")

    def redeem(_number: int) -> tuple[bool, list[str]]:
        answer = town.web.post("/v1/verifications", json={"text": code}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json["ok"], answer.json["reasons"]

    before = len(_records(town))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(redeem, range(50)))
    assert [ok for ok, _ in answers].count(True) == 1
    assert all(reasons == ["replayed"] for ok, reasons in answers if not ok)
    assert len(_records(town)) == before + 1


def test_a_retried_verification_is_answered_again_and_uses_one_code(town: Town, title: str) -> None:
    headers = {**town.machine("counter"), "Idempotency-Key": "scan-1"}
    body = {"text": town.show(title)}
    first, again = (town.web.post("/v1/verifications", json=body, headers=headers) for _ in range(2))
    assert first.data == again.data
    assert first.json["ok"]


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        (["suspend"], "suspended", "suspended"),
        (["suspend", "resume"], "valid", None),
        (["revoke"], "revoked", "revoked"),
    ],
)
def test_the_state_is_that_of_this_instant(town: Town, changes: list[str], state: str, reason: str | None) -> None:
    code = town.issue("vocational_qualification").identifier
    shown = town.show(code)
    for change in changes:
        where = f"/v1/licences/{code}/changes"
        done = town.web.post(where, json={"change": change, "reason": "演示"}, headers=town.machine("issuer"))
        assert done.status_code == 201
    report = town.verify(shown)
    assert (report["state"], report["reasons"]) == (state, [reason] if reason else [])
    assert report["ok"] is (reason is None)
    assert report["licence"]["state"] == state


def test_dates_decide_on_the_day(town: Town) -> None:
    today = now().date()
    early = town.issue("vocational_qualification", valid_from=today + timedelta(days=2)).identifier
    late = town.issue(
        "vocational_qualification", valid_from=today - timedelta(days=9), valid_until=today - timedelta(days=2)
    ).identifier
    assert town.verify(early)["reasons"] == ["not_yet_valid"]
    assert town.verify(late)["reasons"] == ["expired"]
    both = town.verify(town.show(early, late))
    assert both["reasons"] == ["not_yet_valid", "expired"]
    assert len(both["licences"]) == 2


def _records(town: Town) -> list[Any]:
    wanted = select(AccessRecord.record_id).where(AccessRecord.subject == town.subjects[ALICE])
    return list(town.act(lambda call: call.session.scalars(wanted)))

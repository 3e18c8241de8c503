"""The counter shows, the citizen scans: asked on one screen, answered on another, read once and on record."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idservice.ids import secret_hash
from licences.models import Presentation
from licences.showing import requests
from licences.showing.models import PresentationRequest
from tests.town import ALICE, BOB, CLERK, MATTER, NAMES, SECURITY, WINDOW, Town, type_of

OPERATOR = {"id_number": CLERK, "counter": "综合窗口3号"}


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


def ask(town: Town, question: str = "licences", **more: Any) -> dict[str, Any]:
    body = {"question": question, "purpose": "受理用电报装", "operator": OPERATOR, **more}
    answer = town.post("/v1/presentation-requests", body, town.machine("counter"))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def reply(town: Town, asked: dict[str, Any], number: str = ALICE, **values: str) -> Any:
    browser = town.browser(number)
    return browser.submit(browser.open(f"/me/requests/{asked['code']}"), **values)


def state(town: Town, asked: dict[str, Any]) -> str:
    answer = town.web.get(f"/v1/presentation-requests/{asked['id']}", headers=town.machine("counter"))
    return str(answer.json["state"])


def read(town: Town, asked: dict[str, Any], client: str = "counter") -> Any:
    return town.post(f"/v1/presentation-requests/{asked['id']}/verifications", {}, town.machine(client))


def number_on(page: Any) -> str:
    found = re.search(r"<strong>(\d{4})</strong>", page.text)
    assert found is not None, page.text
    return found[1]


def test_a_citizen_answers_what_the_clerks_page_asks(town: Town, card: str) -> None:
    clerk, citizen = town.browser(CLERK), town.browser(ALICE)
    form = clerk.open("/counter/ask")
    for missing, given in {
        "purpose": {"question": "licences"},
        "type": {"purpose": "identity", "question": "valid"},
    }.items():
        refused = clerk.submit(form, **given)
        assert refused.status == 422
        assert re.findall(r'id="(\w+)-error"', refused.text) == [missing], "at the field that it is about"
        assert f'href="#{missing}"' in refused.text
    shown = clerk.submit(form, purpose="identity", question="licences")
    address = re.search(r"/me/requests/([0-9A-Z]{26})", shown.text)
    assert address is not None
    assert "<svg" in shown.text
    assert "/login?to=%2Fme%2Frequests%2F" in town.web.get(address[0]).headers["Location"]
    page = citizen.open(address[0])
    for said in (f"{NAMES[SECURITY]} {WINDOW}", "核对身份", "出示证照"):
        assert said in page.text
    done = citizen.submit(page, licences=card, part="masked", decision="give")
    answered = clerk.open(shown.url)
    assert "持证人已答复" in answered.text
    result = clerk.submit(answered)
    assert number_on(result) == number_on(done), "one number on both screens"
    assert "王**" in result.text
    assert ALICE not in result.text
    look = town.looks()[0]
    assert (look["unit"], look["purpose"], look["basis"]) == (f"{NAMES[SECURITY]} {WINDOW}", "核对身份", "show_code")
    assert "结果已查看过" in clerk.open(shown.url, {"csrf_token": answered.form["values"]["csrf_token"]}).text
    assert citizen.submit(page, licences=card, decision="give").status == 409


@pytest.mark.parametrize(
    ("question", "more", "fields"),
    [
        ("age_over_18", {}, ["age_over_18"]),
        ("age_over_60", {}, ["age_over_60"]),
        ("valid", {"types": [type_of("resident_card").code]}, ["state"]),
    ],
)
def test_yes_or_no_hands_over_nothing_else(
    town: Town, card: str, question: str, more: dict[str, Any], fields: list[str]
) -> None:
    asked = ask(town, question, **more)
    assert state(town, asked) == "waiting"
    number = number_on(reply(town, asked, licences=card, decision="give"))
    assert state(town, asked) == "given"
    answer = read(town, asked).json
    assert answer == {
        "question": question,
        "check_number": number,
        "answer": question != "age_over_60",
        "reasons": [],
    }
    assert state(town, asked) == "read"
    assert town.looks()[0]["fields"] == fields


def test_the_matter_of_a_request_is_on_the_holders_record(town: Town, card: str) -> None:
    asked = ask(town, matter=MATTER)
    reply(town, asked, licences=card, part="adult", decision="give")
    assert read(town, asked).json["report"]["licence"]["fields"] == {"age_over_18": True}
    look = town.looks()[0]
    assert (look["matter"], look["purpose"]) == (MATTER, "受理用电报装")
    assert look["fields"] == ["age_over_18", "masked_holder"]


def test_a_refusal_is_all_the_counter_learns(town: Town, card: str) -> None:
    asked, before = ask(town), len(town.looks())
    assert "已拒绝" in reply(town, asked, decision="refuse", licences=card).text
    assert state(town, asked) == "refused"
    assert read(town, asked).json["code"] == "presentation_request_unanswered"
    assert len(town.looks()) == before


def test_an_answer_is_read_once_and_by_who_asked(town: Town, card: str) -> None:
    asked = ask(town)
    assert read(town, asked).json["code"] == "presentation_request_unanswered", "nobody has answered"
    reply(town, asked, licences=card, decision="give")
    assert read(town, asked, "issuer").status_code in {403, 404}
    elsewhere = town.browser(CLERK).open(f"/counter/ask/{asked['id']}")
    assert elsewhere.status == 404, "a clerk's page shows what he asked himself"
    first = read(town, asked)
    assert first.json["report"]["ok"], first.text
    assert first.json["report"]["licence"]["identifier"] == card
    again = read(town, asked)
    assert (again.status_code, again.json["code"]) == (409, "presentation_request_unanswered")


def test_each_failure_has_its_own_answer(town: Town, card: str) -> None:
    late = ask(town)

    def age(call: Any) -> None:
        row = call.session.get_one(PresentationRequest, secret_hash(late["code"]))
        assert row.expires_at - row.created_at == timedelta(seconds=120)
        row.expires_at = call.now

    town.act(age)
    assert state(town, late) == "expired"
    browser = town.browser(ALICE)
    for code in (late["code"], "0" * 26, "x", "%00"):
        answered = browser.open(f"/me/requests/{code}")
        assert answered.status in {400, 409}, code
    strangers = reply(town, ask(town), BOB, licences=card, decision="give")
    assert strangers.status == 404, "nobody shows what another holds"
    other_type = ask(town, "valid", types=[type_of("real_estate_title").code])
    assert reply(town, other_type, licences=card, decision="give").status == 422
    page = browser.open(f"/me/requests/{ask(town)['code']}")
    nothing = {"csrf_token": page.form["values"]["csrf_token"], "decision": "give"}
    assert browser.open(page.url, nothing).status == 422, "nothing chosen"


def test_a_slow_counter_finds_the_answer_expired(town: Town, card: str) -> None:
    asked = ask(town, "age_over_18")
    reply(town, asked, licences=card, decision="give")

    def age(call: Any) -> None:
        newest = select(Presentation).where(Presentation.used_at.is_(None)).order_by(Presentation.created_at.desc())
        call.session.scalars(newest).first().expires_at = call.now

    town.act(age)
    answer = read(town, asked).json
    assert (answer["answer"], answer["reasons"]) == (None, ["code_expired"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"question": "valid"}, "invalid"),
        ({"question": "everything"}, "invalid"),
        ({"question": "licences", "purpose": ""}, "invalid"),
        ({"question": "licences", "matter": "NO-SUCH"}, "not_found"),
        ({"question": "licences", "types": ["no-such"]}, "not_found"),
        ({"question": "licences", "operator": {"id_number": ALICE}}, "operator_unknown"),
    ],
)
def test_a_request_is_refused(town: Town, body: dict[str, Any], code: str) -> None:
    answer = town.post("/v1/presentation-requests", {"purpose": "x", **body}, town.machine("counter"))
    assert answer.json["code"] == code, answer.text


def test_neither_code_nor_purpose_stands_in_the_table(town: Town) -> None:
    asked = ask(town, matter=MATTER)
    row = town.act(lambda call: call.session.get_one(PresentationRequest, secret_hash(asked["code"])))
    assert asked["qr_text"].endswith(f"{requests.PATH}{asked['code']}")
    kept = repr([getattr(row, column.name) for column in PresentationRequest.__table__.columns])
    for secret in (asked["code"], CLERK, "受理用电报装", "孙"):
        assert secret not in kept
    assert row.types, "a matter asks for its own types"

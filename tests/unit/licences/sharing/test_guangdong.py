"""Use of licences by codes: made in three ways, for one app, matter and licence, and used once for each step."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from idservice.models import AccessRecord, Mandate
from idservice.register import grants, mandates
from licences.counter.lookup_models import LookupAuthorisation
from licences.sharing.auth_codes import Step
from licences.sharing.permissions import Operation
from tests.identity import Browser, Flow, bearer, redeem
from tests.sharing import RELIEF, permit
from tests.town import ALICE, BOB, CIVIL, CLERK, SECURITY, STRANGER, Town, now, type_of
from tests.unit.licences.copying import judged

OPERATOR = {
    "account": "sun", "name": "孙窗口", "division": "示范市", "division_code": "990100", "service_org": SECURITY,
    "role": "窗口", "identity_num": CLERK,
}  # fmt: skip
DUTY = {
    "identity_number": ALICE, "service_item_code": RELIEF, "service_item_name": "救助申请", "biz_num": "B-1",
    "operator": OPERATOR,
}  # fmt: skip
BIZ = {"service_item_code": RELIEF, "biz_num": "B-2"}


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


def login(town: Town, number: str = ALICE, client: str = "share-app") -> dict[str, str]:
    """The token that a person's login gives the app."""
    flow = Flow(client, "openid consents.manage")
    return bearer(
        redeem(town.app, flow, Browser(town.app).code(flow, number=number, acting="self")).json["access_token"]
    )


def post(town: Town, way: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> TestResponse:
    return town.post(f"/v1/license-app/license/{way}", body, headers or town.machine("share-app"))


def use(town: Town, step: str, code: str, client: str = "share-app") -> TestResponse:
    where = f"/v1/license-app/license/{step}?auth_code={code}"
    answer: TestResponse = town.web.get(where, headers=town.machine(client))
    return answer


def codes(answer: TestResponse) -> list[str]:
    assert answer.json["ack_code"] == "SUCCESS", answer.text
    return [one["auth_code"] for one in answer.json["data"]["auth_codes"]]


def failure(answer: TestResponse) -> str:
    assert (answer.status_code, answer.json["ack_code"], answer.json["data"]) == (200, "FAILURE", None), answer.text
    return str(answer.json["errors"][0]["code"])


def test_by_duty_a_clerk_gets_codes_and_the_holder_reads_by_which_law(town: Town, card: str) -> None:
    answer = post(town, "auth", DUTY)
    (code,) = codes(answer)
    assert card not in answer.text, "the licence is read by the code"
    read = use(town, "get_license", code).json["data"]
    assert (read["certificateIdentifier"], read["surfaceData"]) == (card, {"holder_name": "王小明", "state": "valid"})
    look = town.looks()[0]
    assert (look["who"], look["law"]) == ("孙**", "《社会救助暂行办法》第五十八条")
    assert look["purpose"] == "救助申请（办件编号 B-1）"


def test_the_holder_gets_codes_in_his_own_login(town: Town, card: str) -> None:
    (code,) = codes(post(town, "holder", BIZ, login(town)))
    assert use(town, "get_license", code).json["data"]["certificateIdentifier"] == card
    assert (town.looks()[0]["basis"], town.looks()[0]["law"]) == ("consent", None)


def test_an_agent_gets_codes_by_his_mandate_and_none_after_it(town: Town, card: str) -> None:
    who = {"person": town.subjects[BOB], "principal": town.subjects[ALICE], "principal_kind": mandates.PERSON}
    mandate = town.act(lambda call: mandates.enter(call, **who, role="proxy", matters=[RELIEF]))
    headers = login(town, BOB)
    (code,) = codes(post(town, "entrust", BIZ | {"mandate": mandate}, headers))
    (later,) = codes(post(town, "entrust", BIZ | {"mandate": mandate}, headers))
    assert use(town, "get_license", code).json["data"]["certificateIdentifier"] == card
    assert (town.looks()[0]["basis"], town.looks()[0]["acting"]) == ("mandate", "赵**")
    town.act(lambda call: grants.give_up(call, mandate), caller=town.caller(BOB))
    assert failure(use(town, "get_license", later)) == "auth_code_refused"


def test_an_agent_s_code_ends_where_his_mandate_reaches_the_licence_no_more(town: Town, card: str) -> None:
    who = {"person": town.subjects[BOB], "principal": town.subjects[ALICE], "principal_kind": mandates.PERSON}
    mandate = town.act(lambda call: mandates.enter(call, **who, role="proxy"))
    (code,) = codes(post(town, "entrust", BIZ | {"mandate": mandate}, login(town, BOB)))
    narrowed = (
        update(Mandate).where(Mandate.mandate_id == mandate).values(licence_types=[type_of("driving_licence").code])
    )
    town.act(lambda call: call.session.execute(narrowed))
    assert failure(use(town, "get_license", code)) == "auth_code_refused"


def test_each_step_works_once_and_for_one_app(town: Town, card: str) -> None:
    (code,) = codes(post(town, "auth", DUTY))
    for step in Step:
        assert failure(use(town, step, code, "other-app")) == "auth_code_refused"
        assert use(town, step, code).json["ack_code"] == "SUCCESS", step
        assert failure(use(town, step, code)) == "auth_code_refused"
    assert failure(use(town, "get_license", "0" * 32)) == "auth_code_refused"


def test_a_code_is_over_after_ten_minutes(town: Town, card: str) -> None:
    (code,) = codes(post(town, "auth", DUTY))
    old = now() - timedelta(seconds=1)
    town.act(lambda call: call.session.execute(update(LookupAuthorisation).values(expires_at=old)))
    assert failure(use(town, "get_license", code)) == "auth_code_refused"


def test_a_code_of_sharing_opens_no_look_up(town: Town, card: str) -> None:
    (code,) = codes(post(town, "auth", DUTY))
    body = {
        "matter": RELIEF, "subject": {"number": ALICE}, "authorisation": {"auth_code": code}, "purpose": "救助",
        "case_number": "B-1", "operator": {"id_number": CLERK},
    }  # fmt: skip
    assert town.post("/v1/lookups", body, town.machine("counter")).json["code"] == "authorisation_refused"


def test_the_file_is_an_annotated_copy_for_that_case(town: Town, card: str) -> None:
    (code,) = codes(post(town, "auth", DUTY))
    file = use(town, "archive", code).json["data"]
    (report,) = judged(town, base64.b64decode(file["file_data"]))
    assert report.ok
    assert report.annotation is not None
    assert report.annotation["purpose"] == "救助申请（办件编号 B-1）"
    link = use(town, "token", code).json["data"]["view_url"]
    assert town.web.get(link[link.index("/v1/") :]).data.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"operator": OPERATOR | {"name": "别人"}}, "operator_unknown"),
        ({"operator": OPERATOR | {"identity_num": BOB}}, "operator_unknown"),
        ({"operator": OPERATOR | {"service_org": CIVIL}}, "operator_unknown"),
        ({"operator": {name: value for name, value in OPERATOR.items() if name != "account"}}, "invalid"),
        ({"service_item_code": "DM-M-005", "service_item_name": "购房不动产转移登记"}, "legal_basis_not_offered"),
        ({"service_item_name": "别的事项"}, "invalid"),
        ({"service_item_code": "none"}, "invalid"),
        ({"legal_basis": "other"}, "legal_basis_not_offered"),
        ({"identity_number": "*"}, "invalid"),
    ],
)
def test_what_duty_does_not_cover_is_refused(town: Town, card: str, changes: dict[str, Any], code: str) -> None:
    looks = town.count(AccessRecord)
    assert failure(post(town, "auth", DUTY | changes)) == code
    assert town.count(AccessRecord) == looks


def test_nobody_and_somebody_without_licences_are_answered_alike(town: Town, card: str) -> None:
    for number in (STRANGER, BOB):
        assert codes(post(town, "auth", DUTY | {"identity_number": number})) == []


def test_an_app_without_permission_gets_no_code_and_one_that_lost_it_reads_nothing(town: Town, card: str) -> None:
    (code,) = codes(post(town, "auth", DUTY, town.machine("other-app")))
    permit(town, "resident_card", Operation.FIND, client_id="other-app")
    assert failure(use(town, "get_license", code, "other-app")) == "sharing_refused"
    assert failure(post(town, "auth", DUTY, town.machine("other-app"))) == "sharing_refused"
    permit(town, "resident_card", client_id="other-app")


def test_of_a_matter_only_its_permitted_types_are_opened(town: Town, card: str) -> None:
    town.issue("real_estate_title")
    answer = post(town, "auth", DUTY)
    assert [one["license_item_code"] for one in answer.json["data"]["auth_codes"]] == [type_of("resident_card").code]


def test_the_matters_of_a_unit_are_listed(town: Town) -> None:
    answer = town.web.get(f"/v1/license-app/service_item/list?org_code={SECURITY}", headers=town.machine("share-app"))
    (item,) = answer.json["data"]
    assert (item["service_item_code"], item["service_item_name"]) == (RELIEF, "救助申请")
    assert {one["license_item_code"] for one in item["licenses"]} == {
        type_of("resident_card").code, type_of("real_estate_title").code
    }  # fmt: skip

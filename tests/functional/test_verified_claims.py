"""Verified claims end to end: asked for, consented to, released, left out; by the JSON schema of the standard."""

import html
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy import delete, update

from idservice.login import proofing
from idservice.login.models import PersonCheck
from idservice.models import Mandate, Person
from idservice.oauth import clients
from tests.builders import act
from tests.identity import (
    AGENT,
    CALLBACK,
    COMPANY,
    SECRET,
    Browser,
    City,
    Flow,
    answer_of,
    bearer,
    claims_of,
    redeem,
    refresh,
)

SCOPE = "openid profile verified offline_access consents.manage"
RECORD = {"type": {"value": "electronic_record"}}
VOUCH = {"type": {"value": "vouch"}}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$"}
DAY = {"type": "string", "format": "date"}
# The part of the schema of OpenID Identity Assurance Schema Definition 1.0 that our evidence falls under.
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "oneOf": [{"$ref": "#/$defs/element"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/element"}}],
    "$defs": {
        "element": {
            "type": "object",
            "required": ["verification", "claims"],
            "additionalProperties": False,
            "properties": {
                "verification": {"$ref": "#/$defs/verification"},
                "claims": {"type": "object", "minProperties": 1},
            },
        },
        "verification": {
            "type": "object",
            "required": ["trust_framework"],
            "additionalProperties": False,
            "properties": {
                "trust_framework": {"type": "string"},
                "assurance_level": {"type": "string"},
                "time": MOMENT,
                "evidence": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/evidence"}},
            },
        },
        "evidence": {
            "type": "object",
            "required": ["type"],
            "additionalProperties": False,
            "properties": {
                "type": {"enum": ["document", "electronic_record", "vouch", "electronic_signature"]},
                "time": MOMENT,
                "check_details": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/check"}},
                "record": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
                "attestation": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {
                        "type": {"enum": ["written_attestation", "digital_attestation"]},
                        "date_of_issuance": DAY,
                        "date_of_expiry": DAY,
                        "voucher": {"type": "object", "minProperties": 1},
                    },
                },
            },
        },
        "check": {
            "type": "object",
            "required": ["check_method"],
            "properties": {"check_method": {"type": "string"}, "organization": {"type": "string"}, "time": MOMENT},
        },
    },
}
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


@pytest.fixture(scope="module", autouse=True)
def app(city: City) -> None:
    def enter(call: Any) -> None:
        for client_id, scope in (("kyc", SCOPE), ("plain", "openid profile offline_access")):
            clients.register(
                call,
                client_id=client_id,
                name=f"应用 {client_id}",
                unit="滨州市示范单位",
                auth_method="client_secret_basic",
                secret=SECRET,
                grant_types=["authorization_code", "refresh_token"],
                redirect_uris=[CALLBACK],
                scope=scope,
            )

    act(city.house, enter)


@pytest.fixture(autouse=True)
def levels(city: City) -> None:
    def restore(call: Any) -> None:
        call.session.execute(update(Person).where(Person.subject == city.agent).values(level=2))
        call.session.execute(delete(PersonCheck))

    act(city.house, restore)


def asked(verification: Any = None, claims: Any = None) -> dict[str, Any]:
    return {"verification": verification or {"trust_framework": None}, "claims": claims or {"name": None}}


def of(target: str, stated: Any) -> str:
    return json.dumps({target: {"verified_claims": stated}})


def logged_in(city: City, claims: str | None, *, client_id: str = "kyc", scope: str = "openid", **walk: str) -> Any:
    flow = Flow(client_id, scope=scope)
    answer = redeem(city.app, flow, city.browser().code(flow, claims=claims, **walk))
    assert answer.status_code == 200, answer.text
    return answer.json


def userinfo(city: City, got: dict[str, str]) -> dict[str, Any]:
    answer = city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"]))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    if "verified_claims" in found:
        VALIDATOR.validate(found["verified_claims"])
    return found


def test_userinfo_has_what_was_asked_for_and_nothing_else(city: City) -> None:
    got = logged_in(city, of("userinfo", asked(claims={"name": None, "birthdate": None})))
    found = userinfo(city, got)
    assert found["verified_claims"] == {
        "verification": {"trust_framework": "cn_one_number"},
        "claims": {"name": "王小明", "birthdate": "1990-03-07"},
    }
    assert found.keys() == {"sub", "verified_claims"}
    assert "verified_claims" not in claims_of(got["id_token"])


def test_the_id_token_has_them_where_they_were_asked_for_there(city: City) -> None:
    got = logged_in(city, of("id_token", asked({"trust_framework": None, "assurance_level": None})))
    found = claims_of(got["id_token"])["verified_claims"]
    VALIDATOR.validate(found)
    assert found["verification"] == {"trust_framework": "cn_one_number", "assurance_level": "L3"}
    assert "verified_claims" not in userinfo(city, got)


def test_the_scope_alone_gives_the_name_how_surely_and_when(city: City) -> None:
    found = userinfo(city, logged_in(city, None, scope="openid verified"))["verified_claims"]
    assert found["claims"] == {"name": "王小明"}
    assert found["verification"].keys() == {"trust_framework", "assurance_level", "time"}


def test_evidence_of_a_real_name_is_the_population_register(city: City) -> None:
    everything = {
        "trust_framework": None,
        "assurance_level": None,
        "time": None,
        "evidence": [
            RECORD
            | {
                "time": None,
                "check_details": [{"check_method": None, "organization": None, "time": None}],
                "record": {"type": None, "source": {"name": None, "country_code": None}},
            }
        ],
    }
    found = userinfo(city, logged_in(city, of("userinfo", asked(everything)), number=AGENT))["verified_claims"]
    (evidence,) = found["verification"]["evidence"]
    assert found["verification"]["assurance_level"] == "L2"
    assert evidence["record"] == {
        "type": "population_register",
        "source": {"name": "人口库", "country_code": "CHN"},
    }
    assert [check["check_method"] for check in evidence["check_details"]] == ["data"]

    act(city.house, lambda call: proofing.raise_level(call, city.agent, "face"))
    found = userinfo(city, logged_in(city, of("userinfo", asked(everything)), number=AGENT))["verified_claims"]
    checks = found["verification"]["evidence"][0]["check_details"]
    assert found["verification"]["assurance_level"] == "L3"
    assert [(check["check_method"], check["organization"]) for check in checks] == [("data", "人口库"), ("bvr", "face")]
    assert found["verification"]["time"] == checks[1]["time"]


def test_an_account_without_a_real_name_verifies_nothing(city: City) -> None:
    act(
        city.house,
        lambda call: call.session.execute(update(Person).where(Person.subject == city.agent).values(level=1)) and None,
    )
    assert "verified_claims" not in userinfo(city, logged_in(city, of("userinfo", asked()), number=AGENT))


def test_an_organisation_shows_its_register_and_its_agents_mandate(city: City) -> None:
    until = datetime(2100, 1, 1, tzinfo=UTC) - timedelta(hours=8)
    mandate = update(Mandate).where(Mandate.mandate_id == city.mandate)
    act(city.house, lambda call: call.session.execute(mandate.values(valid_until=until)) and None)
    attestation = {"date_of_issuance": None, "date_of_expiry": None, "voucher": {"organization": None}}
    wanted = {
        "trust_framework": None,
        "evidence": [RECORD | {"record": {"type": None}}, VOUCH | {"attestation": attestation}],
    }
    names = {"name": None, "credit_code": None, "birthdate": None}
    got = logged_in(city, of("userinfo", asked(wanted, names)), number=AGENT, acting=city.mandate)
    found = userinfo(city, got)["verified_claims"]
    assert found["claims"] == {"name": "滨州示范食品有限公司", "credit_code": COMPANY}
    record, vouch = found["verification"]["evidence"]
    assert record == {"type": "electronic_record", "record": {"type": "legal_entity_register"}}
    assert vouch["attestation"]["date_of_expiry"] == "2099-12-31"
    assert vouch["attestation"]["voucher"] == {"organization": "法人库"}
    level = {"trust_framework": None, "assurance_level": {"value": "L2"}}
    got = logged_in(city, of("userinfo", asked(level)), number=AGENT, acting=city.mandate)
    assert "verified_claims" not in userinfo(city, got), "an organisation has no real-name level"


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": None, "assurance_level": {"value": "L4"}},
        {"trust_framework": None, "evidence": [{"type": {"value": "document"}}]},
        {"trust_framework": None, "time": {"max_age": 0}},
        {"trust_framework": None, "verification_process": {"essential": True}},
    ],
    ids=["framework", "level", "evidence", "age", "essential"],
)
def test_what_cannot_be_met_leaves_the_whole_out_and_the_login_goes_on(city: City, verification: Any) -> None:
    got = logged_in(city, of("userinfo", asked(verification)))
    assert userinfo(city, got).keys() == {"sub"}


def test_of_several_requests_those_that_can_be_met_are_answered(city: City) -> None:
    several = [asked({"trust_framework": {"value": "eidas"}}), asked(claims={"birthdate": None})]
    found = userinfo(city, logged_in(city, of("userinfo", several)))["verified_claims"]
    assert [one["claims"] for one in found] == [{"birthdate": "1990-03-07"}]


@pytest.mark.parametrize(
    "stated",
    [None, "all", [], {"claims": {"name": None}}, asked() | {"claims": {}}, asked({"time": None})],
    ids=["null", "text", "none", "no-verification", "no-claims", "no-framework"],
)
def test_a_malformed_request_is_an_invalid_request(city: City, stated: Any) -> None:
    flow = Flow("kyc")
    answer = answer_of(city.browser().open(flow.url(claims=of("userinfo", stated))))
    assert (answer["error"], answer["state"]) == ("invalid_request", flow.state)


def test_an_app_that_is_not_registered_for_it_gets_nothing(city: City) -> None:
    got = logged_in(city, of("userinfo", asked()), client_id="plain")
    assert userinfo(city, got).keys() == {"sub"}
    refused = answer_of(city.browser().open(Flow("plain", scope="openid verified").url()))
    assert refused["error"] == "invalid_scope"


def consent_page(city: City, browser: Browser, claims: str | None, scope: str = "openid") -> str:
    page = browser.open(Flow("kyc", scope=scope).url(claims=claims))
    if page.asks_to_log_in:
        page = browser.log_in(page)
    return html.unescape(page.text)


def test_the_person_sees_each_claim_and_is_asked_every_time(city: City) -> None:
    browser = city.browser()
    wanted = of("userinfo", asked({"trust_framework": None, "evidence": [RECORD]}, {"name": None, "birthdate": None}))
    for words in ("姓名（经核实）", "王**", "出生日期（经核实）", "1990-**-**", "核实的依据", "人口库"):
        assert words in consent_page(city, browser, wanted)
    flow = Flow("kyc")
    browser.code(flow, claims=wanted)
    assert "出生日期（经核实）" in consent_page(city, browser, wanted), "each release is asked for"
    assert answer_of(browser.open(flow.url(claims=wanted, prompt="none")))["error"] == "consent_required"


def test_the_receipt_and_the_holders_record_name_what_goes_out(city: City) -> None:
    flow = Flow("kyc", scope="openid consents.manage")
    browser = city.browser()
    got = redeem(city.app, flow, browser.code(flow, claims=of("userinfo", asked(claims={"birthdate": None})))).json
    listed = city.app.test_client().get("/v1/consent-receipts?limit=1", headers=bearer(got["access_token"])).json
    receipt = browser.open(f"/me/apps/receipts/self/{listed['items'][0]['id']}").text
    purposes = {purpose["name"]: purpose for purpose in claims_of(receipt)["purposes"]}
    assert purposes["birthdate"]["purpose"] == "出生日期（经核实）"
    assert purposes["birthdate"]["pii_information"] == ["verified_claims.birthdate"]
    assert "出生日期（经核实）" in browser.open("/me/accesses").text


def test_a_refreshed_token_says_what_holds_now(city: City) -> None:
    wanted = of("userinfo", asked({"trust_framework": None, "assurance_level": None}))
    got = logged_in(city, wanted, scope="openid offline_access", number=AGENT)
    assert userinfo(city, got)["verified_claims"]["verification"]["assurance_level"] == "L2"
    act(city.house, lambda call: proofing.raise_level(call, city.agent, "face"))
    again = refresh(city, got["refresh_token"], "kyc").json
    assert userinfo(city, again)["verified_claims"]["verification"]["assurance_level"] == "L3"


# --- the modules of the conformance suite's plan `ekyc-server`, by their names


NAME_ALONE = {"verification": {"trust_framework": "cn_one_number"}, "claims": {"name": "王小明"}}


def test_ekyc_server_happypath_and_defaults(city: City) -> None:
    assert userinfo(city, logged_in(city, of("userinfo", asked())))["verified_claims"] == NAME_ALONE


def test_ekyc_server_emptyobject(city: City) -> None:
    """An empty object in the place of `null` asks for the same."""
    found = userinfo(city, logged_in(city, of("userinfo", asked({"trust_framework": {}}, {"name": {}}))))
    assert found["verified_claims"] == NAME_ALONE


def test_ekyc_server_essentialfalse(city: City) -> None:
    found = userinfo(city, logged_in(city, of("userinfo", asked(claims={"name": {"essential": False}}))))
    assert found["verified_claims"] == NAME_ALONE


@pytest.mark.parametrize("name", ["no_such_claim", "特殊 \"<&' claim", "essential"])
def test_ekyc_server_unknown_claim_omitted(city: City, name: str) -> None:
    stated = {"essential": True} if name == "essential" else None
    got = logged_in(city, of("userinfo", asked(claims={"name": None, name: stated})))
    assert userinfo(city, got)["verified_claims"] == NAME_ALONE


def test_ekyc_server_one_claim_with_random_value_omitted(city: City) -> None:
    wanted = asked(claims={"name": None, "birthdate": {"value": "8f2c1d"}})
    assert userinfo(city, logged_in(city, of("userinfo", wanted)))["verified_claims"] == NAME_ALONE


def test_ekyc_server_request_only_in_idtoken_and_userinfo(city: City) -> None:
    """Each answers what was asked there; what was asked for in both is in both."""
    both = json.dumps({target: {"verified_claims": asked()} for target in ("id_token", "userinfo")})
    for claims, in_id_token, in_userinfo in (
        (of("id_token", asked()), True, False), (of("userinfo", asked()), False, True), (both, True, True),
    ):  # fmt: skip
        got = logged_in(city, claims)
        found = ("verified_claims" in claims_of(got["id_token"]), "verified_claims" in userinfo(city, got))
        assert found == (in_id_token, in_userinfo)


def test_ekyc_server_userinfo_notfoundinop(city: City) -> None:
    """Nothing that is asked for is known of a person: no empty object is told in its place."""
    got = logged_in(city, of("userinfo", asked(claims={"credit_code": None})))
    assert userinfo(city, got).keys() == {"sub"}


def test_metadata_announces_what_is_true(city: City) -> None:
    document = city.app.test_client().get("/.well-known/openid-configuration").json
    assert document["verified_claims_supported"] is True
    assert document["trust_frameworks_supported"] == ["cn_one_number"]
    assert document["evidence_supported"] == ["electronic_record", "vouch"]
    assert document["electronic_records_supported"] == ["population_register", "legal_entity_register"]
    assert document["claims_in_verified_claims_supported"] == ["name", "birthdate", "credit_code"]
    assert document["claims_parameter_supported"] is True
    assert {"verified_claims"} <= set(document["claims_supported"])
    for absent in ("documents_supported", "documents_methods_supported", "attachments_supported"):
        assert absent not in document


# --- what a person keeps to himself


def kept_back(city: City, flow: Flow, withhold: str, **changes: str) -> tuple[Any, dict[str, Any]]:
    """Allow all but one claim; return the tokens and what userinfo tells."""
    browser = city.browser()
    page = browser.log_in(browser.open(flow.url(prompt="consent", **changes)))
    page = browser.submit(page, acting="self") if 'name="acting"' in page.text else page
    assert f'value="{withhold}"' in page.text
    page = browser.submit(page, decision="allow", withhold=withhold)
    got = redeem(city.app, flow, answer_of(page)["code"]).json
    return got, city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json


def test_a_verified_claim_can_be_kept_back_by_itself(city: City) -> None:
    stated = {"verification": {"trust_framework": None}, "claims": {"name": None, "birthdate": None}}
    asked = json.dumps({"userinfo": {"verified_claims": stated}, "id_token": {"verified_claims": [stated]}})
    flow = Flow("kyc", "openid profile")
    got, told = kept_back(city, flow, "verified_claims.name", claims=asked)
    assert set(told["verified_claims"]["claims"]) == {"birthdate"}
    assert [set(one["claims"]) for one in claims_of(got["id_token"])["verified_claims"]] == [{"birthdate"}]
    assert "name" in told, "the plain one is another line of the page"


def test_the_scope_of_verified_claims_falls_with_the_one_it_releases(city: City) -> None:
    got, told = kept_back(city, Flow("kyc", "openid profile verified"), "verified_claims.name")
    assert got["scope"].split() == ["openid", "profile"]
    assert "verified_claims" not in told

"""Rich authorization requests (RFC 9396): what is refused, how a request may come, and what the person reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from idservice.oauth.grant_policy import CIBA_GRANT, DEVICE_GRANT
from tests.detailed import (
    KEY,
    MARRIAGE,
    SEAL,
    SHOW,
    TITLE,
    acting_for,
    details,
    issuing,
    of_system,
    refusal,
    register_apps,
    showing,
)
from tests.identity import (
    ISSUER,
    Browser,
    Flow,
    answer_of,
    basic,
    query_of,
    redeem,
    token,
)
from tests.town import AGENT, ALICE, SECURITY, Town, type_of


@pytest.fixture(scope="module", autouse=True)
def apps(town: Town) -> None:
    register_apps(town)


# --- refused requests

BAD: dict[str, Any] = {
    "no JSON": "[{",
    "no array": json.dumps(showing(TITLE)),
    "empty": "[]",
    "not objects": '["licence-show"]',
    "no type": '[{"licence_types":["x"]}]',
    "unknown type": '[{"type":"payment_initiation"}]',
    "type is no text": '[{"type":["licence-show"]}]',
    "unknown field": json.dumps([showing(TITLE, amount="1")]),
    "required field missing": '[{"type":"licence-show"}]',
    "empty field": '[{"type":"licence-show","licence_types":[]}]',
    "text for array": json.dumps([{"type": SHOW, "licence_types": TITLE}]),
    "array for text": json.dumps([{"type": SEAL, "identifier": ["37160010000001"]}]),
    "numbers": '[{"type":"licence-show","licence_types":[1]}]',
    "unknown licence type": '[{"type":"licence-show","licence_types":["nothing"]}]',
    "twice the same": json.dumps([showing(TITLE, TITLE)]),
    "duplicated member": f'[{{"type":"licence-show","licence_types":["{TITLE}"],"licence_types":["{MARRIAGE}"]}}]',
    "control characters": json.dumps([showing(TITLE, datatypes=["a\nb"])]),
    "a citizen's number": json.dumps([showing(TITLE, datatypes=[ALICE])]),
    "past": json.dumps([showing(TITLE, not_after="2020-01-01T00:00:00Z")]),
    "no moment": json.dumps([showing(TITLE, not_after="tomorrow")]),
    "another action": json.dumps([showing(TITLE, actions=["issue"])]),
    "another API": json.dumps([showing(TITLE, locations=["https://other.example/v1"])]),
    "bad credit code": json.dumps([acting_for("9137160210002000AA")]),
    "two mandates": json.dumps([acting_for(), acting_for(SECURITY)]),
    "too many": json.dumps([showing(TITLE)] * 17),
    "too long": json.dumps([showing(TITLE, datatypes=["x" * 250 + str(n) for n in range(60)])]),
    "deeply nested": "[" * 5000 + "]" * 5000,
    "a nested value": '[{"type":"licence-show","licence_types":[["x"]]}]',
    "deep in a field": '[{"type":"licence-show","licence_types":' + "[" * 40 + "]" * 40 + "}]",
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_what_is_malformed_is_refused_and_the_app_is_told(town: Town, raw: str) -> None:
    assert refusal(town, raw=raw) == ("invalid_authorization_details", True)


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_it_is_refused_at_the_token_endpoint_as_well(town: Town, raw: str) -> None:
    form = {"grant_type": "client_credentials", "authorization_details": raw}
    answer = token(town.app, form, basic("system"))
    assert answer.status_code == 400
    assert answer.json["error"] in {"invalid_authorization_details", "invalid_request"}


def test_a_type_the_app_is_not_registered_for_is_refused(town: Town) -> None:
    assert refusal(town, issuing(TITLE), client_id="few") == ("invalid_authorization_details", True)
    assert refusal(town, showing(TITLE), client_id="wallet-app") == ("invalid_authorization_details", True)
    for sent in (showing(TITLE), acting_for()):
        answer = of_system(town, sent)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_authorization_details")


def test_two_copies_of_the_parameter_are_refused(town: Town) -> None:
    flow = Flow("rar")
    page = Browser(town.app).open(flow.url(**details(showing(TITLE))) + "&" + urlencode(details(showing(TITLE))))
    assert answer_of(page)["error"] == "invalid_request"
    body = "grant_type=client_credentials&authorization_details=[]&authorization_details=[]"
    answer = town.web.post(
        "/oauth/token", data=body, content_type="application/x-www-form-urlencoded", headers=basic("system")
    )
    assert answer.json["error"] == "invalid_request"


def test_without_a_page_nothing_is_authorised_in_detail(town: Town) -> None:
    browser, flow = Browser(town.app), Flow("rar")
    browser.code(flow, **details(showing(TITLE)))
    silent = browser.open(Flow("rar").url(prompt="none", **details(showing(TITLE))))
    assert answer_of(silent)["error"] == "consent_required", "a consent to details is for one time"


# --- pushed, signed, on another device


def test_a_pushed_request_carries_details(town: Town) -> None:
    flow = Flow("rar")
    pairs = dict(query_of(flow.url(**details(showing(TITLE)))))
    pushed = token(town.app, pairs, basic("rar"), "/oauth/par")
    assert pushed.status_code == 201, pushed.text
    browser = Browser(town.app)
    where = f"/oauth/authorize?client_id=rar&request_uri={pushed.json['request_uri']}"
    page = browser.submit(browser.log_in(browser.open(where)), decision="allow")
    got = redeem(town.app, flow, answer_of(page)["code"]).json
    assert got["authorization_details"] == [showing(TITLE)]
    bad = token(town.app, pairs | details(issuing("nothing")), basic("rar"), "/oauth/par")
    assert (bad.status_code, bad.json["error"]) == (400, "invalid_authorization_details")


def signed(flow: Flow, **members: Any) -> str:
    moment = int(datetime.now(UTC).timestamp())
    of_the_jwt = {"iss": "signs", "aud": ISSUER, "nbf": moment, "exp": moment + 60}
    payload = dict(query_of(flow.url())) | of_the_jwt | members
    return jwt.encode(payload, KEY, algorithm="ES256", headers={"kid": "k1", "typ": "oauth-authz-req+jwt"})


def test_a_signed_request_carries_details_and_what_stands_beside_it_is_not_read(town: Town) -> None:
    flow, browser = Flow("signs"), Browser(town.app)
    inside = signed(flow, authorization_details=[showing(TITLE)])
    page = browser.open(flow.url(request=inside, **details(issuing(TITLE))))
    page = browser.log_in(page)
    assert "出示您的证照" in page.text
    assert "签发证照" not in page.text
    bad = Browser(town.app).open(flow.url(request=signed(flow, authorization_details=[{"type": "x"}])))
    assert answer_of(bad)["error"] == "invalid_authorization_details"


def test_a_device_asks_for_details_and_gets_them(town: Town) -> None:
    form = {"scope": "openid licences.show", **details(showing(TITLE))}
    started = token(town.app, form, basic("screen"), "/oauth/device_authorization").json
    browser = town.browser(ALICE)
    page = browser.submit(browser.open("/device"), user_code=started["user_code"])
    assert type_of("real_estate_title").name in page.text
    browser.submit(page, decision="allow")
    poll = {"grant_type": DEVICE_GRANT, "device_code": started["device_code"]}
    got = token(town.app, poll, basic("screen")).json
    assert (got["authorization_details"], got["scope"]) == ([showing(TITLE)], "openid")
    bad = token(town.app, form | details({"type": "x"}), basic("screen"), "/oauth/device_authorization")
    assert bad.json["error"] == "invalid_authorization_details"


def test_a_desk_asks_for_details_and_gets_them(town: Town) -> None:
    form = {"scope": "openid", "login_hint": AGENT, **details(acting_for(), showing(TITLE))}
    started = token(town.app, form, basic("screen"), "/oauth/backchannel_authentication").json
    browser = town.browser(AGENT)
    page = browser.open(started["binding_qr_text"].removeprefix(ISSUER))
    assert "滨州示范食品有限公司" in page.text
    browser.submit(page, decision="allow", code=started["binding_code"])
    poll = {"grant_type": CIBA_GRANT, "auth_req_id": started["auth_req_id"]}
    got = token(town.app, poll, basic("screen")).json
    assert got["authorization_details"] == [acting_for(), showing(TITLE)]


def test_who_cannot_act_as_a_device_wants_is_told_and_the_request_waits_on(town: Town) -> None:
    form = {"scope": "openid", **details(acting_for())}
    started = token(town.app, form, basic("screen"), "/oauth/device_authorization").json
    browser = town.browser(ALICE)
    page = browser.submit(browser.open("/device"), user_code=started["user_code"])
    assert page.status == 403
    poll = {"grant_type": DEVICE_GRANT, "device_code": started["device_code"]}
    assert token(town.app, poll, basic("screen")).json["error"] == "authorization_pending"


# --- the consent page


@pytest.mark.parametrize(("language", "words"), [("zh", "截止时间"), ("en", "Not after")])
def test_the_person_reads_what_exactly_is_authorised(town: Town, language: str, words: str) -> None:
    browser, flow = Browser(town.app), Flow("rar")
    kind = type_of("real_estate_title")
    sent = details(showing(TITLE, not_after="2099-12-31T16:00:00Z"))
    page = browser.log_in(browser.open(flow.url(**sent)))
    page = browser.open(f"{page.url}&lang={language}")
    assert words in page.text
    assert (kind.name_en if language == "en" else kind.name) in page.text
    assert "2100-01-01 00:00" in page.text, "in Beijing's time"


def test_what_an_app_sends_is_shown_as_text(town: Town) -> None:
    browser, flow = Browser(town.app), Flow("rar")
    page = browser.log_in(browser.open(flow.url(**details(showing(TITLE, datatypes=["<b>x</b>"])))))
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "<b>x</b>" not in page.text


def test_who_declines_authorises_nothing(town: Town) -> None:
    browser, flow = Browser(town.app), Flow("rar")
    page = browser.log_in(browser.open(flow.url(**details(showing(TITLE)))))
    assert answer_of(browser.submit(page, decision="deny"))["error"] == "access_denied"

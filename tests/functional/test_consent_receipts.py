"""Receipts in people's hands: downloaded, fetched by an app, verified offline, ended by a withdrawal."""

import itertools
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete

from idservice.models import Consent
from idservice.oauth import clients, consent_receipt
from keys.jwk import parse_set
from keys.ring import Purpose
from tests.builders import act
from tests.identity import (
    AGENT,
    CALLBACK,
    COMPANY,
    ISSUER,
    SECRET,
    Browser,
    City,
    Flow,
    basic,
    bearer,
    introspect,
    redeem,
    token,
)
from tests.identity import claims_of as payload_of

SCOPE = "openid profile offline_access consents.manage"
PROGRAM = Path(__file__).parents[2] / "examples" / "verify_receipt.py"


@pytest.fixture(autouse=True)
def _nothing_is_consented(city: City) -> None:
    act(city.house, lambda call: call.session.execute(delete(Consent)))


def tokens_of(city: City, browser: Browser, client_id: str = "basic", scope: str = SCOPE, **walk: str) -> Any:
    flow = Flow(client_id, scope=scope)
    return redeem(city.app, flow, browser.code(flow, **walk)).json


def get(city: City, path: str, got: dict[str, str]) -> Any:
    return city.app.test_client().get(path, headers=bearer(got["access_token"]))


def newest(city: City, got: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = get(city, "/v1/consent-receipts?limit=1", got).json["items"][0]
    return found


def report_of(city: City, text: str) -> consent_receipt.ReceiptReport:
    jwks = city.app.test_client().get("/.well-known/consent-receipt-jwks.json").json
    return consent_receipt.verify(text, keys=parse_set(jwks), issuer=ISSUER)


def test_a_consent_leaves_a_receipt_that_the_published_keys_verify(city: City) -> None:
    browser = city.browser()
    got = tokens_of(city, browser)
    listed = newest(city, got)
    assert (listed["client_id"], listed["event"], listed["name"]) == ("basic", "given", "应用 basic")
    answer = get(city, f"/v1/consent-receipts/{listed['id']}", got)
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="consent-{listed["id"]}.jwt"'
    report = report_of(city, answer.text)
    assert report.ok
    assert {purpose["name"] for purpose in report.claims["purposes"]} >= set(SCOPE.split())
    assert report.claims["sub"] == payload_of(got["id_token"])["sub"], "the app's own name for the person"
    again = get(city, f"/v1/consent-receipts/{listed['id']}", got)
    assert again.text == answer.text, "the same bytes every time"


def test_receipts_have_keys_of_their_own(city: City) -> None:
    """A receipt can pass for no token: neither its type nor its key is a token's."""
    web = city.app.test_client()
    document = web.get("/.well-known/openid-configuration").json
    assert document["consent_receipt_jwks_uri"] == f"{ISSUER}/.well-known/consent-receipt-jwks.json"
    own = {key["kid"] for key in web.get("/.well-known/consent-receipt-jwks.json").json["keys"]}
    assert own == {city.house.keys.signer(Purpose.RECEIPT).kid}
    assert not own & {key["kid"] for key in web.get("/.well-known/jwks.json").json["keys"]}


def test_the_page_offers_the_same_file_and_the_language_is_that_of_the_page(city: City) -> None:
    browser = city.browser()
    flow = Flow("other", scope="openid consents.manage")
    browser.open("/login?lang=en")
    got = redeem(city.app, flow, browser.code(flow)).json
    listed = newest(city, got)
    page = browser.open("/me/apps")
    link = f"/me/apps/receipts/self/{listed['id']}"
    assert page.text.count(f'href="{link}"') == 2, "beside the consent, and in the list"
    file = browser.open(link)
    assert file.headers["Content-Type"] == "application/jwt"
    assert file.text == get(city, f"/v1/consent-receipts/{listed['id']}", got).text
    said = payload_of(file.text)
    assert said["language"] == "en"
    assert said["purposes"][0]["purpose"] == "Log in"


def test_a_withdrawal_leaves_a_second_receipt_that_names_the_first(city: City) -> None:
    browser = city.browser()
    got, others = tokens_of(city, browser), tokens_of(city, browser, "other", "openid")
    first = newest(city, got)
    taken = city.app.test_client().post("/v1/consents/other/withdrawals", headers=bearer(got["access_token"])).json
    assert not introspect(city, others["access_token"], "other")["active"]
    said = payload_of(get(city, f"/v1/consent-receipts/{taken['receipt']}", got).text)
    assert said["event"]["event_type"] == "withdrawn"
    assert said["event"]["withdraws"] == first["id"]
    page = browser.open("/me/apps")
    assert "已收回" in page.text
    assert f"/me/apps/receipts/self/{taken['receipt']}" in page.text


def test_withdrawal_ends_access_and_refresh_tokens_within_five_seconds(city: City) -> None:
    """At every place where a token is taken: our API, userinfo, introspection, refresh. It is the next request."""
    browser = city.browser()
    got = tokens_of(city, browser)
    with time_machine.travel(datetime.now(UTC), tick=False):  # no time at all passes between the deed and its end
        assert browser.submit(browser.open("/me/apps"), revoke="self.basic").status == 200
        assert get(city, "/v1/consents", got).status_code == 401
        assert get(city, "/oauth/userinfo", got).status_code == 401
        assert introspect(city, got["access_token"]) == introspect(city, got["refresh_token"]) == {"active": False}
        form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
        refused = token(city.app, form, basic("basic"))
        assert refused.json["error"] == "invalid_grant"


def test_an_agent_keeps_the_receipts_of_his_company_and_nobody_else_does(city: City) -> None:
    agent, alice = city.browser(), city.browser()
    got = tokens_of(city, agent, number=AGENT, acting=city.mandate)
    receipt_id = newest(city, got)["id"]
    said = payload_of(agent.open(f"/me/apps/receipts/{city.mandate}/{receipt_id}").text)
    claims = payload_of(got["id_token"])
    assert (said["sub"], said["act"]) == (claims["sub"], claims["act"])
    hers = tokens_of(city, alice)
    assert alice.open(f"/me/apps/receipts/{city.mandate}/{receipt_id}").status == 404
    assert alice.open(f"/me/apps/receipts/self/{receipt_id}").status == 404
    assert agent.open(f"/me/apps/receipts/self/{receipt_id}").status == 404, "his own and his company's are two things"
    assert get(city, f"/v1/consent-receipts/{receipt_id}", hers).status_code == 404


@pytest.mark.parametrize("path", ["x" * 32, "0" * 32, "A" * 31])
def test_a_receipt_that_is_not_there_is_not_found(city: City, path: str) -> None:
    browser = city.browser()
    got = tokens_of(city, browser)
    assert get(city, f"/v1/consent-receipts/{path}", got).status_code == 404
    assert browser.open(f"/me/apps/receipts/self/{path}").status == 404
    assert browser.open(f"/me/apps?before={path}").status == 200


def test_receipts_are_for_their_holder_alone(city: City) -> None:
    web = city.app.test_client()
    assert web.get("/v1/consent-receipts").status_code == 401
    others = tokens_of(city, city.browser(), "other", "openid")
    assert get(city, "/v1/consent-receipts", others).status_code == 403
    assert "/login" in city.browser().open(f"/me/apps/receipts/self/{'0' * 32}").url


def test_many_receipts_are_shown_page_by_page(city: City) -> None:
    browser = city.browser()
    flow = Flow(scope="openid")
    for _ in range(22):
        browser.code(flow, prompt="consent")
    first = browser.open("/me/apps")
    assert first.text.count('class="ona-log__entry"') == 20
    older = first.text.partition("/me/apps?before=")[2][:32]
    second = browser.open(f"/me/apps?before={older}")
    assert 2 <= second.text.count('class="ona-log__entry"') <= 20
    assert f"/{older}" not in second.text.replace(f'receipts/self/{older}" download>下载给', "")


def test_a_receipt_lists_what_was_authorised_in_detail_and_each_single_claim(city: City) -> None:
    stated: dict[str, Any] = {"name": "细粒度应用", "unit": "示范单位", "scope": "openid profile consents.manage"}
    stated |= {"auth_method": "client_secret_basic", "secret": SECRET, "redirect_uris": [CALLBACK]}
    stated |= {"grant_types": ["authorization_code"], "authorization_details_types": ["mandate"]}
    act(city.house, lambda call: clients.register(call, client_id="detailed", **stated))
    detail = {"type": "mandate", "principal": COMPANY}
    flow, browser = Flow("detailed", scope="openid consents.manage"), city.browser()
    more = {"authorization_details": json.dumps([detail]), "claims": '{"userinfo": {"credit_code": null}}'}
    got = redeem(city.app, flow, browser.code(flow, number=AGENT, acting=city.mandate, **more)).json
    said = payload_of(get(city, f"/v1/consent-receipts/{newest(city, got)['id']}", got).text)
    found = {(purpose["purpose_type"], purpose["name"]): purpose for purpose in said["purposes"]}
    assert found["authorization_detail", "mandate"]["purpose"] == "代表单位办事"
    assert found["authorization_detail", "mandate"]["detail"] == detail
    assert found["claim", "credit_code"]["pii_information"] == ["credit_code"]
    assert ("scope", "profile") not in found, "what was not asked for is not in it"


# --- offline


@pytest.fixture
def folder(city: City, tmp_path: Path) -> Path:
    browser = city.browser()
    tokens_of(city, browser, "post", "openid profile")
    page = browser.submit(browser.open("/me/apps"), revoke="self.post")
    links = [part.partition('"')[0] for part in page.text.split('href="/me/apps/receipts/')[1:]]
    files = (browser.open(f"/me/apps/receipts/{link}").text for link in links)
    ours = (file for file in files if payload_of(file)["pii_controller"]["party_id"] == "post")
    withdrawn, given = itertools.islice(ours, 2)
    (tmp_path / "given.jwt").write_text(given)
    (tmp_path / "withdrawn.jwt").write_text(withdrawn)
    (tmp_path / "altered.jwt").write_text(given[:-6] + "AAAAAA")
    (tmp_path / "keys.json").write_text(city.app.test_client().get("/.well-known/consent-receipt-jwks.json").text)
    (tmp_path / "others.json").write_text(city.app.test_client().get("/.well-known/jwks.json").text)
    return tmp_path


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, cwd=cwd, check=False)


def test_both_receipts_hold_without_us(folder: Path) -> None:
    told = run("given.jwt", "withdrawn.jwt", "--keys", "keys.json", "--issuer", ISSUER, cwd=folder)
    assert (told.returncode, told.stderr) == (0, "")
    for words in ("有效 HOLDS  given.jwt", "应用 post", "姓名和实名等级: name, real_name_level", "withdrawn since"):
        assert words in told.stdout
    machine = run("given.jwt", "--keys", "keys.json", "--json", cwd=folder)
    assert json.loads(machine.stdout)["receipt"]["iss"] == ISSUER


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("altered.jwt", "--keys", "keys.json"), 1),
        (("given.jwt", "altered.jwt", "--keys", "others.json"), 2),
        (("given.jwt", "--keys", "keys.json", "--issuer", "https://other.example"), 1),
        (("keys.json", "--keys", "keys.json"), 1),
        (("none.jwt", "--keys", "keys.json"), 2),
        (("given.jwt", "--keys", "given.jwt"), 2),
    ],
    ids=["altered", "other-keys", "other-issuer", "no-receipt", "no-file", "no-keys"],
)
def test_the_exit_status_says_yes_no_or_unknown(folder: Path, arguments: tuple[str, ...], status: int) -> None:
    assert run(*arguments, cwd=folder).returncode == status


def test_the_program_needs_neither_server_nor_database() -> None:
    program = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print(*{'flask', 'sqlalchemy', 'marshmallow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(PROGRAM)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == []


# --- by an operator


def operate(city: City, *arguments: object) -> Any:
    return city.app.test_cli_runner().invoke(args=["receipts", "verify", *map(str, arguments)])


def test_an_operator_tells_our_receipts_from_others(city: City, folder: Path) -> None:
    good, bad = folder / "given.jwt", folder / "altered.jwt"
    done = operate(city, good, folder / "withdrawn.jwt")
    assert (done.exit_code, done.output.count("有效 holds")) == (0, 2)
    done = operate(city, good, bad, "--json")
    assert done.exit_code == 1
    reports = [json.loads(line) for line in done.output.splitlines()]
    assert [(report["ok"], report["reasons"]) for report in reports] == [(True, []), (False, ["signature_invalid"])]
    assert operate(city, folder / "keys.json").exit_code == 1
    assert operate(city, folder / "none.jwt").exit_code == 2


def test_a_receipt_by_a_revoked_key_says_so(city: City, folder: Path) -> None:
    kid = city.house.keys.signer(Purpose.RECEIPT).kid
    city.house.keys.rotate(Purpose.RECEIPT, now=datetime.now(UTC))
    assert operate(city, folder / "given.jwt").exit_code == 0, "a retired key is still trusted"
    city.house.keys.revoke(kid)
    done = operate(city, folder / "given.jwt", "--json")
    assert (done.exit_code, json.loads(done.output)["reasons"]) == (1, ["key_revoked"])

"""Wallets are asked and answer: a counter's walk, an app's walk, and everything that must not be taken."""

import hashlib
import io
import json
import re
from base64 import b64decode
from typing import Any

import jwt
import pytest
import resvg_py
import zxingcpp
from cryptography import x509
from joserfc import jws
from joserfc.jwk import ECKey
from PIL import Image

from idservice.ids import secret_hash
from keys.base64url import b64u, unb64u
from keys.ring import Purpose
from licences.wallets.presentation import rights
from licences.wallets.presentation.models import WalletRequest
from tests.identity import CALLBACK
from tests.town import ALICE, CLERK, MATTER, NAMES, SECURITY, WINDOW, Town, now, type_of
from tests.wallets import OPERATOR, Request, Wallet, ask, follow, request

CARD = type_of("resident_card").code
TITLE = type_of("real_estate_title").code
SD, MDOC = "dc+sd-jwt", "mso_mdoc"


@pytest.fixture(scope="module")
def wallet(town: Town) -> Wallet:
    return Wallet(town)


@pytest.fixture(scope="module")
def card(town: Town) -> Any:
    return town.issue("resident_card")


@pytest.fixture(scope="module")
def copy(wallet: Wallet, card: Any) -> str:
    return wallet.sd_jwt(card)


@pytest.fixture(scope="module")
def mdoc(wallet: Wallet, card: Any) -> bytes:
    return wallet.mdoc(card)


@pytest.fixture(scope="module")
def household(town: Town, wallet: Wallet) -> str:
    return wallet.sd_jwt(town.issue("household_register"))


def of_card(town: Town, **more: Any) -> Request:
    """Ask for the identity card alone."""
    return request(town, types=[CARD], **more)


def code_of(answer: Any) -> tuple[str, str]:
    assert answer.status_code == 400, answer.text
    return answer.json["code"], answer.json["error_description"].rstrip(".").rpartition(": ")[2]


def vct(town: Town, code: str) -> str:
    return f"{town.house.settings.signs_as}/credentials/{code}"


def asked_of(town: Town, *paths: list[Any], **more: Any) -> dict[str, Any]:
    """Return a query for claims of the card's SD-JWT VC."""
    one = {"id": "card", "format": SD, "meta": {"vct_values": [vct(town, CARD)]}, **more}
    return {"credentials": [one | ({"claims": [{"path": path} for path in paths]} if paths else {})]}


# --- walks ---------------------------------------------------------------------------------------------------------


def test_a_clerks_page_asks_and_a_wallet_answers(town: Town, wallet: Wallet, copy: str) -> None:
    clerk = town.browser(CLERK)
    assert "/counter/wallet" in clerk.open("/counter/ask").text
    form = clerk.open("/counter/wallet")
    assert clerk.submit(form, type=CARD).status == 422, "the purpose is missing"
    assert clerk.submit(form, purpose="identity", type="").status == 422, "so is the type"
    shown = clerk.submit(form, purpose="identity", type=CARD)
    assert "<svg" in shown.text
    asked = follow(town, {"id": shown.url.rpartition("/")[2], "link": scanned(shown.text)})
    assert "已有一个钱包打开了请求" in clerk.open(shown.url).text
    told = asked.answer({asked.query(SD)["id"]: [asked.show(wallet, copy)]}).json["redirect_uri"]
    number = number_on(town.web.get(told.removeprefix(town.house.settings.issuer)).text)
    answered = clerk.open(shown.url)
    assert "持证人已答复" in answered.text
    assert town.browser(ALICE).open(shown.url).status == 403
    result = clerk.submit(answered)
    assert number_on(result.text) == number, "one number on both screens"
    assert "王**" in result.text
    assert town.looks()[0]["basis"] == "wallet"
    again = clerk.open(shown.url, {"csrf_token": answered.form["values"]["csrf_token"]})
    assert (again.status, "结果已查看过" in again.text) == (409, True)


def number_on(page: str) -> str:
    found = re.search(r"<strong>(\d{4})</strong>", page)
    assert found is not None, page
    return found[1]


def scanned(page: str) -> str:
    """Read the QR on a page as a telephone does."""
    svg = page[page.index("<svg", page.index("ona-asked__qr")) :]
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg[: svg.index("</svg>") + 6], dpi=150))))
    (code,) = zxingcpp.read_barcodes(picture.convert("L"))
    return code.text


@pytest.mark.parametrize("response_mode", ["direct_post", "direct_post.jwt"])
def test_what_the_matter_needs_is_read_and_on_record(
    town: Town, wallet: Wallet, copy: str, household: str, response_mode: str
) -> None:
    asked = request(town, matter=MATTER, response_mode=response_mode)
    stated = asked.parameters["dcql_query"]
    assert {one["required"] for one in stated["credential_sets"]} == {True, False}
    given = {}
    for one in stated["credentials"]:
        held = {vct(town, CARD): copy}.get(one["meta"].get("vct_values", [""])[0])
        if one["format"] == SD and one["id"] in {"identity", "household"}:
            names = [claim["path"][0] for claim in one["claims"]]
            given[one["id"]] = [asked.show(wallet, held or household, *names)]
    answer = asked.answer(given)
    assert answer.status_code == 200, answer.text
    read = asked.read()
    assert read.status_code == 201, read.text
    report = read.json["report"]
    assert (report["ok"], report["scanned"], report["state"]) == (True, "wallet", "valid")
    assert report["licences"][0]["holder"] == {"name": "王小明", "number": ALICE}
    page = town.web.get(answer.json["redirect_uri"].removeprefix(town.house.settings.issuer))
    assert number_on(page.text) == read.json["check_number"], "on both screens"
    assert f"{NAMES[SECURITY]} {WINDOW}" in page.text
    look = next(look for look in town.looks() if "holder_number" in look["fields"])
    assert (look["basis"], look["matter"], look["unit"]) == ("wallet", MATTER, f"{NAMES[SECURITY]} {WINDOW}")


def test_an_mdoc_is_read_too(town: Town, wallet: Wallet, mdoc: bytes) -> None:
    asked = of_card(town)
    query = asked.query(MDOC)
    answer = asked.answer({query["id"]: [asked.show_mdoc(wallet, mdoc, "licence_type", "holder_name")]})
    assert answer.status_code == 200, answer.text
    report = asked.read().json["report"]
    assert report["ok"]
    assert report["licence"]["holder"]["name"] == "王**", "disclosed, and not asked for"
    assert town.looks()[0]["fields"] == ["masked_holder"]


def test_a_credential_that_hides_nothing_needs_a_right_to_all(town: Town, wallet: Wallet, card: Any) -> None:
    query = {
        "credentials": [{"id": "vc", "format": "jwt_vc_json", "meta": {"type_values": [["VerifiableCredential"]]}}]
    }
    refused = town.post("/v1/wallet-requests", {"purpose": "x", "dcql_query": query}, town.machine("civil-counter"))
    assert refused.json["code"] == "fields_exceeded"
    town.act(lambda call: rights.put(call, "counter", "jwt_vc_json", ["*"]))
    try:
        asked = request(town, dcql_query=query)
        payload = {"aud": asked.asked().audience, "nonce": asked.asked().nonce, "iat": int(now().timestamp())}
        held = {"vp": {"verifiableCredential": [wallet.jwt_vc(card)]}}
        token = jws.serialize_compact(
            {"alg": "ES256", "typ": "JWT"}, json.dumps(payload | held), ECKey.import_key(wallet.jwk)
        )
        assert asked.answer({"vc": [wallet.jwt_vc(card)]}).json["error_description"] == "vc: holder_binding."
        assert asked.answer({"vc": [token]}).status_code == 200
        report = asked.read().json["report"]
    finally:
        town.act(lambda call: rights.remove(call, "counter", "jwt_vc_json"))
    assert (report["ok"], report["licence"]["holder"]["number"]) == (True, ALICE)


def test_on_one_device_the_session_that_began_reads(town: Town, wallet: Wallet, copy: str) -> None:
    headers = town.person(CLERK, client="staff-app")
    body = {"purpose": "受理", "types": [CARD], "flow": "same_device", "return_uri": CALLBACK}
    asked = follow(town, ask(town, headers, **body, operator={"id_number": CLERK}))
    told = asked.answer({asked.query(SD)["id"]: [asked.show(wallet, copy)]}).json["redirect_uri"]
    assert told.startswith(f"{CALLBACK}?response_code=")
    response_code = told.partition("response_code=")[2]
    where = f"/v1/wallet-requests/{asked.id}/verifications"
    for wrong in ({}, {"response_code": "x"}, {"response_code": response_code[:-1]}):
        answer = town.post(where, wrong, headers)
        assert (answer.status_code, answer.json["code"]) == (403, "wallet_response_code")
    assert town.post(where, {"response_code": response_code}, town.machine("counter")).status_code == 404
    assert town.post(where, {"response_code": response_code}, headers).json["report"]["ok"]
    again = town.post(where, {"response_code": response_code}, headers)
    assert (again.status_code, again.json["code"]) == (409, "wallet_request_unanswered")


def test_a_refusal_is_all_the_counter_learns(town: Town) -> None:
    asked, before = of_card(town), len(town.looks())
    assert code_of(asked.post({"error": "access_denied", "state": "x"})) == ("wallet_response", "state")
    answer = asked.post({"error": "access_denied", "state": asked.parameters["state"]})
    assert answer.status_code == 200
    assert "已拒绝" in town.web.get(answer.json["redirect_uri"].removeprefix(town.house.settings.issuer)).text
    assert (asked.state(), asked.read().json["code"]) == ("refused", "wallet_request_unanswered")
    assert len(town.looks()) == before


# --- the request ---------------------------------------------------------------------------------------------------


def test_a_signed_request_is_fetched_once(town: Town) -> None:
    asked = ask(town, types=[CARD], profile="haip")
    assert asked["link"] == asked["qr_text"]
    assert asked["link"].startswith("haip-vp://?client_id=x509_hash%3A")
    path = asked["request_uri"].removeprefix(town.house.settings.issuer)
    assert town.web.head(path).status_code == 200
    long = town.web.post(path, data={"wallet_nonce": "n" * 257})
    assert (long.status_code, long.json["code"]) == (400, "bad_request"), "and it is not used up"
    answer = town.web.post(path, data={"wallet_nonce": "of the wallet"})
    assert answer.mimetype == "application/oauth-authz-req+jwt"
    header = json.loads(unb64u(answer.text.split(".")[0]))
    (leaf,) = header["x5c"]
    certificate = x509.load_der_x509_certificate(b64decode(leaf))
    payload = jwt.decode(answer.text, certificate.public_key(), ["ES256"], audience="https://self-issued.me/v2")
    assert header["typ"] == "oauth-authz-req+jwt"
    fingerprint = hashlib.sha256(b64decode(leaf)).digest()
    assert payload["client_id"] == f"x509_hash:{b64u(fingerprint)}"
    assert payload["wallet_nonce"] == "of the wallet"
    assert payload["response_mode"] == "direct_post.jwt"
    assert header["kid"] in town.house.keys.public(Purpose.VERIFIER)
    assert town.web.get("/wallet/jwks.json").json["keys"][0]["kid"] == header["kid"]
    for again in (town.web.get(path), town.web.post(path, data={})):
        assert (again.status_code, again.json["code"]) == (404, "wallet_request_over")


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"purpose": ""}, "invalid", "/purpose"),
        ({}, "invalid", "/dcql_query"),
        ({"types": ["no-such"]}, "not_found", None),
        ({"matter": "NO-SUCH"}, "not_found", None),
        ({"types": [CARD], "operator": {"id_number": ALICE}}, "operator_unknown", None),
        ({"dcql_query": {"credentials": []}}, "invalid", "/dcql_query/credentials"),
        ({"types": [CARD], "profile": "haip", "client_id_prefix": "redirect_uri"}, "invalid", "/client_id_prefix"),
        ({"types": [CARD], "profile": "haip", "response_mode": "direct_post"}, "invalid", "/response_mode"),
        ({"types": [CARD], "client_id_prefix": "x509_san_dns"}, "invalid", "/client_id_prefix"),
        ({"types": [CARD], "flow": "same_device"}, "invalid", "/return_uri"),
        ({"types": [CARD], "flow": "same_device", "return_uri": "https://evil.example/"}, "invalid", "/return_uri"),
        ({"types": [CARD], "return_uri": CALLBACK}, "invalid", "/return_uri"),
        ({"types": [CARD], "profile": "eudi"}, "invalid", "/profile"),
    ],
)
def test_a_request_is_refused(town: Town, body: dict[str, Any], code: str, pointer: str | None) -> None:
    stated = {"purpose": "x", "operator": OPERATOR, **body}
    answer = town.post("/v1/wallet-requests", stated, town.machine("counter"))
    assert answer.json["code"] == code, answer.text
    assert pointer is None or answer.json["errors"][0]["pointer"] == pointer


def test_asking_too_much_is_refused_and_named(town: Town) -> None:
    def errors(query: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
        stated = {"purpose": "x", "operator": OPERATOR, "dcql_query": query, **more}
        answer = town.post("/v1/wallet-requests", stated, town.machine("counter"))
        assert (answer.status_code, answer.json["code"]) == (403, "fields_exceeded"), answer.text
        return [(error["pointer"], error["message"]) for error in answer.json["errors"]]

    name, sex, odd = ["holder_name"], ["face_sex"], ["phone"]
    at = "/dcql_query/credentials/0"
    assert errors(asked_of(town, name)) == [(f"{at}/claims/0", "not a field you may ask for: holder_name")]
    assert errors(asked_of(town, name, sex, odd), matter=MATTER) == [
        (f"{at}/claims/1", "not a field you may ask for: sex"),
        (f"{at}/claims/2", "no such claim"),
    ]
    other = asked_of(town, meta={"vct_values": [vct(town, TITLE)]})
    assert errors(other, matter=MATTER) == [(f"{at}/meta", f"not a type you may ask for: {TITLE}")]
    foreign = asked_of(town, meta={"vct_values": ["https://elsewhere.example/pid"]})
    assert errors(foreign)[0][0] == f"{at}/meta"
    request(town, dcql_query=asked_of(town, ["licence_name"], ["status"]))  # stands in every copy
    request(town, dcql_query=asked_of(town, name), matter=MATTER)


def test_an_app_may_be_given_a_right(town: Town, wallet: Wallet, copy: str) -> None:
    query = asked_of(town, ["holder_name"])
    town.act(lambda call: rights.put(call, "counter", CARD, ["holder_name"]))
    try:
        asked = request(town, dcql_query=query)
        assert asked.answer({"card": [asked.show(wallet, copy, "holder_name", "holder_number")]}).status_code == 200
        licence = asked.read().json["report"]["licence"]
        assert licence["holder"]["name"] == "王小明"
        assert licence["holder"]["number"] != ALICE, "disclosed, and never asked for"
        for beyond in ({"dcql_query": asked_of(town, ["holder_number"])}, {"types": [TITLE]}):
            stated = {"purpose": "x", "operator": OPERATOR, **beyond}
            assert town.post("/v1/wallet-requests", stated, town.machine("counter")).json["code"] == "fields_exceeded"
    finally:
        town.act(lambda call: rights.remove(call, "counter", CARD))


def test_nothing_of_a_request_stands_in_the_clear(town: Town, wallet: Wallet, copy: str) -> None:
    asked = of_card(town)
    asked.answer({asked.query(SD)["id"]: [asked.show(wallet, copy, "holder_name")]})
    row = town.act(lambda call: call.session.get_one(WalletRequest, bytes.fromhex(asked.id)))
    kept = repr([getattr(row, column.name) for column in WalletRequest.__table__.columns])
    for secret in (asked.code, asked.parameters["nonce"], "受理用电报装", "王小明", CARD):
        assert secret not in kept
    asked.read()
    row = town.act(lambda call: call.session.get_one(WalletRequest, bytes.fromhex(asked.id)))
    assert row.answer_sealed is None, "read, and gone"


def test_the_holders_page_needs_both_codes(town: Town, wallet: Wallet, copy: str) -> None:
    asked = of_card(town)
    told = asked.answer({asked.query(SD)["id"]: [asked.show(wallet, copy)]}).json["redirect_uri"]
    path = told.removeprefix(town.house.settings.issuer)
    assert town.web.get(path).status_code == 200
    for wrong in (
        path[:-1],
        f"/wallet/answered/{'A' * 43}/x",
        f"/wallet/answered/{asked.code}/x",
        "/wallet/answered/x/y",
    ):
        answer = town.web.get(wrong)
        assert answer.status_code == 404
        assert "受理用电报装" not in answer.text
    row = town.act(lambda call: call.session.get_one(WalletRequest, secret_hash(asked.code)))
    assert row.response_code_hash == secret_hash(path.rpartition("/")[2])


def test_the_operator_keeps_the_rights_of_apps(town: Town) -> None:
    run = town.app.test_cli_runner().invoke
    assert "已登记" in run(args=["wallets", "rights", "put", "counter", TITLE, "location", "area"]).output
    assert json.loads(run(args=["wallets", "rights", "list", "--json"]).output) == [
        {"client_id": "counter", "type": TITLE, "fields": ["area", "location"]}
    ]
    assert "area, location" in run(args=["wallets", "rights", "list"]).output
    assert run(args=["wallets", "rights", "put", "nobody", TITLE, "*"]).exit_code == 2
    assert run(args=["wallets", "rights", "remove", "counter", TITLE]).exit_code == 0
    assert run(args=["wallets", "rights", "remove", "counter", TITLE]).exit_code == 1

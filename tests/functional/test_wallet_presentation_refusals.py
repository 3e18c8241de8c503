"""What wallets may not do: false presentations, answers to another request, too late or twice; what is judged late."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from keys.base64url import b64u, unb64u
from licences.formats import key_binding, sdjwt
from licences.status import entries
from licences.wallets.presentation.models import WalletRequest
from licences.wallets.presentation.response import MAX_RESPONSE
from tests.town import BOB, Town, now, type_of
from tests.wallets import Request, Wallet, ask, encrypt, request

CARD = type_of("resident_card").code
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


def test_each_false_presentation_has_its_code(town: Town, wallet: Wallet, card: Any, copy: str, household: str) -> None:
    asked, other = of_card(town), of_card(town)
    query, thief = asked.query(SD)["id"], Wallet(town)
    shown = sdjwt.present(copy, ["holder_name"])
    right = asked.asked()

    def bound(presentation: str = shown, signer: Any = wallet.signer, at: Any = None, **how: str) -> str:
        stated = {"audience": right.audience, "nonce": right.nonce, **how}
        return key_binding.bind(presentation, signer, key_binding.Asked(**stated), now=at or now())

    good = bound()
    issued, _, proof = good.rpartition("~")
    more = sdjwt.present(copy, ["holder_name", "holder_number"])
    head, payload, signature = copy.partition("~")[0].split(".")
    forged = {**json.loads(unb64u(payload)), "licence_identifier": "x"}
    unsigned = f"{b64u(json.dumps({'alg': 'none', 'typ': 'kb+jwt'}).encode())}.{proof.split('.')[1]}."
    for presentation, code in (
        (f"{issued}~", "key_binding_missing"),
        (bound(nonce=other.asked().nonce), "key_binding_nonce"),
        (bound(audience="x509_hash:someone-else"), "key_binding_audience"),
        (bound(signer=thief.signer), "key_binding"),
        (bound(at=now() - timedelta(minutes=6)), "key_binding_time"),
        (bound(at=now() + timedelta(minutes=6)), "key_binding_time"),
        (f"{more}{proof}", "key_binding"),  # sd_hash: a disclosure was added
        (f"{issued}~{unsigned}", "key_binding"),
        (bound(sdjwt.present(wallet.handmade(card, bound=False), [])), "holder_key"),
        (bound(f"{head}.{b64u(json.dumps(forged).encode())}.{signature}~"), "signature"),
        (bound("x~"), "malformed"),
        ("x", "form"),
        ("证", "form"),
    ):
        assert code_of(asked.answer({query: [presentation]})) == ("wallet_presentation", code), code
    assert code_of(asked.answer({query: [asked.show(wallet, household)]})) == ("wallet_presentation", "type")
    assert code_of(asked.answer({"stranger": [good]})) == ("wallet_response", "unasked")
    assert code_of(asked.answer({query: [good, good]})) == ("wallet_presentation", "multiple")
    assert asked.state() == "fetched", "and the request still waits"
    assert asked.answer({query: [good]}).status_code == 200
    replayed = asked.answer({query: [good]})
    assert (replayed.status_code, replayed.json["code"]) == (404, "wallet_request_over")
    assert code_of(other.answer({query: [good]})) == ("wallet_presentation", "key_binding_nonce"), "replayed elsewhere"


def test_each_false_mdoc_has_its_code(town: Town, wallet: Wallet, mdoc: bytes) -> None:
    asked = of_card(town)
    query = asked.query(MDOC)["id"]
    elements = "licence_type", "holder_name"
    for presentation, code in (
        (asked.show_mdoc(wallet, mdoc, *elements, nonce="other"), "device_signature"),
        (asked.show_mdoc(wallet, mdoc, *elements, client_id="x509_hash:other"), "device_signature"),
        (asked.show_mdoc(wallet, mdoc, *elements, response_uri="https://evil.example"), "device_signature"),
        (asked.show_mdoc(wallet, mdoc, *elements, thumbprint=None), "device_signature"),
        (asked.show_mdoc(Wallet(town), mdoc, *elements), "device_signature"),
        (asked.show_mdoc(wallet, mdoc, "holder_name"), "claim"),
        ("AA", "malformed"),
        ("=", "malformed"),
        (asked.show_mdoc(wallet, mdoc, *elements)[:-4], "malformed"),
    ):
        assert code_of(asked.answer({query: [presentation]})) == ("wallet_presentation", code), code


def test_each_false_form_has_its_code(town: Town, wallet: Wallet, copy: str) -> None:
    asked, other = of_card(town), of_card(town)
    good = {asked.query(SD)["id"]: [asked.show(wallet, copy)]}
    assert asked.jwk is not None
    assert other.jwk is not None
    answer = {"vp_token": good, "state": asked.parameters["state"]}
    for form, code in (
        ({}, "not_encrypted"),
        ({"vp_token": json.dumps(good), "state": asked.parameters["state"]}, "not_encrypted"),
        ({"response": encrypt(answer, other.jwk)}, "encryption"),
        ({"response": encrypt(answer, {**other.jwk, "kid": asked.jwk["kid"]})}, "decryption"),
        (asked.form(good, state=other.parameters["state"]), "state"),
        (asked.form(good, state=None), "state"),
        ({"response": "x" * (MAX_RESPONSE + 1)}, "too_large"),
    ):
        assert code_of(asked.post(form)) == ("wallet_response", code), code
    where = f"/wallet/responses/{asked.code}"
    assert town.web.post(where, json=answer).status_code == 415
    assert town.web.post(f"{where}?x=1", data={}).status_code == 400
    assert (
        town.web.post(where, data="state=1&state=2", content_type="application/x-www-form-urlencoded").status_code
        == 400
    )
    assert town.web.post(where, data={"response": "x" * 1_100_000}).status_code == 413
    assert asked.answer(good).status_code == 200


def test_an_expired_request_is_neither_fetched_nor_answered(town: Town, wallet: Wallet, copy: str) -> None:
    asked, unfetched = of_card(town), ask(town, types=[CARD])

    def age(call: Any) -> None:
        for request_id in (asked.id, unfetched["id"]):
            row = call.session.get_one(WalletRequest, bytes.fromhex(request_id))
            assert row.expires_at - row.created_at <= timedelta(minutes=3)
            row.expires_at = call.now

    town.act(age)
    path = unfetched["request_uri"].removeprefix(town.house.settings.issuer)
    late = asked.answer({asked.query(SD)["id"]: [asked.show(wallet, copy)]})
    never = town.web.post("/wallet/responses/" + "A" * 43, data={})
    for answer in (late, town.web.post(path, data={}), never, town.web.get("/wallet/requests/x")):
        assert (answer.status_code, answer.json) == (404, never.json)
    assert asked.state() == "expired"


def test_what_the_register_says_is_judged_when_it_is_read(town: Town, wallet: Wallet) -> None:
    held = town.issue("household_register", BOB)
    kind = type_of("household_register").code
    copy, second = wallet.sd_jwt(held), wallet.sd_jwt(held)
    place = json.loads(unb64u(copy.split("~")[0].split(".")[1]))["status"]["status_list"]["idx"]

    def reasons(presented: str, between: Any = None) -> list[str]:
        asked = request(town, types=[kind])
        answer = asked.answer({asked.query(SD)["id"]: [asked.show(wallet, presented)]})
        assert answer.status_code == 200, answer.text
        if between is not None:
            between()
        found: list[str] = asked.read().json["report"]["reasons"]
        return found

    def end_copy() -> None:
        town.act(lambda call: entries.end(call, [place]))

    assert reasons(copy) == []
    assert reasons(copy, end_copy) == ["revoked"], "this copy alone"
    assert reasons(second) == []
    assert reasons(wallet.handmade(held, ends=now() + timedelta(seconds=1)), None) in ([], ["expired"])
    assert reasons(wallet.handmade(held, ends=now() - timedelta(seconds=1))) == ["expired"]
    suspend = {"reason": "x"}
    assert reasons(second, lambda: town.change(held.identifier, "suspend", **suspend)) == ["suspended"]
    town.change(held.identifier, "resume", **suspend)
    town.change(held.identifier, "revoke", reason="x")
    assert reasons(second) == ["revoked"]


def test_of_fifty_answers_at_once_one_is_taken(town: Town, wallet: Wallet, copy: str) -> None:
    asked = of_card(town)
    form = asked.form({asked.query(SD)["id"]: [asked.show(wallet, copy)]})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _n: asked.post(form), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 49
    with ThreadPoolExecutor(8) as pool:
        reads = list(pool.map(lambda _n: asked.read(), range(8)))
    assert sorted(read.status_code for read in reads) == [201] + [409] * 7
    unfetched = ask(town, types=[CARD])["request_uri"].removeprefix(town.house.settings.issuer)
    with ThreadPoolExecutor(8) as pool:
        fetched = list(pool.map(lambda _n: town.web.get(unfetched), range(16)))
    assert sorted(one.status_code for one in fetched) == [200] + [404] * 15

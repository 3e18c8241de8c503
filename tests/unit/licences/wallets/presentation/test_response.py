"""A wallet's form: encrypted to the key of this request or refused, each fault with its code."""

import json
from typing import Any

import pytest

from licences.wallets.presentation import response, sealing
from licences.wallets.presentation.response import ResponseError
from tests.wallets import encrypt

KEY = sealing.new_key()
PUBLIC = {name: value for name, value in KEY.items() if name != "d"}
GOOD: dict[str, Any] = {"vp_token": {"q": ["a~b"]}, "state": "s"}


def read(form: dict[str, str], *, encrypted: bool = True) -> response.Answer:
    return response.read(form, key=KEY if encrypted else None, state="s")


def code_of(form: dict[str, str], *, encrypted: bool = True) -> str:
    with pytest.raises(ResponseError) as error:
        read(form, encrypted=encrypted)
    return error.value.code


def sealed(answer: Any = GOOD, jwk: dict[str, str] = PUBLIC, **header: Any) -> dict[str, str]:
    return {"response": encrypt(answer, jwk, **header)}


@pytest.mark.parametrize("enc", response.ENCRYPTIONS)
def test_an_answer_to_our_key_is_opened(enc: str) -> None:
    assert read(sealed(enc=enc)).presentations == {"q": ("a~b",)}
    assert read(sealed(enc=enc, apu="YQ", apv="Yg")).presentations == {"q": ("a~b",)}


def test_an_answer_in_the_clear_is_read_where_it_was_asked_for() -> None:
    form = {"vp_token": json.dumps(GOOD["vp_token"]), "state": "s"}
    assert read(form, encrypted=False).presentations == {"q": ("a~b",)}
    assert code_of(form) == "not_encrypted"
    assert code_of(sealed(), encrypted=False) == "encrypted"


def test_a_wallet_may_refuse_and_knows_the_state() -> None:
    for form in ({"error": "access_denied", "state": "s"}, sealed({"error": "access_denied", "state": "s"})):
        assert read(form) == response.Answer({}, "access_denied")
    assert code_of({"error": "access_denied"}) == "state"
    assert code_of({"error": "access_denied", "state": "t"}) == "state"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (sealed({**GOOD, "state": "t"}), "state"),
        (sealed({"vp_token": GOOD["vp_token"]}), "state"),
        (sealed({**GOOD, "state": 1}), "state"),
        (sealed({"state": "s"}), "vp_token"),
        (sealed({"state": "s", "vp_token": {}}), "vp_token"),
        (sealed({"state": "s", "vp_token": {"q": "a~b"}}), "vp_token"),
        (sealed({"state": "s", "vp_token": {"q": []}}), "vp_token"),
        (sealed({"state": "s", "vp_token": {"q": [{}]}}), "vp_token"),
        (sealed({"state": "s", "vp_token": {"q": ["x"] * 33}}), "vp_token"),
        (sealed("[]"), "malformed"),
        (sealed('{"state": "s", "state": "s"}'), "malformed"),
        (sealed("x"), "malformed"),
        (sealed(kid="other"), "encryption"),
        (sealed(jwk={**sealing.new_key(), "kid": KEY["kid"]}), "decryption"),
        (sealed(enc="A256CBC-HS512"), "encryption"),
        (sealed(alg="ECDH-ES+A128KW"), "encryption"),
        ({"response": ""}, "encryption"),
        ({"response": "a.b.c.d.e"}, "encryption"),
        ({"response": "x" * (response.MAX_RESPONSE + 1)}, "too_large"),
        ({}, "not_encrypted"),
    ],
)
def test_each_fault_has_its_code(form: dict[str, str], code: str) -> None:
    assert code_of(form) == code


def test_no_changed_character_of_an_encrypted_answer_is_taken() -> None:
    token = sealed()["response"]
    for place in range(0, len(token) - 1, 5):
        other = "A" if token[place] != "A" else "B"
        assert code_of({"response": token[:place] + other + token[place + 1 :]}) in {"encryption", "decryption"}

"""The two texts of a paper code: published vectors, both directions, and one text for one content."""

import random
from typing import Any

import pytest

from licences.formats import lc1_text
from licences.formats.lc1_text import LC1TextError, Scanned
from tests.unit.keys.cases import cases, vector

FACTS = vector("lc1/text.json")


@cases(FACTS["base45"])
def test_base45(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["hex"])
    assert lc1_text.to_base45(content) == f"LC1:{case['text']}"
    assert lc1_text.read(f"LC1:{case['text']}") == Scanned(content)


@cases(FACTS["digits"])
def test_digits(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["hex"])
    address = lc1_text.to_address(content, "https://licences.example")
    assert address == f"HTTPS://LICENCES.EXAMPLE/V#{case['text']}"
    assert lc1_text.read(address) == Scanned(content, "licences.example")


@cases(FACTS["refused"])
def test_what_is_no_paper_code_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(LC1TextError) as caught:
        lc1_text.read(case["text"])
    assert caught.value.code == case["code"]


def test_every_length_comes_back_from_both_forms() -> None:
    rng = random.Random(45)
    for length in range(300):
        content = rng.randbytes(length)
        assert lc1_text.read(lc1_text.to_base45(content)).content == content
        if content:
            assert lc1_text.read(lc1_text.to_address(content, "http://127.0.0.1:8000")).content == content


@pytest.mark.parametrize(
    "text",
    ["LC1:BB8", " LC1:BB8\r\n", "]Q1LC1:BB8", "lc1:bb8", "HTTPS://A.CN/V#16961", "https://a.cn/verify#16961"],
)
def test_what_scanners_keyboards_and_browsers_do_to_it_is_undone(text: str) -> None:
    assert lc1_text.looks_like(text)
    assert lc1_text.read(text).content == b"AB"


@pytest.mark.parametrize("text", ["", "LC1", "LC:BB8", "XLC1:BB8", "https://a.cn/verify?licence=1", "eyJ~", "12345"])
def test_other_texts_are_left_to_others(text: str) -> None:
    assert not lc1_text.looks_like(text)


def test_a_text_of_any_length_is_refused_at_once() -> None:
    with pytest.raises(LC1TextError) as caught:
        lc1_text.read("LC1:" + "0" * 5_000)
    assert caught.value.code == "too_large"
    with pytest.raises(LC1TextError):
        lc1_text.read("HTTPS://A/V#" + "0" * 1_000_000)


def test_one_content_has_one_text_in_each_form() -> None:
    rng = random.Random(9285)
    content = rng.randbytes(60)
    address = lc1_text.to_address(content, "HTTPS://A")
    for text, alphabet in ((lc1_text.to_base45(content), "09AZ $%*+-./:z\n"), (address, "0123456789A#/")):
        for _ in range(5_000):
            at = rng.randrange(4, len(text))
            changed = text[:at] + rng.choice(alphabet) + text[at + rng.randrange(2) :]
            try:
                found = lc1_text.read(changed)
            except LC1TextError:
                continue
            same = found == lc1_text.read(text)
            assert not same or changed.strip().upper() == text

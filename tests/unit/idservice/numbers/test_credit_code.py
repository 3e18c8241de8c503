import contextlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from idservice.numbers import InvalidNumber, credit_code
from tests.unit.idservice.numbers.facts import facts, values

VALID = values("credit_code", "valid", "code")
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
bodies = st.from_regex(f"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{8}}", fullmatch=True)


def refusal(text: str) -> str:
    with pytest.raises(InvalidNumber) as raised:
        credit_code.check(text)
    return raised.value.code


@facts("credit_code", "valid")
def test_valid(fact: dict[str, Any]) -> None:
    found = credit_code.parts(fact["code"])
    assert credit_code.check(fact["code"]) == found.code == fact["code"]
    assert credit_code.is_valid(fact["code"])
    assert found.department + found.category + found.region_code == fact["code"][:8]
    for name in ("department_name", "category_name", "region_name", "organisation_code"):
        assert getattr(found, name) == fact[name], name
    assert list(found.warnings) == fact["warnings"]


@facts("credit_code", "folded")
def test_folded(fact: dict[str, Any]) -> None:
    assert credit_code.normalise(fact["text"]) == credit_code.check(fact["text"]) == fact["number"]


@facts("credit_code", "invalid")
def test_invalid(fact: dict[str, Any]) -> None:
    assert refusal(fact["text"]) == fact["code"]
    assert not credit_code.is_valid(fact["text"])
    with pytest.raises(InvalidNumber):
        credit_code.parts(fact["text"])


@facts("credit_code", "masked")
def test_masked(fact: dict[str, Any]) -> None:
    assert credit_code.mask(fact["text"]) == fact["masked"]


@pytest.mark.parametrize("code", VALID)
def test_every_single_substitution_is_refused(code: str) -> None:
    for position, original in enumerate(code):
        for other in set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") - {original}:
            mistyped = code[:position] + other + code[position + 1 :]
            assert refusal(mistyped) in {"alphabet", "check_digit"}, mistyped


@pytest.mark.parametrize("code", VALID)
def test_every_adjacent_transposition_is_refused(code: str) -> None:
    for position in range(17):
        left, right = code[position : position + 2]
        if left != right:
            swapped = code[:position] + right + left + code[position + 2 :]
            assert refusal(swapped) in {"alphabet", "check_digit"}, swapped


@given(bodies)
def test_built_codes_are_valid_and_agree_with_the_weights_and_stdnum(body: str) -> None:
    body += credit_code.inner_check_character(body[8:])
    check = credit_code.check_character(body)
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(body, WEIGHTS, strict=True))
    assert check == ALPHABET[(31 - total % 31) % 31] == uscc.calc_check_digit(body + "0")
    assert credit_code.check(body + check) == body + check


@given(bodies, st.sampled_from("0123456789X"))
def test_outer_check_character_does_not_excuse_the_inner(body: str, inner: str) -> None:
    code = body + inner
    code += credit_code.check_character(code)
    assert credit_code.is_valid(code) == (inner == credit_code.inner_check_character(body[8:]))


@pytest.mark.parametrize(
    ("body", "code"), [("9" * 16, "length"), ("9" * 16 + "A", "alphabet"), ("IO" + "9" * 15, "alphabet")]
)
def test_check_character_refuses_what_is_no_body(body: str, code: str) -> None:
    with pytest.raises(InvalidNumber) as raised:
        credit_code.check_character(body)
    assert raised.value.code == code


@pytest.mark.parametrize(("body", "code"), [("6000373", "length"), ("600037341", "length"), ("6000373O", "alphabet")])
def test_inner_check_character_refuses_what_is_no_body(body: str, code: str) -> None:
    with pytest.raises(InvalidNumber) as raised:
        credit_code.inner_check_character(body)
    assert raised.value.code == code


@given(st.text(max_size=80) | st.text(ALPHABET + "SVx ", min_size=17, max_size=19))
def test_any_text_is_answered(text: str) -> None:
    credit_code.mask(text)
    with contextlib.suppress(InvalidNumber):
        assert credit_code.normalise(credit_code.normalise(text)) == credit_code.normalise(text)
    with contextlib.suppress(InvalidNumber):
        assert credit_code.parts(text).code == credit_code.check(text)


def test_mutants_are_refused() -> None:
    chance = random.Random(32100)
    for _ in range(2000):
        code = list(chance.choice(VALID))
        code[chance.randrange(18)] = chr(chance.randrange(0x30, 0x3000))
        mutant = "".join(code)
        if credit_code.normalise(mutant) not in VALID:
            assert refusal(mutant) in {"length", "alphabet", "check_digit"}, ascii(mutant)


def test_code_stays_out_of_repr() -> None:
    shown = repr(credit_code.parts(VALID[0]))
    assert VALID[0] not in shown
    assert VALID[0][8:17] not in shown

import contextlib
import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from idservice.numbers import InvalidNumber, citizen
from tests.unit.idservice.numbers.facts import facts, values

VALID = values("citizen", "valid", "number")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
bodies = st.builds(
    lambda region, born, order: f"{region:06d}{born.year:04d}{born:%m%d}{order:03d}",
    st.integers(0, 999_999),
    st.dates(),
    st.integers(0, 999),
)


def refusal(text: str, today: date | None = None) -> str:
    with pytest.raises(InvalidNumber) as raised:
        citizen.check(text, today=today)
    return raised.value.code


@facts("citizen", "valid")
def test_valid(fact: dict[str, Any]) -> None:
    found = citizen.parts(fact["number"], today=date(2026, 11, 22))
    assert citizen.check(fact["number"]) == found.number == fact["number"]
    assert citizen.is_valid(fact["number"])
    assert found.birth_date.isoformat() == fact["birth_date"]
    for name in ("kind", "region_code", "region_name", "nationality", "sex"):
        assert getattr(found, name) == fact[name], name
    assert list(found.warnings) == fact["warnings"]


@facts("citizen", "folded")
def test_folded(fact: dict[str, Any]) -> None:
    assert citizen.normalise(fact["text"]) == fact["number"]
    assert citizen.check(fact["text"]) == citizen.parts(fact["text"]).number == fact["number"]


@facts("citizen", "invalid")
def test_invalid(fact: dict[str, Any]) -> None:
    today = date.fromisoformat(fact["today"]) if "today" in fact else None
    assert refusal(fact["text"], today) == fact["code"]
    assert not citizen.is_valid(fact["text"], today=today)
    with pytest.raises(InvalidNumber):
        citizen.parts(fact["text"], today=today)


@facts("citizen", "masked")
def test_masked(fact: dict[str, Any]) -> None:
    assert citizen.mask(fact["text"]) == fact["masked"]


def test_mask_of_an_endless_text_is_short() -> None:
    assert citizen.mask("1" * 1000) == "*" * 18


def test_future_rule_needs_today_and_counts_the_day_itself() -> None:
    number = "371602220301150016"
    assert citizen.is_valid(number)
    assert citizen.is_valid(number, today=date(2203, 1, 15))
    assert not citizen.is_valid(number, today=date(2203, 1, 14))
    assert not citizen.is_valid(number, today=datetime(2203, 1, 14, 23, 59, tzinfo=UTC))


@pytest.mark.parametrize("number", VALID)
def test_every_single_substitution_is_refused(number: str) -> None:
    for position, original in enumerate(number):
        for other in set("0123456789X") - {original}:
            mistyped = number[:position] + other + number[position + 1 :]
            assert refusal(mistyped) in {"alphabet", "check_digit"}, mistyped


@pytest.mark.parametrize("number", VALID)
def test_every_adjacent_transposition_is_refused(number: str) -> None:
    for position in range(17):
        left, right = number[position : position + 2]
        if left != right:
            swapped = number[:position] + right + left + number[position + 2 :]
            assert refusal(swapped) in {"alphabet", "check_digit"}, swapped


@given(bodies)
def test_built_numbers_are_valid_and_agree_with_the_weights_and_stdnum(body: str) -> None:
    check = citizen.check_character(body)
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    assert check == "10X98765432"[total % 11] == ric.calc_check_digit(body + "0")
    assert citizen.check(body + check) == body + check


@pytest.mark.parametrize(
    ("body", "code"),
    [("1" * 16, "length"), ("1" * 18, "length"), ("1" * 16 + "X", "alphabet"), ("1_" * 8 + "1", "alphabet")],
)
def test_check_character_refuses_what_is_no_body(body: str, code: str) -> None:
    with pytest.raises(InvalidNumber) as raised:
        citizen.check_character(body)
    assert raised.value.code == code


@given(st.text(max_size=80) | st.text("0123456789Xx９ ", min_size=17, max_size=19))
def test_any_text_is_answered(text: str) -> None:
    citizen.mask(text)
    with contextlib.suppress(InvalidNumber):
        assert citizen.normalise(citizen.normalise(text)) == citizen.normalise(text)
    with contextlib.suppress(InvalidNumber):
        assert citizen.parts(text).number == citizen.check(text)


def test_mutants_are_refused() -> None:
    chance = random.Random(11643)
    for _ in range(2000):
        number = list(chance.choice(VALID))
        number[chance.randrange(18)] = chr(chance.randrange(0x30, 0x3000))
        mutant = "".join(number)
        if citizen.normalise(mutant) not in VALID:
            assert refusal(mutant) in {"length", "alphabet", "check_digit"}, ascii(mutant)


def test_number_and_birth_date_stay_out_of_repr_and_message() -> None:
    shown = repr(citizen.parts(VALID[0]))
    assert VALID[0] not in shown
    assert "1949" not in shown
    with pytest.raises(InvalidNumber) as raised:
        citizen.check(VALID[0][:17] + "1")
    assert VALID[0][:17] not in f"{raised.value} {raised.value!r}"


def test_code_types_cover_every_kind() -> None:
    assert set(citizen.CODE_TYPES) == set(citizen.Kind)

import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idservice.numbers.fold import MESSAGES, InvalidNumber, fold


def test_every_space_of_unicode_is_removed() -> None:
    spaces = [chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs"]
    assert len(spaces) > 10
    assert fold("".join(spaces) + "\t\n\v\f\r\u0085\u2028\u2029") == ""


def test_full_width_letters_and_digits_become_ascii_capitals() -> None:
    assert fold("０１２３４５６７８９") == "0123456789"
    assert fold("ＡＺａｚaz") == "AZAZAZ"


@pytest.mark.parametrize("mark", ["\u200f", "\u202b", "\u202e", "\u2067"])
def test_marks_that_reverse_the_reading_order_stay(mark: str) -> None:
    assert fold(f"12{mark}34") == f"12{mark}34"


@pytest.mark.parametrize("lookalike", ["①", "²", "½", "Ⅹ", "ſ", "ß", "ı", "٣", "𝟏", "Х", "×", "-", "_"])
def test_nothing_else_becomes_a_digit_or_letter(lookalike: str) -> None:
    assert fold(f"1{lookalike}") == f"1{lookalike}"


def test_length_is_bounded_before_folding() -> None:
    assert fold(" " * 64) == ""
    with pytest.raises(InvalidNumber) as refusal:
        fold(" " * 65)
    assert refusal.value.code == "length"
    assert fold("a" * 192, limit=192) == "A" * 192


@given(st.text(max_size=64))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("code", MESSAGES)
def test_refusal_carries_its_code_and_survives_pickling(code: str) -> None:
    refusal = pickle.loads(pickle.dumps(InvalidNumber(code)))  # noqa: S301 - our own bytes
    assert (refusal.code, str(refusal)) == (code, MESSAGES[code])
    assert isinstance(refusal, ValueError)

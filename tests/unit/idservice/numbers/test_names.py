from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from idservice.numbers.names import mask_name, mask_phone
from tests.unit.idservice.numbers.facts import facts


@facts("names", "names")
def test_masked_name(fact: dict[str, Any]) -> None:
    assert mask_name(fact["text"]) == fact["masked"]


@facts("names", "phones")
def test_masked_phone(fact: dict[str, Any]) -> None:
    assert mask_phone(fact["text"]) == fact["masked"]


@given(st.text(max_size=80))
def test_at_most_two_characters_of_a_name_are_shown(name: str) -> None:
    shown = [character for character in mask_name(name) if character not in "* ·•-"]
    assert len(shown) <= 2


@given(st.text(max_size=80) | st.text("+0123456789", max_size=14))
def test_at_most_seven_characters_of_a_phone_are_shown(text: str) -> None:
    assert sum(character != "*" for character in mask_phone(text)) in {0, 7}

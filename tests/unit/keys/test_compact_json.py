"""Quick JSON says what the standard library's says, byte by byte, and refuses what that refuses."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.compact_json import compact_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: 1e-4 < abs(x) < 1e15)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@dataclass
class Something:
    word: str = "x"


@given(VALUES)
def test_the_bytes_are_those_of_the_standard_library(value: Any) -> None:
    assert compact_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [{1: "a"}, [2**64], {"word": "null"}, {"none": None}, ("a", 1)])
def test_what_is_seldom_sent_is_written_all_the_same(value: Any) -> None:
    assert compact_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": {"b": -float("inf")}}, "\ud800", {"\udfff": 1}])
def test_what_no_reader_could_read_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        compact_json(value)


@pytest.mark.parametrize("value", [datetime.now(UTC), Something(), b"bytes", {1, 2}, [object()]])
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        compact_json(value)

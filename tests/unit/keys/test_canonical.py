import json
import random
from enum import StrEnum
from itertools import count

import pytest

from keys.canonical import CanonicalError, canonical_json
from keys.strict_json import strict_json
from tests.unit.keys.cases import cases, vector


class Colour(StrEnum):
    RED = "red"


@cases(vector("jose/canonical.json"))
def test_canonical(case):
    assert canonical_json(case["value"]) == case["canonical"].encode()


def test_tuples_and_enumerations_are_lists_and_texts():
    assert canonical_json((Colour.RED, {"k": ()})) == b'["red",{"k":[]}]'


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        b"x",
        {1: "a"},
        {None: 1},
        {"a", "b"},
        object(),
        "\ud800",
        {"\udfff": 1},
        [["x", {"y": 0.5}]],
    ],
    ids=count(),
)
def test_no_canonical_form(value):
    with pytest.raises(CanonicalError):
        canonical_json(value)


def test_deep_and_circular_values_are_refused():
    circular: list[object] = []
    circular.append(circular)
    with pytest.raises(CanonicalError):
        canonical_json(circular)


def test_order_of_insertion_does_not_matter_and_text_reads_back():
    source = random.Random(8785)
    for _ in range(200):
        pairs = [(chr(source.choice([0x20, 0x61, 0xE9, 0x4E00, 0xFB33, 0x1F600]) + n), n) for n in range(12)]
        once = canonical_json(dict(pairs))
        source.shuffle(pairs)
        assert canonical_json(dict(pairs)) == once
        assert strict_json(once) == json.loads(once) == dict(pairs)


def test_a_flat_record_is_written_as_within_another_value():
    """Flat ones of texts take a shorter way."""
    chance = random.Random(8)
    values = ["", '文\u2028"\\/\x1f', ["a", "字"], [], 7, None, True, [1], {}, Colour.RED]
    for _ in range(300):
        names = chance.sample(["b", "a", "Z", "é", "\ue000", "\U0001f600", "", "a b"], chance.randint(0, 6))
        record = {name: chance.choice(values[: chance.choice([4, 10])]) for name in names}
        assert b"[%b]" % canonical_json(record) == canonical_json([record])


@pytest.mark.parametrize("record", [{"a": "\ud800"}, {"a": ["\ud800"]}, {"a": 1.5}, {"a": ["x", 1.5]}, {1: "a"}])
def test_a_flat_record_is_refused_as_strictly(record):
    with pytest.raises(CanonicalError):
        canonical_json(record)

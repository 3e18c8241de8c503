"""Deterministic CBOR against RFC 8949 appendix A, against `cbor2`, and against everything it must not read."""

import random
from itertools import count
from typing import Any

import cbor2
import pytest

from keys import cbor
from tests.unit.keys.cases import cases, vector

FACTS = vector("cose/cbor.json")


@cases(FACTS["values"])
def test_a_value_has_the_published_encoding(case: dict[str, Any]) -> None:
    assert cbor.encode(case["value"]).hex() == case["hex"]
    found = cbor.decode(bytes.fromhex(case["hex"]))
    assert found == case["value"]
    assert type(found) is type(case["value"])


@cases(FACTS["refused"])
def test_anything_else_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(cbor.CBORError):
        cbor.decode(bytes.fromhex(case["hex"]))


def test_keys_stand_in_bytewise_order_not_by_length() -> None:
    encoded = cbor.encode({"aa": 0, -1: 1, 24: 2, 4: 3})
    assert encoded.hex() == "a4" + "0403" + "181802" + "2001" + "62616100"
    assert cbor.decode(encoded) == {4: 3, 24: 2, -1: 1, "aa": 0}


@pytest.mark.parametrize(
    "value",
    [1.5, 2**64, -(2**64) - 1, (1,), {b"k": 1}, {None: 1}, {True: 1}, "\ud800", {1, 2}, object(), bytearray(b"x")],
    ids=count(),
)
def test_what_has_no_encoding_is_refused(value: object) -> None:
    with pytest.raises(cbor.CBORError):
        cbor.encode(value)


def test_depth_and_size_are_bounded_both_ways() -> None:
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(cbor.CBORError):
        cbor.encode(deep)
    with pytest.raises(cbor.CBORError):
        cbor.decode(b"\x81" * 10_000 + b"\x00")
    with pytest.raises(cbor.CBORError):
        cbor.decode(cbor.encode(b"x" * 100), max_bytes=100)


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind < 2:
        return rng.choice((1, -1)) * rng.getrandbits(rng.randrange(1, 64))
    if kind < 6:
        return (rng.randbytes(rng.randrange(40)), "证照" * rng.randrange(20), rng.random() < 0.5, None)[kind - 2]
    if kind == 6:
        return {rng.choice((rng.randrange(-40, 40), f"k{rng.randrange(9)}")): _value(rng, depth + 1) for _ in range(4)}
    return [_value(rng, depth + 1) for _ in range(rng.randrange(5))]


def test_another_library_reads_what_is_written() -> None:
    rng = random.Random(8949)
    for _ in range(2_000):
        value = _value(rng, 0)
        encoded = cbor.encode(value)
        assert cbor2.loads(encoded) == value
        assert cbor.decode(encoded) == value


def test_one_value_has_one_encoding_whatever_is_changed() -> None:
    rng = random.Random(4201)
    read = 0
    for _ in range(20_000):
        data = bytearray(cbor.encode(_value(rng, 0)))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            found = cbor.decode(bytes(data))
        except cbor.CBORError:
            continue
        read += 1
        assert cbor.encode(found) == bytes(data)
    assert read > 1_000


def test_a_tag_is_read_where_the_caller_names_it() -> None:
    tagged = cbor.Tagged(24, cbor.encode({"a": [cbor.Tagged(1004, "2026-01-05")]}))
    data = cbor.encode(tagged)
    assert data == cbor2.dumps(cbor2.CBORTag(24, tagged.value))
    assert cbor.decode(data, tags=frozenset({24})) == tagged
    assert cbor.decode(bytes(tagged.value), tags=frozenset({1004})) == {"a": [cbor.Tagged(1004, "2026-01-05")]}
    for refused in (frozenset[int](), frozenset({1004})):
        with pytest.raises(cbor.CBORError, match="a tag"):
            cbor.decode(data, tags=refused)


def test_maps_of_others_may_be_in_any_order_and_nothing_else() -> None:
    unordered = bytes.fromhex("a2616202616101")
    with pytest.raises(cbor.CBORError):
        cbor.decode(unordered)
    assert cbor.decode(unordered, any_order=True) == {"b": 2, "a": 1}
    for refused in ("a2616101616102", "a161611801", "bf616101ff", "a16161fb3ff0000000000000"):
        with pytest.raises(cbor.CBORError):
            cbor.decode(bytes.fromhex(refused), any_order=True)

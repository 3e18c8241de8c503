import json
import random

import pytest

from keys.strict_json import StrictJSONError, strict_json
from tests.cost import costs_less
from tests.unit.keys.cases import cases, vector


@cases(vector("jose/json_refused.json"))
def test_refused(case):
    with pytest.raises(StrictJSONError) as error:
        strict_json(case["text"].encode())
    assert error.value.code == case["code"]


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        True,
        0,
        -1.5,
        9007199254740991,
        "",
        "一号通行 😀",
        {"a": [{"b": None}]},
        '[[[["\\{',
        "\\u0000 as text",
    ],
    ids=repr,
)
def test_agrees_with_json(value):
    assert strict_json(json.dumps(value).encode()) == value
    assert strict_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "data", [b"\xff", b'"\xed\xa0\x80"', b'"\xc0\xaf"', '"é"'.encode("latin-1"), "{}".encode("utf-16")]
)
def test_not_utf8(data):
    with pytest.raises(StrictJSONError, match="not_utf8"):
        strict_json(data)


def test_size_bound_is_exact():
    assert strict_json(b'"1234"', max_bytes=6) == "1234"
    with pytest.raises(StrictJSONError, match="too_large"):
        strict_json(b'"1234"', max_bytes=5)


def test_depth_bound_is_exact():
    assert strict_json(b"[" * 32 + b"]" * 32) is not None
    with pytest.raises(StrictJSONError, match="too_deep"):
        strict_json(b"[" * 33 + b"]" * 33)
    with pytest.raises(StrictJSONError, match="too_deep"):
        strict_json(b'{"a":' * 3 + b"1" + b"}" * 3, max_depth=2)


def test_brackets_in_strings_are_not_depth():
    text = json.dumps(["[{" * 500, 'quote " and \\ [[[[', {"[[[": "]"}])
    assert strict_json(text.encode(), max_depth=3) == json.loads(text)


def test_broad_is_not_deep():
    assert len(strict_json(b"[" + b"[]," * 5000 + b"[]]")) == 5001


def test_member_bound_is_exact():
    text = json.dumps({str(n): n for n in range(1000)}).encode()
    assert len(strict_json(text)) == 1000
    with pytest.raises(StrictJSONError, match="too_many_keys"):
        strict_json(text, max_keys=999)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'"' + b'\\"' * 250_000,
        b"[" * 40 + b'"' * 500_001,
        b"[" * 40 + b'\\"' * 250_000,
    ],
    ids=["brackets", "objects", "unfinished_string", "quotes", "escaped_quotes"],
)
def test_bombs_are_refused_quickly(data):
    def read():
        with pytest.raises(StrictJSONError):
            strict_json(data)

    assert costs_less(2, read)  # linear; quadratic work would take minutes


def test_mutants_are_refused_or_plain_json():
    source = random.Random(8259)
    original = '{"name":"李\\u4e00","list":[1,2.5e3,{"x":null,"y":[true,false]}],"n":-17,"s":"\\ud83d\\ude00"}'.encode()
    for _ in range(3000):
        mutant = bytearray(original)
        for _ in range(source.randint(1, 3)):
            mutant[source.randrange(len(mutant))] = source.randrange(256)
        try:
            value = strict_json(bytes(mutant))
        except StrictJSONError:
            continue
        assert value == json.loads(bytes(mutant).decode())

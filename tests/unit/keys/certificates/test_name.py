import random

import pytest

from keys.certificates import der
from keys.certificates.name import read_name, write_name

PAIRS = [("C", "CN"), ("O", "示范市公安局（演示）"), ("CN", "演示签章证书")]


def read(data: bytes) -> str:
    return read_name(der.read(data)[0]).text


def test_the_most_specific_part_comes_first() -> None:
    element = der.read(write_name(PAIRS))[0]
    found = read_name(element)
    assert found.text == "CN=演示签章证书,O=示范市公安局（演示）,C=CN"
    assert (found.common_name, found.raw) == ("演示签章证书", write_name(PAIRS))


def test_what_separates_parts_is_escaped_in_values() -> None:
    assert read(write_name([("O", "a,b+c=d"), ("CN", "#x ")])) == r"CN=\#x\ ,O=a\,b\+c=d"
    assert read(write_name([("CN", "a,O=b")])) != read(write_name([("O", "b"), ("CN", "a")]))


@pytest.mark.parametrize("pairs", [[], [("X", "y")], [("CN", "")], [("CN", "a" * 65)], [("C", "CHN")], [("CN", "a\n")]])
def test_what_is_no_name_is_not_written(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"part|value|empty"):
        write_name(pairs)


def test_damaged_names_are_refused_or_read_as_something() -> None:
    chance, whole = random.Random(7), write_name(PAIRS)
    for _ in range(2_000):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            read(bytes(damaged))
        except der.DERError:
            continue

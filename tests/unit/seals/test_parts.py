import pytest
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from seals import parts, wire
from seals.structure import SealFormatError


@pytest.mark.parametrize("number", [0, 1_000_000])
def test_numbers_with_sense(number: int) -> None:
    assert parts.small(number, "n") == number


@pytest.mark.parametrize("number", [-1, 1_000_001, 10**5000], ids=["negative", "large", "huge"])
def test_numbers_without_sense(number: int) -> None:
    with pytest.raises(SealFormatError, match="n is negative or above"):
        parts.small(number, "n")


def test_texts_nobody_reads() -> None:
    assert parts.text("字" * 1_000, "t") == "字" * 1_000
    with pytest.raises(SealFormatError):
        parts.text("字" * 1_001, "t")


def test_bits_that_are_no_octets() -> None:
    assert parts.octets(asn1.BitString(b"ab", 0), "b") == b"ab"
    with pytest.raises(SealFormatError):
        parts.octets(asn1.BitString(b"a\x80", 7), "b")


def test_arcs_without_sense() -> None:
    assert parts.oid(ObjectIdentifier("1.2.156.10197.1.501")) == "1.2.156.10197.1.501"
    with pytest.raises(SealFormatError):
        parts.oid(ObjectIdentifier(f"1.2.{2**32 + 1}"))


def test_lists_of_nobody_or_of_too_many() -> None:
    parts.some([b"c"] * 100)
    for size in (0, 101):
        with pytest.raises(SealFormatError):
            parts.some([b"c"] * size)


def test_size_and_shape_are_bounded() -> None:
    parts.bound(b"123", 3, "a part")
    with pytest.raises(SealFormatError, match="a part has at most 3 bytes"):
        parts.bound(b"1234", 3, "a part")
    with pytest.raises(SealFormatError, match="not a header"):
        parts.decode(wire.SESHeader, b"\x30\x00", "header")

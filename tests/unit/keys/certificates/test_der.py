import pytest

from keys.certificates import der


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_any_length_survives(size: int) -> None:
    element, rest = der.read(der.write(der.OCTET_STRING, b"x" * size) + b"tail")
    assert (len(element.content), rest) == (size, b"tail")
    assert element.raw == der.write(der.OCTET_STRING, element.content)


@pytest.mark.parametrize(
    "data",
    ["", "04", "0480", "048100", "04817f", "04820080", "048500000000", "0484ffffffff", "0402aa", "1f0100", "04ff"],
)
def test_lengths_that_der_does_not_allow(data: str) -> None:
    with pytest.raises(der.DERError):
        der.read(bytes.fromhex(data))


@pytest.mark.parametrize(
    "dotted", ["1.2.156.10197.1.501", "2.5.29.15", "0.9.2342.19200300.100.1.1", "2.999.1", "1.3.6"]
)
def test_identifiers_survive(dotted: str) -> None:
    assert der.read_oid(der.read_only(der.write_oid(dotted), der.OID)) == dotted


@pytest.mark.parametrize(
    "content", ["", "80", "5580", "558001", "2a8081", "01" * 65], ids=lambda one: one[:8] or "empty"
)
def test_identifiers_that_der_does_not_allow(content: str) -> None:
    with pytest.raises(der.DERError):
        der.read_oid(bytes.fromhex(content))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 1 << 158])
def test_integers_survive(value: int) -> None:
    assert der.read_integer(der.read_only(der.write_integer(value), der.INTEGER)) == value


def test_negative_integers_read() -> None:
    assert der.read_integer(b"\xff") == -1


def test_too_many_elements() -> None:
    with pytest.raises(der.DERError, match="more than 3"):
        der.children(b"\x05\x00" * 4, at_most=3)

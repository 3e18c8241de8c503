"""The identity extensions of GB/T 20518, and extended key usage, written here by hand."""

import pytest

from keys.certificates import der
from keys.certificates.extensions import PERSONAL, TIME_STAMPING, Extensions, read_extensions

BASE = "1.2.156.10260.4.1"


def read(*extensions: tuple[str, bytes], critical: bool = False) -> Extensions:
    flag = der.write(der.BOOLEAN, b"\xff") if critical else b""
    listed = [
        der.write(der.SEQUENCE, der.write_oid(oid), flag, der.write(der.OCTET_STRING, value))
        for oid, value in extensions
    ]
    return read_extensions([der.read(der.write(0xA3, der.write(der.SEQUENCE, *listed)))[0]], 3)


@pytest.mark.parametrize(
    ("number", "value", "name"),
    [
        ("1", der.write(0xA0, der.write(der.PRINTABLE_STRING, b"TEXT")), "identity_code"),
        ("1", der.write(0x82, b"TEXT"), "identity_code"),
        ("1", der.write(der.UTF8_STRING, b"TEXT"), "identity_code"),
        ("1.1", der.write(der.PRINTABLE_STRING, b"TEXT"), "identity_code"),
        ("1.2", der.write(der.PRINTABLE_STRING, b"TEXT"), "passport"),
        ("2", der.write(der.PRINTABLE_STRING, b"TEXT"), "insurance_number"),
        ("3", der.write(der.PRINTABLE_STRING, b"TEXT"), "registration_number"),
        ("4", der.write(der.PRINTABLE_STRING, b"TEXT"), "organization_code"),
        ("5", der.write(0x16, b"TEXT"), "taxation_number"),
    ],
)
def test_identity_extensions_are_read(number: str, value: bytes, name: str) -> None:
    found = read((f"{BASE}.{number}", value), critical=True)
    assert (dict(found.identities), found.unknown_critical) == ({name: "TEXT"}, ())
    assert found.organization_code == ("TEXT" if name == "organization_code" else None)


@pytest.mark.parametrize("value", [b"", b"\x02\x01\x05", b"\x13\x01\xff", b"\x13\x01A\x00", b"\x13\x41" + b"1" * 65])
def test_other_contents_say_nothing(value: bytes) -> None:
    assert dict(read((f"{BASE}.4", value)).identities) == {}


def test_personal_ones_are_known_as_such() -> None:
    assert {"identity_code", "passport", "insurance_number"} == PERSONAL


def test_extended_usage_and_unknown_critical() -> None:
    usage = der.write(der.SEQUENCE, der.write_oid(TIME_STAMPING))
    found = read(("2.5.29.37", usage), ("1.2.3.4", b""), critical=True)
    assert (found.extended_usage, found.unknown_critical) == ({TIME_STAMPING}, ("1.2.3.4",))
    with pytest.raises(der.DERError):
        read(("2.5.29.37", der.write(der.SEQUENCE)))

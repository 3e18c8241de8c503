"""GM/T 0031-2025 written by us: read back, signed and verified like the others, with and without its time stamp."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys.certificates import Certificate
from seals.check import check_file
from seals.decoding import read_seal, read_signature
from seals.encoding import encode_seal_info, version_of
from seals.report import SealReport
from seals.signature import assemble, make_seal, tbs
from seals.structure import SealFormatError
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DATA_NAME, DOCUMENT, NOW, PICTURE, SIGNED_AT, YEAR, City
from tests.unit.seals.test_timestamps import TIMES, token

MADE_AT = SIGNED_AT - timedelta(days=1)


def seal(city: City, *, version: int = 5, stamped: bool = False) -> bytes:
    return make_seal(
        seal_id="37160000000005", vendor="DEMO", name="演示市行政审批服务局", picture=PICTURE,
        signer_certificates=[city.signer.der], created_at=MADE_AT, valid_from=MADE_AT, valid_until=SIGNED_AT + YEAR,
        maker_certificate=city.maker.der, sign=city.maker.sign, version=version,
        timestamp=(lambda value: token(value, MADE_AT)) if stamped else None,
    )  # fmt: skip


def judge(city: City, data: bytes, *roots: Certificate) -> SealReport:
    return check_file(data, document=DOCUMENT, anchors=[*city.anchors, *roots], now=NOW)


@pytest.mark.parametrize("stamped", [False, True])
def test_a_version_5_seal_is_made_used_and_holds(city: City, stamped: bool) -> None:
    made = seal(city, stamped=stamped)
    assert (read_seal(made).info.version, read_seal(made).timestamp is not None) == (5, stamped)
    signed = city.stamp(seal=made)
    assert (read_signature(signed).seal.info.version, signed[:1]) == (5, b"\x30")
    report = judge(city, signed, TIMES.certificate)
    assert (report.ok, report.as_json()["version"]) == (True, 5)
    found = {check.name: str(check.result) for check in report.signatures[0].checks}
    assert found.get("timestamp") == ("ok" if stamped else None)


def test_version_4_has_no_place_for_a_time_stamp(city: City) -> None:
    made = seal(city, version=4, stamped=True)
    assert (read_seal(made).info.version, read_seal(made).timestamp) == (4, None)


def test_the_signature_takes_the_version_of_its_seal(city: City) -> None:
    for version in (4, 5):
        to_sign = tbs(seal(city, version=version), SIGNED_AT, bytes(32), DATA_NAME)
        assert to_sign[4:7] == bytes([0x02, 0x01, version])


def test_the_same_row_gives_the_same_bytes(city: City) -> None:
    made = seal(city, stamped=True)
    facts = {"signer_certificate": city.signer.der, "signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}
    first, second = (assemble(made, SIGNED_AT, bytes(32), DATA_NAME, **facts) for _ in range(2))  # type: ignore[arg-type]
    assert first == second


def test_ours_is_what_the_standards_text_gives(city: City) -> None:
    """Byte for byte the structure that a test wrote by hand from the standard."""
    by_hand = writer(city, 5)
    info = read_seal(by_hand.seal()).info
    assert encode_seal_info(replace(info, version=5)) == by_hand.info()


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x03\x30\x01\x30", b"\x30\x09\x30\x07\x30\x05\x16\x02XX\x02", bytes(40)], ids=len
)
def test_what_is_no_seal_has_no_version(data: bytes) -> None:
    with pytest.raises(SealFormatError):
        version_of(data)

"""Signature values that every verifier must refuse (GB/T 32918.2 clause 7, GB/T 35276), of makers and of signers."""

from __future__ import annotations

import pytest

from keys.sm2_pure import N
from seals.check import check_file
from seals.report import SealReport
from tests.unit.seals.by_hand import Writer, octets, tlv, writer
from tests.unit.seals.made import DOCUMENT, NOW, City


def number(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def pair(r: int, s: int) -> bytes:
    return tlv(0x30, number(r) + number(s))


GOOD = 0x1234
MALFORMED = {
    "r is zero": pair(0, GOOD),
    "s is zero": pair(GOOD, 0),
    "r is n": pair(N, GOOD),
    "s is n": pair(GOOD, N),
    "r and s add up to n": pair(GOOD, N - GOOD),
    "both are n": pair(N, N),
    "r is negative": pair(-GOOD, GOOD),
    "s is negative": pair(GOOD, -GOOD),
    "r is not minimal": tlv(0x30, tlv(0x02, b"\x00\x12\x34") + number(GOOD)),
    "s is not minimal": tlv(0x30, number(GOOD) + tlv(0x02, b"\x00\x12\x34")),
    "bytes follow": pair(GOOD, GOOD) + b"\x00",
    "bytes follow inside": tlv(0x30, number(GOOD) + number(GOOD) + number(GOOD)),
    "nothing": b"",
}


def failed(city: City, data: bytes) -> tuple[SealReport, set[str]]:
    report = check_file(data, document=DOCUMENT, anchors=city.anchors, now=NOW)
    return report, {c.name for one in report.signatures for c in one.checks if str(c.result) == "fail"}


@pytest.mark.parametrize("version", [1, 4, 5])
@pytest.mark.parametrize("case", MALFORMED)
def test_a_signers_value_is_refused(city: City, case: str, version: int) -> None:
    report, names = failed(city, writer(city, version).but(value=MALFORMED[case]).signature())
    assert (report.ok, names, report.reasons) == (False, {"signature"}, ("signature_invalid",))


@pytest.mark.parametrize("version", [1, 4, 5])
@pytest.mark.parametrize("case", MALFORMED)
def test_a_makers_value_is_refused(city: City, case: str, version: int) -> None:
    report, names = failed(city, writer(city, version).but(seal_value=MALFORMED[case]).signature())
    assert (report.ok, names, report.reasons) == (False, {"seal_signature"}, ("seal_invalid",))


@pytest.mark.parametrize("raw", [bytes(64), N.to_bytes(32, "big") * 2, b"\xff" * 64], ids=["zero", "n", "above"])
def test_a_raw_value_out_of_range_is_refused(city: City, raw: bytes) -> None:
    report, names = failed(city, writer(city, 4).but(value=raw).signature())
    assert (report.ok, names) == (False, {"signature"})


def test_a_key_that_is_no_point_of_the_curve_verifies_nothing(city: City) -> None:
    certificate = bytearray(city.signer.der)
    place = certificate.index(city.signer.certificate.public_key) + 40
    certificate[place] ^= 1
    broken = bytes(certificate)

    class Broken(type(city.signer)):  # type: ignore[misc]
        """A signer whose certificate holds a point that is none."""

    party = Broken(city.signer.private, broken)
    made: Writer = writer(city, 4).but(signer=party, listed=(broken,))
    report, names = failed(city, made.signature())
    assert report.ok is False
    assert names >= {"signature", "signer_certificate"}
    assert octets(broken) in made.signature()

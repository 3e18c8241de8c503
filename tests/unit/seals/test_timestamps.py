"""Claimed and trusted time of a seal signature are told apart; a time stamp that contradicts the claim is a failure."""

from datetime import datetime, timedelta

import pytest

from keys import sm2
from keys.certificates import Certificate
from keys.certificates.extensions import TIME_STAMPING
from keys.cms import SM3
from keys.timestamp import token_in, write_request
from keys.timestamp_issue import answer
from seals.check import check_file
from seals.decoding import read_signature
from seals.encoding import encode_signature
from seals.report import SealReport
from tests.unit.keys.certificates.authority import Party, root
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, City

TIMES = root("演示时间戳根")
TSA = TIMES.issues("演示时间戳服务", extended_usage=(TIME_STAMPING,))
MINUTE = timedelta(minutes=1)


def token(over: bytes, at: datetime, by: Party = TSA) -> bytes:
    response, _ = answer(
        write_request(over, nonce=1, algorithm=SM3), certificate=by.certificate,
        sign=lambda data: sm2.sign(by.private, data), policy="1.2.3", serial=1, at=at,
    )  # fmt: skip
    return token_in(response)


def stamped(city: City, at: datetime, *, over: bytes | None = None, by: Party = TSA) -> bytes:
    signed = read_signature(city.stamp())
    received = token(signed.signature if over is None else over, at, by)
    return encode_signature(signed.tbs_der, signed.signer_certificate, signed.signature, received)


def judge(city: City, data: bytes, *roots: Certificate) -> tuple[SealReport, str]:
    report = check_file(data, document=DOCUMENT, anchors=[*city.anchors, *roots], now=NOW)
    found = {check.name: str(check.result) for check in report.signatures[0].checks}
    return report, found.get("timestamp", "-")


@pytest.mark.parametrize(
    ("after", "result", "ok"),
    [(-6 * MINUTE, "fail", False), (-4 * MINUTE, "ok", True), (MINUTE, "ok", True), (3000 * MINUTE, "notice", True)],
    ids=["claims-later", "within-clocks", "usual", "days-later"],
)
def test_the_claim_against_the_authority(city: City, after: timedelta, result: str, ok: bool) -> None:
    report, found = judge(city, stamped(city, SIGNED_AT + after), TIMES.certificate)
    assert (found, report.ok) == (result, ok)
    (entry,) = report.as_json()["signatures"]
    assert entry["times"] == {
        "claimed": "2026-03-01T08:00:00Z",
        "trusted": (SIGNED_AT + after).isoformat().replace("+00:00", "Z") if ok else None,
        "authority": "演示时间戳服务" if ok else None,
    }
    assert entry["signed_at"] == "2026-03-01T08:00:00Z"
    assert report.reasons == (() if ok else ("clock_wrong",))


def test_without_a_time_stamp_no_time_is_trusted(city: City) -> None:
    report, found = judge(city, city.stamp(), TIMES.certificate)
    assert (found, report.signatures[0].trusted_at) == ("-", None)


def test_of_an_unknown_authority_no_time_is_trusted(city: City) -> None:
    report, found = judge(city, stamped(city, SIGNED_AT))
    assert (found, report.ok, report.signatures[0].trusted_at) == ("not_checked", True, None)


@pytest.mark.parametrize("which", ["other signature", "a signer"])
def test_a_false_time_stamp_fails(city: City, which: str) -> None:
    signer = TIMES.issues("签章人")
    data = stamped(city, SIGNED_AT, over=b"x") if which == "other signature" else stamped(city, SIGNED_AT, by=signer)
    report, found = judge(city, data, TIMES.certificate)
    assert (found, report.ok, report.signatures[0].trusted_at) == ("fail", False, None)


def test_the_seals_own_time_stamp_says_when_it_was_made(city: City) -> None:
    """GM/T 0031-2025: the seal must not claim to be younger than its time stamp; it says nothing about its use."""
    plain = writer(city, 5)
    from seals.decoding import read_seal

    value = read_seal(plain.seal()).signature
    for made_after, result in ((timedelta(0), "ok"), (timedelta(days=-2), "fail")):
        stamp = token(value, plain.created_at + made_after)
        report, found = judge(city, plain.but(seal_value=value, seal_timestamp=stamp).signature(), TIMES.certificate)
        assert (found, report.ok) == (result, result == "ok")
        assert report.signatures[0].trusted_at is None
    bare = plain.but(seal_value=value, seal_timestamp=token(value, plain.created_at)).seal()
    assert judge(city, bare, TIMES.certificate)[1] == "ok"


def test_a_time_stamp_over_another_document_does_not_move(city: City) -> None:
    first, second = read_signature(stamped(city, SIGNED_AT)), read_signature(city.stamp(b"another"))
    moved = encode_signature(second.tbs_der, second.signer_certificate, second.signature, first.timestamp)
    report = check_file(moved, document=b"another", anchors=[*city.anchors, TIMES.certificate], now=NOW)
    found = {check.name: str(check.result) for check in report.signatures[0].checks}
    assert (report.ok, found["timestamp"], found["signature"]) == (False, "fail", "ok")

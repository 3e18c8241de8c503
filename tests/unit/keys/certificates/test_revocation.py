"""Revoked before it signed: fail. Since: a notice. Silence counts only where a list could have spoken."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys.certificates import KeyUsage, judge_revocation, verify_path
from keys.certificates.crl import RevocationList, parse_list, read_lists
from keys.verdict import Reason, Result
from tests.unit.keys.certificates.authority import AT, BEGIN, Party, certify, root
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.keys.certificates.test_crl import list_of

DAY = timedelta(days=1)
NOW = AT + 100 * DAY
ROOT = root()
MIDDLE = ROOT.issues("中间机构", ca=True, key_usage=(KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN))
SIGNER = ROOT.issues("签章人")
DEEP = MIDDLE.issues("下级签章人")
SERIAL = SIGNER.certificate.serial


def judged(leaf: Party, *lists: bytes | RevocationList, at: datetime = AT) -> tuple[Result, str, Reason | None]:
    path = verify_path(leaf.certificate, [MIDDLE.certificate], [ROOT.certificate], at=at).path
    read = [one if isinstance(one, RevocationList) else parse_list(one) for one in lists]
    check = judge_revocation(path, read, at=at, now=NOW)
    assert check.name == "revocation"
    return check.result, check.detail, check.reason


@pytest.mark.parametrize(
    ("since", "result", "reason"),
    [
        (AT - DAY, Result.FAIL, Reason.KEY_REVOKED),
        (AT, Result.FAIL, Reason.KEY_REVOKED),
        (AT + timedelta(seconds=1), Result.NOTICE, None),
        (AT + 50 * DAY, Result.NOTICE, None),
    ],
    ids=["before", "same-second", "a-second-after", "long-after"],
)
def test_revoked(since: datetime, result: Result, reason: Reason | None) -> None:
    found = judged(SIGNER, list_of(ROOT, (SERIAL, since, "keyCompromise"), at=AT + 60 * DAY))
    assert (found[0], found[2]) == (result, reason)
    assert "keyCompromise" in found[1]


def test_not_revoked_by_a_later_or_a_current_list() -> None:
    assert judged(SIGNER, list_of(ROOT, (1, BEGIN, "superseded"), at=AT + DAY))[0] is Result.OK
    assert judged(SIGNER, list_of(ROOT, at=AT - DAY))[0] is Result.OK, "it was current at the time"


@pytest.mark.parametrize(
    "lists",
    [
        [],
        [list_of(ROOT, at=AT - 40 * DAY)],
        [list_of(ROOT, at=NOW + DAY)],
        [list_of(ROOT, at=SIGNER.certificate.not_after + DAY)],
        [list_of(MIDDLE, (SERIAL, BEGIN, "superseded"))],
        [list_of(root(), (SERIAL, BEGIN, "superseded"))],
    ],
    ids=["none", "too-old", "of-tomorrow", "after-the-certificate-ended", "of-another-authority", "of-a-namesake"],
)
def test_lists_that_cannot_tell(lists: list[bytes]) -> None:
    assert judged(SIGNER, *lists)[0] is Result.NOT_CHECKED


def test_a_key_that_may_not_sign_lists_signs_none() -> None:
    narrow = certify("窄根", ca=True, key_usage=(KeyUsage.KEY_CERT_SIGN,))
    signer = narrow.issues("签章人")
    path = (signer.certificate, narrow.certificate)
    lists = [parse_list(list_of(narrow))]
    assert judge_revocation(path, lists, at=AT, now=NOW).result is Result.NOT_CHECKED


def test_every_certificate_below_the_root_counts() -> None:
    silent = [list_of(MIDDLE)]
    assert judged(DEEP, *silent)[0] is Result.NOT_CHECKED, "nobody speaks about the middle"
    assert judged(DEEP, *silent, list_of(ROOT))[0] is Result.OK
    revoked = list_of(ROOT, (MIDDLE.certificate.serial, AT - DAY, "cACompromise"))
    assert judged(DEEP, *silent, revoked)[0] is Result.FAIL


def test_the_earliest_of_several_lists_counts() -> None:
    early, late = (list_of(ROOT, (SERIAL, AT + days * DAY, "superseded")) for days in (-1, 5))
    assert judged(SIGNER, late, early)[0] is Result.FAIL


def test_a_root_has_nobody_above_it() -> None:
    assert judge_revocation((), [], at=AT, now=NOW).result is Result.NOT_CHECKED
    assert judge_revocation((ROOT.certificate,), [parse_list(list_of(ROOT))], at=AT, now=NOW).result is not Result.FAIL


@pytest.mark.parametrize("algorithm", ["SM2", "P-256", "RSA"])
def test_certificates_and_lists_by_openssl(openssl: str, tmp_path: Path, algorithm: str) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    signer = theirs.issue("signer", 77)
    before = signer.not_before + timedelta(minutes=1)
    report = verify_path(signer, [], [theirs.root], at=before)
    assert report.result is Result.OK
    theirs.revoke("signer", "keyCompromise")
    lists = read_lists(theirs.list())
    later = before + timedelta(days=2)
    assert judge_revocation(report.path, lists, at=later, now=later).result is Result.FAIL
    earlier = signer.not_before - timedelta(days=1)
    assert judge_revocation(report.path, lists, at=earlier, now=later).result is Result.NOTICE


def test_a_time_stamp_certificate_signs_no_documents(tmp_path: Path) -> None:
    stamps = certify("时间戳", ROOT, extended_usage=["1.3.6.1.5.5.7.3.8"])
    report = verify_path(stamps.certificate, [], [ROOT.certificate], at=AT)
    assert (report.result, report.reasons) == (Result.FAIL, ["certificate_untrusted"])

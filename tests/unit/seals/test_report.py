"""The rule by which separate answers become `ok` and an exit status."""

import pytest

from keys.verdict import Check, Reason, Result
from seals.report import (
    OPTIONAL_RULE,
    SEAL_RULE,
    SIGNATURE_RULE,
    ExitStatus,
    Format,
    SealReport,
    SignatureReport,
    exit_status,
)

GOOD = SignatureReport(checks=tuple(Check(name, Result.OK) for name in SIGNATURE_RULE | OPTIONAL_RULE))
NOTICE_ALLOWED = {"seal_maker", "seal_period", "signer_certificate", "coverage", "timestamp", "revocation"}
NOT_CHECKED_ALLOWED = {"timestamp", "revocation"}


def with_result(name: str, result: Result) -> SignatureReport:
    return SignatureReport(checks=tuple(Check(c.name, result if c.name == name else c.result) for c in GOOD.checks))


def test_all_good_is_ok() -> None:
    assert GOOD.ok


@pytest.mark.parametrize("name", SIGNATURE_RULE | OPTIONAL_RULE)
def test_what_each_check_may_be(name: str) -> None:
    assert not with_result(name, Result.FAIL).ok
    assert with_result(name, Result.NOTICE).ok is (name in NOTICE_ALLOWED)
    assert with_result(name, Result.NOT_CHECKED).ok is (name in NOT_CHECKED_ALLOWED)


@pytest.mark.parametrize("name", SIGNATURE_RULE)
def test_a_check_that_was_forgotten_is_not_ok(name: str) -> None:
    assert not SignatureReport(checks=tuple(c for c in GOOD.checks if c.name != name)).ok


def test_a_check_twice_or_of_an_unknown_name_is_not_ok() -> None:
    assert not SignatureReport(checks=(*GOOD.checks, GOOD.checks[0])).ok
    assert not SignatureReport(checks=(*GOOD.checks, Check("luck", Result.OK))).ok


def test_the_checks_of_a_bare_seal_are_not_enough_for_a_signature() -> None:
    checks = tuple(Check(name, Result.OK) for name in SEAL_RULE)
    assert SignatureReport(checks=checks, bare=True).ok
    assert not SignatureReport(checks=checks).ok


def test_a_file_is_ok_only_with_seals_that_are_all_ok() -> None:
    bad = with_result("integrity", Result.FAIL)
    assert SealReport(Format.OFD, (GOOD, GOOD)).ok
    assert not SealReport(Format.OFD, (GOOD, bad)).ok
    assert not SealReport(Format.OFD).ok
    assert not SealReport(Format.OFD, (GOOD,), (Reason.UNREADABLE,)).ok


def test_several_files_have_one_exit_status() -> None:
    yes = SealReport(Format.OFD, (GOOD,))
    no = SealReport(Format.OFD, (with_result("coverage", Result.FAIL),))
    unknown = SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    assert exit_status([yes, yes]) is ExitStatus.OK
    assert exit_status([yes, unknown]) is ExitStatus.COULD_NOT_TELL
    assert exit_status([unknown, no, yes]) is ExitStatus.NO

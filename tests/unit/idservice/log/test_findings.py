"""The report: what it says and which exit status it has."""

import pytest

from idservice.log.findings import MEANING, Code, Finding, Report

MISSING = Finding(Code.ENTRY_MISSING, 3, detail="and all up to 9")


@pytest.mark.parametrize(
    ("findings", "unknown", "ok", "status"),
    [
        ((), (), True, 0),
        ((MISSING,), (), False, 1),
        ((), ("why",), False, 2),
        ((MISSING,), ("why",), False, 1),
    ],
)
def test_the_verdict(findings: tuple[Finding, ...], unknown: tuple[str, ...], ok: bool, status: int) -> None:
    report = Report(10, 9, 2, 0, findings, unknown)
    assert (report.ok, report.exit_status, report.as_json()["ok"]) == (ok, status, ok)


def test_every_code_is_explained_in_both_languages() -> None:
    assert set(MEANING) == set(Code)
    assert all(zh and en.isascii() for zh, en in MEANING.values())


def test_a_finding_as_a_line() -> None:
    assert MISSING.text() == "3 entry_missing 记录缺失 the row that was logged here is gone (and all up to 9)"
    assert Finding(Code.ENTRY_WAITING, None, "ab").text().startswith("- entry_waiting ")

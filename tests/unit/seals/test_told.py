import pytest

from keys.verdict import Check, Reason, Result
from seals.check import check_file
from seals.report import OPTIONAL_RULE, SIGNATURE_RULE, Format, SealReport, SignatureReport
from seals.told import RESULTS, STEPS, VERDICTS, printable, told
from tests.unit.seals.made import DOCUMENT, NOW, City, pack, plain_files


def test_every_check_and_result_has_words() -> None:
    assert STEPS.keys() == SIGNATURE_RULE.keys() | OPTIONAL_RULE.keys()
    assert RESULTS.keys() == set(Result)
    assert len(set(VERDICTS.values())) == 3


def test_a_seal_that_holds(city: City) -> None:
    text = told(check_file(city.stamp(), document=DOCUMENT, anchors=city.anchors, now=NOW))
    assert text.startswith("有效 HOLDS  (ses_signature)")
    assert "演示市行政审批服务局 (37160000000001) · 2026-03-01 08:00:00 UTC" in text
    assert text.count("✓") == 8


def test_what_was_changed_is_named(city: City) -> None:
    sealed = city.sealed_files(plain_files())
    changed = pack(sealed | {"Doc_0/Pages/Page_0/Content.xml": b"<x/>", "extra.xml": b"<x/>"})
    text = told(check_file(changed, anchors=city.anchors, now=NOW))
    assert text.startswith("无效 DOES NOT HOLD")
    assert "已改动 altered: Doc_0/Pages/Page_0/Content.xml" in text
    assert "未保护 not covered: extra.xml" in text


def test_what_could_not_be_read_is_said_so() -> None:
    text = told(SealReport(Format.PDF, problems=(Reason.UNREADABLE,)))
    assert text.startswith("无法判断 COULD NOT TELL")
    assert "unreadable" in text.splitlines()[1]


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "a\nb", "\u202egnp", "\x9b1m"])
def test_a_file_cannot_steer_the_terminal(hostile: str) -> None:
    assert printable(hostile).isprintable()
    check = Check("format", Result.FAIL, hostile, Reason.UNREADABLE)
    report = SealReport(Format.OFD, (SignatureReport(checks=(check,), altered=(hostile,)),))
    assert hostile not in told(report)

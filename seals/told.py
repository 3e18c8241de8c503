"""A seal report in words (验章结论), for a terminal: Chinese first, English beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seals.report import ExitStatus

if TYPE_CHECKING:
    from seals.report import SealReport, SignatureReport

STEPS = {
    "format": "格式 Format",
    "seal_signature": "制章签名 Seal maker's signature",
    "seal_maker": "制章者证书 Seal maker's certificate",
    "seal_period": "印章有效期 Seal in force",
    "signature": "签章签名 Signer's signature",
    "signer_in_list": "签章者在印章名单内 Signer named by the seal",
    "signer_certificate": "签章者证书 Signer's certificate",
    "integrity": "原文未改动 Document unaltered",
    "coverage": "保护范围 All files covered",
    "timestamp": "时间戳 Timestamp",
    "revocation": "吊销状态 Revocation",
}
RESULTS = {"ok": "✓ 通过 ok", "notice": "! 注意 notice", "fail": "✗ 不通过 FAIL", "not_checked": "? 未查 not checked"}
VERDICTS = {
    ExitStatus.OK: "有效 HOLDS",
    ExitStatus.NO: "无效 DOES NOT HOLD",
    ExitStatus.COULD_NOT_TELL: "无法判断 COULD NOT TELL",
}


def told(report: SealReport) -> str:
    """Return the report as lines of text; nothing that the file says can steer the terminal."""
    lines = [f"{VERDICTS[report.exit_status]}  ({report.format})"]
    for number, signature in enumerate(report.signatures, start=1):
        lines += _signature(number, signature)
    if report.reasons:
        lines.append(f"原因 reasons: {', '.join(report.reasons)}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """Return `text` without characters that a terminal would act upon."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _signature(number: int, signature: SignatureReport) -> list[str]:
    checks = [
        f"  {RESULTS[check.result]:<18} {STEPS[check.name]}" + (f": {printable(check.detail)}" if check.detail else "")
        for check in signature.checks
    ]
    return [
        f"第 {number} 枚 No. {number}: {_whose(signature)}",
        *checks,
        *(f"  已改动 altered: {printable(name)}" for name in signature.altered),
        *(f"  未保护 not covered: {printable(name)}" for name in signature.not_covered),
    ]


def _whose(signature: SignatureReport) -> str:
    signed = f" · {signature.signed_at:%Y-%m-%d %H:%M:%S} UTC (自称 claimed)" if signature.signed_at else ""
    if signature.trusted_at:
        signed += f" · {signature.trusted_at:%Y-%m-%d %H:%M:%S} UTC (时间戳 {signature.authority})"
    if signature.seal is not None:
        return printable(f"{signature.seal.name} ({signature.seal.seal_id}){signed}")
    if signature.signer is not None:
        return printable(f"{signature.signer.common_name or signature.signer.subject}{signed}")
    return "—"

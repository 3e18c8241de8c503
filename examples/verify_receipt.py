"""离线核验同意凭证：不联网、不用数据库。Verify receipts of consents with no network, server or database.

    python examples/verify_receipt.py RECEIPT.jwt [RECEIPT.jwt ...] --keys KEYS.json [--issuer URL] [--json]

RECEIPT: 从“授权应用”下载的凭证；可同时给出同意和收回两份。Receipts, a withdrawal beside its consent if there is one.
KEYS: 签发者的公钥（JWK Set），取自元数据 consent_receipt_jwks_uri。The issuer's public keys, kept from that address.

退出码 exit status: 0 全部有效 all hold · 1 有无效的 one does not · 2 无法判断 could not tell
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, without installing

from idservice.oauth.consent_receipt import Event, ReceiptReport, verify
from keys.jwk import JWKError, parse_set
from keys.verdict import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

HOLDS, DOES_NOT_HOLD, COULD_NOT_TELL = 0, 1, 2
VERDICTS = {HOLDS: "有效 HOLDS", DOES_NOT_HOLD: "无效 DOES NOT HOLD", COULD_NOT_TELL: "无法判断 COULD NOT TELL"}
EVENTS = {str(Event.GIVEN): "同意 consent given", str(Event.WITHDRAWN): "收回 consent withdrawn"}


def main(arguments: list[str] | None = None) -> int:
    """Verify the receipts, print what was found, and return the exit status."""
    options = _options(arguments)
    try:
        keys = parse_set(json.loads(options.keys.read_text("utf-8")))
        texts = [path.read_text("utf-8", errors="replace") for path in options.receipts]
    except (OSError, ValueError, JWKError) as error:
        print(f"无法读取 cannot read: {error}", file=sys.stderr)
        return COULD_NOT_TELL
    reports = [verify(text, keys=keys, issuer=options.issuer) for text in texts]
    ended = {report.claims["event"]["withdraws"] for report in reports if "withdraws" in report.claims.get("event", {})}
    for path, report in zip(options.receipts, reports, strict=True):
        if options.json:
            print(json.dumps({"file": str(path), **report.as_json()}, ensure_ascii=False))
        else:
            print(_told(path, report, ended))
    found = {_status(report) for report in reports}
    return next(status for status in (DOES_NOT_HOLD, COULD_NOT_TELL, HOLDS) if status in found)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="离线核验同意凭证 Verify receipts of consents offline")
    parser.add_argument("receipts", type=Path, nargs="+", metavar="RECEIPT")
    parser.add_argument(
        "--keys", type=Path, required=True, metavar="JWKS", help="签发者的公钥 the issuer's public keys"
    )
    parser.add_argument("--issuer", metavar="URL", help="应当是谁签发的 whose receipts they should be")
    parser.add_argument("--json", action="store_true", help="供程序读取 for programs")
    return parser.parse_args(arguments)


def _status(report: ReceiptReport) -> int:
    """A receipt by a key that is not in the file may be good or not."""
    if report.ok:
        return HOLDS
    is_unknown = [check.reason for check in report.checks if check.reason] == [Reason.ISSUER_UNKNOWN]
    return COULD_NOT_TELL if is_unknown and report.checks[-1].name == "signature" else DOES_NOT_HOLD


def _told(path: Path, report: ReceiptReport, ended: set[str]) -> str:
    lines = [f"{VERDICTS[_status(report)]}  {path.name}"]
    if not report.ok:
        return "\n".join([*lines, *(f"  {c.name}: {c.detail}" for c in report.checks if c.reason)])
    claims = report.claims
    controller, event = claims["pii_controller"], claims["event"]
    lines += [
        f"  {EVENTS[event['event_type']]}  {_printable(event['event_time'])}",
        f"  应用 app: {_printable(controller['service'])} ({_printable(controller['party_name'])})",
        f"  编号 receipt: {_printable(claims['jti'])}  签发者 issuer: {_printable(claims['iss'])}",
    ]
    lines += [f"  · {_purpose(purpose)}" for purpose in claims["purposes"]]
    if "withdraws" in event:
        lines.append(f"  收回的是 it withdraws: {_printable(str(event['withdraws']))}")
    if claims["jti"] in ended:
        lines.append("  已被收回 withdrawn since")
    return "\n".join(lines)


def _purpose(purpose: Mapping[str, Any]) -> str:
    learnt = ", ".join(map(str, purpose.get("pii_information", ())))
    return _printable(f"{purpose['purpose']}" + (f": {learnt}" if learnt else ""))


def _printable(text: str) -> str:
    """Texts come out of the file: nothing in them may steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


if __name__ == "__main__":
    sys.exit(main())

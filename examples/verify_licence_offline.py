"""离线核验证照：只凭信任包，不联网、不用数据库。Verify a licence from a trust bundle alone: no network, no database.

    python examples/verify_licence_offline.py BUNDLE TEXT [--pin THUMBPRINT ...] [--list FILE ...] [--unit CODE]
                                              [--json]

BUNDLE: `GET /trust/bundle` 或 `flask trust export FILE` 得到的文件。The file that either of the two gives.
TEXT: 纸质证照二维码（LC1，两种写法）、手机离线亮证码（LD1）或凭证（SD-JWT VC）。
      A paper code in either form, a device's offline code, or a credential.
--pin: `flask trust pin` 输出的指纹，须另行取得。The thumbprint of the bundle's key, got by another way.
--list: 更新的状态列表（JWT）。Newer status lists.
--unit: 核验单位的统一社会信用代码，离线亮证码可能指定了单位。Your credit code: a device's code may be for one unit.

退出码 exit status: 0 有效 holds · 1 无效 does not hold · 2 无法判断 could not tell
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, without installing

from licences.offline.verify import Relied, verify
from licences.status.token_list import StatusListError
from licences.trust.bundle import BundleError, read

if TYPE_CHECKING:
    from licences.offline.report import OfflineReport

COULD_NOT_TELL = 2
VERDICTS = ("有效 It holds", "无效 It does not hold", "无法判断 Could not tell")


def main(arguments: list[str] | None = None) -> int:
    """Verify one text, print what was found, and return the exit status."""
    options = _options(arguments)
    try:
        bundle = read(options.bundle.read_text(encoding="ascii"), pins=options.pin or None)
        relied = Relied.on(bundle, [path.read_text(encoding="ascii") for path in options.list])
    except (OSError, UnicodeDecodeError, BundleError, StatusListError) as error:
        print(f"无法读取 cannot be relied on: {error}", file=sys.stderr)
        return COULD_NOT_TELL
    report = verify(options.text, relied, now=datetime.now(UTC), unit=options.unit)
    print(json.dumps(report.as_json(), ensure_ascii=False) if options.json else _told(report))
    return report.exit_status


def _told(report: OfflineReport) -> str:
    lines = [f"{VERDICTS[report.exit_status]} {' '.join(report.reasons)}".strip()]
    lines += [f"  {check.name}: {check.result} {check.detail}".rstrip() for check in report.checks]
    lines += [f"  {name}: {age} s 前签发 ago" for name, age in report.ages.items()]
    lines += [f"  {name}: {value}" for name, value in (report.licence or {}).items()]
    return "\n".join(lines)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="离线核验证照 Verify a licence offline")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("text", metavar="TEXT")
    parser.add_argument("--pin", action="append", default=[], metavar="THUMBPRINT", help="信任的钥匙 a trusted key")
    parser.add_argument("--list", type=Path, action="append", default=[], metavar="FILE", help="状态列表 status lists")
    parser.add_argument("--unit", metavar="CODE", help="核验单位 the verifier's own unit")
    parser.add_argument("--json", action="store_true", help="供程序读取 for programs")
    return parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))


def _joined(arguments: list[str]) -> list[str]:
    """Write `--pin VALUE` as `--pin=VALUE`: argparse takes a thumbprint that begins with a hyphen for an option."""
    words = iter(arguments)
    return [f"--pin={next(words, '')}" if word == "--pin" else word for word in words]


if __name__ == "__main__":
    sys.exit(main())

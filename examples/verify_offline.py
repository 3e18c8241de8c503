"""离线验章：不联网、不用数据库，验证一个电子签章文件。Verify an electronic seal with no network, server or database.

    python examples/verify_offline.py FILE [--document ORIGINAL] [--trust ROOT.pem ...] [--maker MAKER.pem ...]
                                      [--crl LIST ...] [--certificate SIGNER.pem] [--json]

FILE: 盖章的 OFD 或 PDF、签章数据（SES_Signature，另给原文 --document）、印章（.esl）、签名数据或签名值。
A sealed OFD or PDF, a seal signature (with the document it lies beside), a bare seal, a SignedData, a signature value.
不给 --trust 就没有信任根，至多答“无法判断”。Without --trust no root is known: at best "could not tell".

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

from keys.certificates import CertificateError, parse_pem, read_lists
from seals.check import check_file
from seals.report import ExitStatus, Format
from seals.told import told

if TYPE_CHECKING:
    from keys.certificates import Certificate


def main(arguments: list[str] | None = None) -> int:
    """Verify one file, print what was found, and return the exit status."""
    options = _options(arguments)
    try:
        data = options.file.read_bytes()
        document = options.document.read_bytes() if options.document else None
        relied = {
            "anchors": [anchor for path in options.trust for anchor in _anchors(path)],
            "makers": [maker for path in options.maker for maker in _anchors(path)] or None,
            "lists": [one for path in options.crl for one in read_lists(path.read_bytes())],
            "certificate": _anchors(options.certificate)[0] if options.certificate else None,
        }
    except (OSError, CertificateError) as error:
        print(f"无法读取 cannot read: {error}", file=sys.stderr)
        return ExitStatus.COULD_NOT_TELL
    report = check_file(data, document=document, now=datetime.now(UTC), **relied)
    if document is not None and report.format not in {Format.SIGNATURE, Format.SIGNED_DATA, Format.PLAIN}:
        print("注意：该文件自含原文，--document 未使用。Note: --document was not used.", file=sys.stderr)
    print(json.dumps(report.as_json(), ensure_ascii=False) if options.json else told(report))
    return report.exit_status


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="离线验章 Verify an electronic seal offline")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--document", type=Path, help="签章对应的原文 the document a detached signature belongs to")
    parser.add_argument(
        "--trust", type=Path, nargs="+", action="extend", default=[], metavar="PEM", help="信任根 roots"
    )
    parser.add_argument(
        "--maker", type=Path, nargs="+", action="extend", default=[], metavar="PEM", help="制章者 makers"
    )
    parser.add_argument(
        "--crl", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help="撤销列表 lists"
    )
    parser.add_argument(
        "--certificate", type=Path, metavar="PEM", help="签名值的签名者证书 the signer of a value alone"
    )
    parser.add_argument("--json", action="store_true", help="供程序读取 for programs")
    return parser.parse_args(arguments)


def _anchors(path: Path) -> list[Certificate]:
    return parse_pem(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())

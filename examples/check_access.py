"""核对用证记录：不联网，核对一次查看确在防篡改日志里。Check offline that a look at your data stands in the log.

    python examples/check_access.py FILE --key VKEY

FILE: GET /v1/accesses/{id}/proof 的答复，或 GET /v1/access-export 的 JSON 文件，或网页上下载的证明。
The answer of GET /v1/accesses/{id}/proof, the file of GET /v1/access-export, or the proof downloaded on the page.
VKEY: 日志的公钥（C2SP vkey），或写有它的文件；请从平台以外的地方取得或比对，例如报纸、见证者。
The log's verifier key, or a file with it (`/log/key` serves it). Compare it with one you got elsewhere.

退出码 exit status: 0 是 yes · 1 否 no · 2 无法判断 could not tell
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, without installing

from keys.canonical import canonical_json
from keys.note import NoteError, parse_vkey
from keys.strict_json import StrictJSONError, strict_json
from keys.tlog_proof import TlogProofError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.note import Verifier

YES, NO, COULD_NOT_TELL = 0, 1, 2
MAX_BYTES = 64 * 1024 * 1024
SHOWN = ("who", "unit", "acting", "purpose", "matter", "case_number", "fields", "basis", "law")


class WrongError(Exception):
    """The proof does not prove the look; the message says why."""


class UnboundError(Exception):
    """The look was recorded before the log stood for what the holder reads."""


def main(arguments: list[str] | None = None) -> int:
    """Check every look in one file, print what was found, and return the exit status."""
    options = _options(arguments)
    try:
        verifiers = _verifiers(options.key)
        looks = _looks(strict_json(options.file.read_bytes()[: MAX_BYTES + 1], max_bytes=MAX_BYTES))
    except (OSError, StrictJSONError, NoteError, ValueError) as error:
        print(f"无法判断 could not tell: {error}", file=sys.stderr)
        return COULD_NOT_TELL
    statuses = [_told(item, proof, verifiers) for item, proof in looks]
    return max(statuses, key=(YES, COULD_NOT_TELL, NO).index)


def check(proof: dict[str, Any], verifiers: Sequence[Verifier]) -> dict[str, Any]:
    """Return the facts of a look that stands in the log as it is told.

    Raises:
        WrongError: something in the proof does not fit the rest of it, or the signed log.
        UnboundError: the log stands for the look, and not for its content.
    """
    try:
        entry, facts_text = proof["entry"], proof["facts"]
        leaf = hashlib.sha256(b64decode(proof["salt"], validate=True) + canonical_json(entry)).digest()
        portable = parse(proof["tlog_proof"])
        portable.check(leaf, verifiers)
        logged, facts = json.loads(entry["facts"]), json.loads(facts_text)
        stated = (proof["id"], proof["entry_id"], proof["log_index"], proof["leaf"], proof["proof"])
        path = [_text(node) for node in portable.path]
        held = (logged["access"], entry["entry_id"], portable.index, _text(leaf), path)
    except TlogProofError as error:
        raise WrongError(str(error)) from None
    except (KeyError, TypeError, ValueError) as error:
        raise WrongError(f"不是证明 not a proof: {type(error).__name__}") from None
    if stated != held or proof["checkpoint"] != portable.checkpoint:
        raise WrongError("证明前后不一致 the proof contradicts itself")
    if "content" not in logged:
        raise UnboundError("记录早于内容存证 the record is older than the commitment to its content")
    if logged["content"] != hashlib.sha256(facts_text.encode()).hexdigest():
        raise WrongError("内容与日志不符 the log stands for other content")
    return {**facts, "at": entry["at"], "act": entry["deed"], "log_index": portable.index}


def _told(item: dict[str, Any], proof: dict[str, Any] | None, verifiers: Sequence[Verifier]) -> int:
    """Print whether one look is proved, and return the exit status for it."""
    if proof is None:
        print(f"无法判断 could not tell: {item.get('id')}：尚未进入日志 not in the log yet")
        return COULD_NOT_TELL
    try:
        facts = check(proof, verifiers)
        _demand_same(item, proof, facts)
    except WrongError as error:
        print(f"否 NO: {error}")
        return NO
    except UnboundError as error:
        print(f"无法判断 could not tell: {error}")
        return COULD_NOT_TELL
    told = "；".join(f"{name}={facts[name]}" for name in SHOWN if facts.get(name))
    print(f"是 YES: {facts['at']} {facts['act']}；{told}；日志序号 log index {facts['log_index']}")
    return YES


def _demand_same(item: dict[str, Any], proof: dict[str, Any], facts: dict[str, Any]) -> None:
    """Raise WrongError where a line of an exported list says something else than what was proved."""
    if item is proof:
        return
    proved = {"id": proof["id"], "at": _instant(facts["at"]), "fields": facts.get("fields", [])}
    told = {"id": item.get("id"), "at": _instant(item.get("at")), "fields": item.get("fields")}
    same = all(item.get(name) == facts.get(name) for name in ("act", "log_index", *SHOWN) if name != "fields")
    if proved != told or not same:
        raise WrongError("清单与证明不符 the list says something else than its proof")


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _looks(found: Any) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Return the looks in a file with their proofs; ValueError where it holds none."""
    if isinstance(found, dict) and "tlog_proof" in found:
        return [(found, found)]
    items = found.get("items") if isinstance(found, dict) else None
    if (
        not isinstance(items, list)
        or not items
        or not all(isinstance(item, dict) and "proof" in item for item in items)
    ):
        raise ValueError("文件里没有证明 there is no proof in the file")
    return [(item, item["proof"]) for item in items]


def _verifiers(given: str) -> list[Verifier]:
    text = given if "+" in given else Path(given).read_text("utf-8")
    return [parse_vkey(line) for line in text.split()]


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="核对用证记录 Check a look at your data offline")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--key", required=True, metavar="VKEY", help="日志公钥 the log's verifier key, or a file with it"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

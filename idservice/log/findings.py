"""What a check of the log can find, and the report it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_FINDINGS = 200  # a report is for a person: what is wrong shows long before


class Code(StrEnum):
    """The closed list of findings."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_MISSING = "entry_missing"
    ENTRY_INSERTED = "entry_inserted"
    ENTRY_UNREADABLE = "entry_unreadable"
    ENTRY_WAITING = "entry_waiting"
    TILE_CHANGED = "tile_changed"
    TILE_UNEXPECTED = "tile_unexpected"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    CHECKPOINT_MISSING = "checkpoint_missing"
    ROOT_DIFFERS = "root_differs"
    LOG_SHRANK = "log_shrank"


MEANING = {
    Code.ENTRY_CHANGED: ("记录被改动或移位", "the row is not the one that was logged here"),
    Code.ENTRY_MISSING: ("记录缺失", "the row that was logged here is gone"),
    Code.ENTRY_INSERTED: ("记录为事后插入", "the row was never logged"),
    Code.ENTRY_UNREADABLE: ("记录无法读取", "the row cannot be read as an audit row"),
    Code.ENTRY_WAITING: ("记录未及时入日志", "the row has waited too long: does the sequencer run?"),
    Code.TILE_CHANGED: ("日志瓦片被改动", "the stored tile is not the one of this log"),
    Code.TILE_UNEXPECTED: ("多余的日志瓦片", "no log of this size has this tile"),
    Code.CHECKPOINT_INVALID: ("检查点签名无效", "the checkpoint does not hold"),
    Code.CHECKPOINT_MISSING: ("检查点缺失", "there are entries and no checkpoint"),
    Code.ROOT_DIFFERS: ("根哈希不一致", "the log differs from what this checkpoint signed"),
    Code.LOG_SHRANK: ("日志变短", "the log is shorter than its copy elsewhere says"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `index` is the place in the log where it shows first, None for a row that has no place yet; `detail` adds what the
    code does not say.
    """

    code: Code
    index: int | None
    entry_id: str | None = None
    detail: str = ""

    def text(self) -> str:
        """Return the finding as a line for people, in both languages."""
        zh, en = MEANING[self.code]
        place = "-" if self.index is None else str(self.index)
        more = " ".join(part for part in (self.entry_id, self.detail) if part)
        return f"{place} {self.code} {zh} {en}{f' ({more})' if more else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check came to.

    Attributes:
        size: entries under the newest checkpoint.
        entries: rows of the log that were read.
        checkpoints: stored checkpoints and copies that were compared.
        waiting: rows not yet sequenced.
        findings: what is wrong, the first bad record first; at most `MAX_FINDINGS`.
        unknown: what could not be told, in English sentences.
    """

    size: int
    entries: int
    checkpoints: int
    waiting: int
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether all was checked and nothing is wrong."""
        return not self.findings and not self.unknown

    @property
    def exit_status(self) -> int:
        """Return 0 (it holds), 1 (it does not) or 2 (it could not be told)."""
        return 1 if self.findings else 2 if self.unknown else 0

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        findings = [
            {"code": str(f.code), "index": f.index, "entry_id": f.entry_id, "detail": f.detail} for f in self.findings
        ]
        return {
            "ok": self.ok,
            "size": self.size,
            "entries": self.entries,
            "checkpoints": self.checkpoints,
            "waiting": self.waiting,
            "first_bad": findings[0] if findings else None,
            "findings": findings,
            "unknown": list(self.unknown),
        }

"""The rejects of an import: the lines that were refused, as they were, each with its number and its reasons.

The file holds personal data as the source does, so that its rows can be mended and brought in; only its owner reads it.
It belongs to one import, which every line of it names, and no other one writes over it.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

from idservice.register.importing_rows import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from idservice.register.importing_rows import Lines


class Rejects:
    """A file of JSON lines `{"import", "line", "reasons", "row"}`, made when there is something to put into it.

    `row` is text. What is no text in the encoding of the source stands whole in `base64` too; of a line that is too
    long only the beginning is there, and `truncated` says so: the source has the rest in that line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = self._written = 0
        self._import, self._encoding = "", "utf-8"

    def size(self) -> int:
        """Return how long the file is; one that is not there is empty."""
        return self.path.stat().st_size if self.path.exists() else 0

    def is_free_for(self, import_name: str) -> bool:
        """Return whether the file holds nothing, or rejects of that import."""
        mark = _mark(import_name)
        if not self.size():
            return True
        with self.path.open("rb") as file:
            return file.read(len(mark)) == mark

    def begin(self, import_name: str, *, encoding: str, size: int) -> None:
        """Take what comes for rejects of that import; forget what an interrupted or earlier run wrote beyond `size`."""
        self._import, self._encoding = import_name, encoding
        self._kept = self._written = size
        if size:
            os.truncate(self.path, size)
        else:
            self.path.unlink(missing_ok=True)

    def put(self, lines: Lines, refused: Sequence[tuple[int, tuple[str, ...]]]) -> int:
        """Write rejects behind those that are kept, over any that are not yet, and return the size of all."""
        if not refused and self._written == self._kept:
            return self._kept
        told = (self._told(number, reasons, lines.raw[number - lines.first]) for number, reasons in refused)
        text = "".join(told).encode("utf-8", "backslashreplace")
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(self._kept)
            file.seek(self._kept)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._written = self._kept + len(text)
        return self._written

    def keep(self) -> None:
        """Keep what was put: the checkpoint that counts it is committed."""
        self._kept = self._written

    def _told(self, number: int, reasons: tuple[str, ...], line: bytes) -> str:
        row = line.decode(self._encoding, "backslashreplace").rstrip("\r\n")
        told: dict[str, Any] = {"import": self._import, "line": number, "reasons": list(reasons), "row": row}
        if len(line) > LONGEST_LINE:
            told["truncated"] = True
        elif not _is_text(line, self._encoding):
            told["base64"] = base64.b64encode(line).decode()
        return json.dumps(told, ensure_ascii=False) + "\n"


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _mark(import_name: str) -> bytes:
    """Return how each line of the rejects of an import begins."""
    return f'{{"import": "{import_name}",'.encode()

"""The rejects of an import: the lines that were refused, as they were, each with its number and its reasons.

The file holds personal data as the source does, so that its rows can be mended and brought in; only its owner reads it.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from idservice.register.importing_rows import Lines


class Rejects:
    """A file of JSON lines `{"line", "reasons", "row"}`, made when there is something to put into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = self._written = 0

    def size(self) -> int:
        """Return how long the file is; one that is not there is empty."""
        return self.path.stat().st_size if self.path.exists() else 0

    def cut(self, size: int) -> None:
        """Forget what an interrupted or earlier run wrote beyond `size`."""
        self._kept = self._written = size
        if size:
            os.truncate(self.path, size)
        else:
            self.path.unlink(missing_ok=True)

    def put(self, lines: Lines, refused: Sequence[tuple[int, tuple[str, ...]]]) -> int:
        """Write rejects behind those that are kept, over any that are not yet, and return the size of all."""
        if not refused and self._written == self._kept:
            return self._kept
        text = "".join(_told(number, reasons, lines.raw[number - lines.first]) for number, reasons in refused).encode()
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


def _told(number: int, reasons: tuple[str, ...], line: bytes) -> str:
    row = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return json.dumps({"line": number, "reasons": list(reasons), "row": row}, ensure_ascii=False) + "\n"

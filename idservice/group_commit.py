"""Durable commits on SQLite, many with one write to the disk (组提交).

With `synchronous=FULL` SQLite waits for the disk inside the writer lock, alone for every transaction. Here it runs with
`NORMAL`: a commit is whole or absent after any crash, but may be absent (https://www.sqlite.org/pragma.html,
"synchronous"). So whoever has committed asks for the write-ahead log to be on the disk, after giving the lock back and
before anybody is told, and those who ask while the disk is busy share its next turn. Who only reads may see what is
still on its way there.

A disk that failed once is not asked again: the kernel takes what it could not write for written, the next turn would
succeed, and the log would have a hole before it (fsync(2), "Notes" on errors).
"""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

IS_OFFERED: Final = hasattr(os, "fdatasync")  # where it is not (macOS, Windows) SQLite waits itself


class GroupCommit:
    """The write-ahead log of one database file, shared by the threads of this process."""

    def __init__(self, database: Path) -> None:
        self._log = database.with_name(f"{database.name}-wal")
        self._file: int | None = None
        self._turn = threading.Condition()
        self._is_busy = False
        self._asked = self._done = 0
        self.log_bytes = 0  # as it was at the last turn
        self.is_broken = False

    def settle(self) -> None:
        """Return when all that this thread has committed is on the disk.

        Raises:
            OSError: the disk did not take it. Readers may see it already, and a crash may lose it.
        """
        with self._turn:
            self._asked += 1
            mine = self._asked
            while self._is_busy and self._done < mine:
                self._turn.wait()
            if self._done >= mine:
                return
            if self.is_broken:
                raise OSError(errno.EIO, "the disk did not take an earlier commit")
            self._is_busy, covered = True, self._asked
        done = self._done
        try:
            os.fdatasync(self._opened())
            done = covered
        except OSError:
            self.is_broken = True
            raise
        finally:
            with self._turn:
                self._is_busy, self._done = False, max(self._done, done)
                self._turn.notify_all()

    def _opened(self) -> int:
        """Return the log's file, opened again where SQLite has made a new one, as after the last connection closed."""
        if self._file is not None:
            known = os.fstat(self._file)
            self.log_bytes = known.st_size
            if known.st_nlink:
                return self._file
            os.close(self._file)
            self._file = None
        self._file = os.open(self._log, os.O_RDONLY)
        return self._file

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

"""SQLite's write-ahead log is kept short (预写日志截短): under steady load it would grow for as long as the load lasts.

SQLite begins the log anew only at a moment when nobody reads from it. Where several processes are busy there is none:
a long signing left a log longer than its database, and every read searches the log first. So whoever finds it too long
asks for that moment: writers wait until the readers of now have ended and the log is emptied into the database.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from idservice.writer_lock import WITHIN

if TYPE_CHECKING:
    from idservice.quick_connection import Lent

LONGEST: Final = 256 * 2**20  # bytes: some seconds of the heaviest writing
_READERS_WITHIN: Final = 50  # ms in which readers are to end; writers wait meanwhile
_PAUSE: Final = 30.0  # seconds after an attempt: a reader that takes its time must not stop writers again and again


class ShortLog:
    """The length of one database's log; any thread may `look`."""

    def __init__(self, lent: Lent) -> None:
        self._lent = lent
        self._turn = threading.Lock()
        self._next = 0.0

    def look(self, size: int) -> None:
        """Empty the log where its `size`, in bytes, is too long, unless somebody is at it or has just tried."""
        if size <= LONGEST or time.monotonic() < self._next or not self._turn.acquire(blocking=False):
            return
        try:
            if self._is_emptied():
                return
            self._next = time.monotonic() + _PAUSE
        finally:
            self._turn.release()

    def _is_emptied(self) -> bool:
        """Return whether the log is empty now: https://www.sqlite.org/pragma.html, "wal_checkpoint"."""
        try:
            pooled = self._lent.take()
        except sqlite3.Error:
            return False  # what has been committed stands all the same
        driver = pooled.driver_connection
        try:
            driver.execute(f"PRAGMA busy_timeout={_READERS_WITHIN}")
            is_emptied = bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        except sqlite3.Error:
            is_emptied = False
        finally:
            with contextlib.suppress(sqlite3.Error):
                driver.execute(f"PRAGMA busy_timeout={1000 * WITHIN}")
            self._lent.give_back(pooled)
        return is_emptied

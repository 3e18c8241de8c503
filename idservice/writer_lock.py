"""The lock of SQLite's one writer (写锁): waited for in short naps of one length.

SQLite's own wait sleeps 1, 2, 5, 10, 15, 20, 25, 50 and then 100 ms at a time: whoever waits longest asks least often,
so under load the slowest of a hundred waits hundreds of times as long as the lock is held.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Final

BEGIN: Final = "BEGIN IMMEDIATE"
WITHIN: Final = 10  # seconds that a connection of `db` waits for a lock, this one included
_NAP: Final = 0.0005  # seconds: about as long as a short deed holds the lock


def begin_reading(driver: sqlite3.Connection) -> None:
    """Begin a transaction that reads."""
    driver.execute("BEGIN")


def begin(driver: sqlite3.Connection, *, within: float = WITHIN) -> None:
    """Begin a transaction that writes, as soon as nobody else does; the connection waits `within` seconds for all else.

    Raises:
        sqlite3.OperationalError: somebody else did for all that time, or there is no database.
    """
    end = time.monotonic() + within
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _is_begun(driver, end):
            time.sleep(_NAP)
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(1000 * within)}")


def _is_begun(driver: sqlite3.Connection, end: float) -> bool:
    try:
        driver.execute(BEGIN)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
            raise
        return False
    return True

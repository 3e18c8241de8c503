"""Where the tests keep their databases and files: in memory, where there is room.

What a test writes outlives no run, and half of what it waits for is a disk: every commit on SQLite, every file of a new
PostgreSQL database. Nothing else changes: the same calls are made, and answered at once.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED = 6 * 2**30  # bytes free: of both databases of three workers, several times over


def in_memory() -> Path | None:
    """Return a folder whose files are kept in memory, or None where there is none with room (macOS, a container)."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < NEEDED:
        return None
    return MEMORY


def new(prefix: str) -> Path:
    """Make a folder of one's own."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=in_memory()))

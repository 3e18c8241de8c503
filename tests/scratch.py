"""Where the tests keep their databases and files: in memory, where there is room.

What a test writes outlives no run, and half of what it waits for is a disk: every commit on SQLite, every file of a new
PostgreSQL database. Nothing else changes: the same calls are made, and answered at once.

A run that is killed removes nothing, so the next one does. Whose folder it is says a file in it, locked for as long as
the process lives: the kernel lets go of it, whatever ends the process and wherever its number means another one.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED = 6 * 2**30  # bytes free: of both databases of three workers, several times over
OWNER = "owner.lock"


def in_memory() -> Path | None:
    """Return a folder whose files are kept in memory, or None where there is none with room (macOS, a container)."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < NEEDED:
        return None
    return MEMORY


def new(prefix: str) -> Path:
    """Make a folder of one's own, and remove those with this prefix whose processes have ended."""
    place = in_memory() or Path(tempfile.gettempdir())
    sweep(place, prefix)
    return own(place, prefix)


def own(place: Path, prefix: str) -> Path:
    """Make a folder that is this process's until it ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    held = os.open(folder / "locking", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # closed by the end of the process
    fcntl.flock(held, fcntl.LOCK_EX)
    (folder / "locking").rename(folder / OWNER)  # nobody sees it before it is locked
    return folder


def sweep(place: Path, prefix: str) -> None:
    """Remove the folders whose processes have ended; one that names no owner, or another account's, is left alone."""
    for folder in place.glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else removes it, or it is in use after all: there is a next time
            if not folder.is_symlink():
                _remove_abandoned(folder)


def _remove_abandoned(folder: Path) -> None:
    owner = os.open(folder / OWNER, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        if os.fstat(owner).st_uid != os.geteuid():
            return
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in folder.iterdir():  # the owner last, so that what resists can be told to be nobody's again
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            elif left.name != OWNER:
                left.unlink()
        shutil.rmtree(folder)
    finally:
        os.close(owner)

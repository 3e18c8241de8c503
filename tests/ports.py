"""Ports for servers that are told theirs before they listen.

A port that was found by binding to 0 and given back is anybody's until the server binds it, and the system hands the
same ones to every connection that goes out. These lie below that range, and each is one test process's alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

RANGE: Final = range(12_000, 32_000)  # the system's own begin at 32768
_kept: Final[list[int]] = []  # descriptors of the locks, held as long as this process lives


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at and no other test process is given.

    Raises:
        RuntimeError: there is none.
    """
    folder = _folder()
    for port in random.sample(RANGE, 1000):
        if _is_ours(folder / str(port)) and _is_free(port):
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def in_turn(name: str) -> Iterator[None]:
    """Wait until no other test process is in a block of this name: two cannot listen where an app is registered."""
    with (_folder() / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"ona-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _is_ours(file: Path) -> bool:
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _kept.append(descriptor)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""One worker of the demonstration: `python -m licences.demo.worker PORT THREADS PARENT`, started by `supervisor`.

It is a whole granian server with one process for requests, and forks a new one at once when that one dies; if it dies
again within seconds the server ends, and the supervisor starts another one. Workers are separate programs that share
the port (SO_REUSEPORT), so that none is disturbed by another one's end; each ends when whoever started it is gone.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
ROOF = "wsgi"  # loaded by name: no room may depend on it
SECONDS_TO_FINISH = 5
_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel end this process by the signal `by` when `parent` ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:  # it was faster
        sys.exit(1)


def load(_target: str) -> Callable[..., Any]:
    """Return the application, in the process that answers requests."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        die_with(parent.pid, signal.SIGKILL)  # a request cut off is repeated by its client, with its key
    application: Callable[..., Any] = importlib.import_module(ROOF).create_app()
    gc.collect()
    gc.freeze()  # what stands until the end is not looked through again and again
    return application


def main(port: int, threads: int, parent: int) -> None:
    """Serve on the port until told to end."""
    # Here alone: the supervisor, and with it every `flask` command, needs no more of this file than its names.
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    die_with(parent, signal.SIGTERM)
    importlib.import_module(ROOF)  # so that a fork has it already
    server = Granian(
        ROOF,
        address=HOST,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=threads,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
        workers_kill_timeout=SECONDS_TO_FINISH,
    )
    server.serve(target_loader=load)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))

"""The demonstration's workers: `python -m licences.demo.worker PORT THREADS COUNT PARENT`, started by `supervisor`.

This program builds the application once and then forks: what all workers have in common, by far the most of it, is in
memory once (the collector leaves it alone, so that its pages stay shared). It answers nothing itself and has one
thread. Each fork is a whole granian server, with one process for requests that it replaces at once when that one dies;
if it dies again within seconds its server ends, and is forked again here. The servers share the port (SO_REUSEPORT), so
that none is disturbed by another one's end; each ends when whoever started it is gone.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from idservice import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    Application = Callable[..., Any]

HOST = "127.0.0.1"
ROOF = "wsgi"  # loaded by name: no room may depend on it
SECONDS_TO_FINISH = 5
SHORT_LIFE = 1.0  # seconds: who lives no longer is not replaced at once
TRIES_TO_START = 3  # that is how many short lives in a row are enough
REHEARSED = ("/", "/login", "/readyz", "/v1/", "/.well-known/openid-configuration", "/.well-known/jwks.json")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_HEARD = frozenset({signal.SIGTERM, signal.SIGCHLD})


def die_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel end this process by the signal `by` when `parent` ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:  # it was faster
        sys.exit(1)


class Nursery:
    """Forks `serve` into `count` processes and replaces each that ends, until it is told to end itself."""

    def __init__(self, serve: Callable[[], None], count: int) -> None:
        self._serve, self._count = serve, count
        self._born: dict[int, float] = {}
        self._short_lives = 0

    def run(self) -> int:
        """Return the exit status: 0 after SIGTERM, 1 if the processes do not stay alive."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # each is waited for in turn, so none comes at a bad moment
        while self._short_lives < TRIES_TO_START * self._count:
            while len(self._born) < self._count:
                self._fork()
            if signal.sigwait(_HEARD) == signal.SIGTERM:
                self._end()
                return 0
            self._bury()
        self._end()
        return 1

    def _fork(self) -> None:
        parent = os.getpid()
        child = os.fork()
        if child:
            self._born[child] = time.monotonic()
            return
        status = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            die_with(parent, signal.SIGTERM)
            gc.enable()
            self._serve()
            status = 0
        finally:
            os._exit(status)  # what the parent still has to do is not the child's to do

    def _bury(self) -> None:
        while self._born and (dead := os.waitpid(-1, os.WNOHANG)[0]):
            lived = time.monotonic() - self._born.pop(dead)
            self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE else 0
            time.sleep(max(0.0, SHORT_LIFE - lived))

    def _end(self) -> None:
        for child in self._born:
            os.kill(child, signal.SIGTERM)
        for child in self._born:
            os.waitpid(child, 0)


def application() -> Application | None:
    """Return the application as all workers share it; None where each has to build its own."""
    if settings.from_environment().pkcs11_module:
        return None  # PKCS #11 v3.1 section 5.4: a library that was initialised does not survive a fork
    made = importlib.import_module(ROOF).create_app()
    for path in REHEARSED:  # what is made at the first request of its kind is made here, once for all
        made.test_client().get(path)
    made.extensions["ona"].database.engine.dispose()  # no connection may have two processes at one end
    while threading.active_count() > 1:  # a fork takes one thread along, and none of the locks that others hold
        time.sleep(0.01)
    return made  # type: ignore[no-any-return]


def main(port: int, threads: int, count: int, parent: int) -> int:
    """Serve on the port until told to end."""
    # Here alone: the supervisor, and with it every `flask` command, needs no more of this file than its names.
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    die_with(parent, signal.SIGTERM)
    gc.disable()  # a collection between here and the fork would only leave holes
    shared = application()

    def load(_target: str) -> Application:
        """Return the application, in the process that answers requests."""
        server = multiprocessing.parent_process()
        if server is not None and server.pid is not None:
            die_with(server.pid, signal.SIGKILL)  # a request cut off is repeated by its client, with its key
        made: Application = shared or importlib.import_module(ROOF).create_app()
        return made

    def serve() -> None:
        Granian(
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
        ).serve(target_loader=load)

    gc.collect()
    gc.freeze()  # what stands until the end is not looked through again and again, nor copied for it
    return Nursery(serve, count).run()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:5])))

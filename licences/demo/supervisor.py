"""The supervisor of the demonstration's workers (工作进程): starts the program that forks them, and ends it.

It starts that program again should it die; a worker that dies is replaced by the program itself. Processes of one
account may share a port (SO_REUSEPORT). So that nobody else listens there, such as another demonstration, is asked with
a socket that shares with nobody.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from licences.demo.worker import HOST, SECONDS_TO_FINISH, SHORT_LIFE, TRIES_TO_START

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_ROOT: Final = Path(__file__).resolve().parents[2]
_LOOK_EVERY: Final = 0.1  # seconds
_SECONDS_TO_START: Final = 60.0


class PortTakenError(Exception):
    """Somebody else listens on the port, or it is not for this account."""


class WorkersFailedError(Exception):
    """The workers do not come up; why is on their standard error."""


def refuse_taken(port: int) -> None:
    """Refuse a port on which somebody listens.

    Raises:
        PortTakenError: it is in use, or not for this account.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended are no hindrance
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTakenError(error.strerror) from None


class Supervisor:
    """Some workers on one port, kept alive from `start` on until the `with` block is left."""

    def __init__(self, *, port: int, environment: Mapping[str, str], workers: int = 2, threads: int = 1) -> None:
        """Make ready to start `workers` with `threads` each; `environment` is all they get."""
        arguments = map(str, (port, threads, workers, os.getpid()))
        self._command = [sys.executable, "-m", "licences.demo.worker", *arguments]
        self._environment = dict(environment)
        self._port = port
        self._running: tuple[subprocess.Popen[bytes], float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, stop: threading.Event) -> bool:
        """Start the workers and wait until they answer; False if `stop` was set meanwhile.

        Raises:
            PortTakenError: somebody else listens on the port.
            WorkersFailedError: they end at once, again and again, or do not answer within a minute.
        """
        refuse_taken(self._port)
        self._running = self._spawn()
        deadline, deaths = time.monotonic() + _SECONDS_TO_START, 0
        while not self._answers():
            deaths += self._replace_dead()
            if deaths >= TRIES_TO_START or time.monotonic() > deadline:
                raise WorkersFailedError
            if stop.wait(_LOOK_EVERY):
                return False
        return True

    def watch(self, stop: threading.Event) -> None:
        """Replace the workers' program whenever it dies, until `stop` is set."""
        while not stop.wait(_LOOK_EVERY):
            self._replace_dead()

    def end(self) -> None:
        """End all workers: they finish what they are at, and are killed if that takes too long."""
        if self._running is None:
            return
        workers, _born = self._running
        workers.terminate()
        try:
            workers.wait(timeout=SECONDS_TO_FINISH + 2)
        except subprocess.TimeoutExpired:
            workers.kill()  # the kernel ends its children with it
            workers.wait()
        self._running = None

    def _spawn(self) -> tuple[subprocess.Popen[bytes], float]:
        # A session of its own: Ctrl-C in a terminal reaches the supervisor alone, which ends the others in order.
        workers = subprocess.Popen(  # noqa: S603 - our own program
            self._command, cwd=_ROOT, env=self._environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        return workers, time.monotonic()

    def _replace_dead(self) -> bool:
        """Return whether the program had died and was replaced; one that hardly lived waits for its next turn."""
        if self._running is None or self._running[0].poll() is None or time.monotonic() - self._running[1] < SHORT_LIFE:
            return False
        self._running = self._spawn()
        return True

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

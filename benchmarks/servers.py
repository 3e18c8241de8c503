"""Servers under measurement: our demonstration city and the peers, each a process tree with a URL of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import process_cpu
from benchmarks.city import City
from idservice.log import sequencer
from idservice.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WORKERS: Final = 2
GRANIAN: Final = (
    *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "warning"),
    *("--workers", str(WORKERS), "--blocking-threads", "1", "--host", "127.0.0.1", "--port", "{port}"),
)
_ROOT: Final = Path(__file__).resolve().parents[1]
_SECONDS_TO_START: Final = 180.0
_SECONDS_TO_END: Final = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url`; `pid` is the root of its processes."""

    url: str
    pid: int
    puts_off: float = 0.2  # seconds after which work that a request left behind is begun

    def cpu_seconds(self) -> float:
        """Return the CPU time that all its processes have used so far."""
        return process_cpu.seconds(self.pid)


@contextlib.contextmanager
def demonstration(folder: Path, data: str = "city") -> Iterator[tuple[Server, City]]:
    """Serve the demonstration city that lies in `folder` under a name, without rate limits for this machine.

    Where none lies there it is built first.
    """
    port, file = free_port(), folder / f"{data}.json"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "--workers", str(WORKERS), "--port", str(port)]
    command += ["--data", str(folder / data), "--json", str(file)]
    url = f"http://127.0.0.1:{port}"
    with _running(command, {"ONA_UNTHROTTLED_LOOPBACK": "1"}, ready=f"{url}/readyz", log=folder / f"{data}.log") as pid:
        yield Server(url, pid, puts_off=sequencer.PACE + 0.5), City(json.loads(file.read_text()))


@contextlib.contextmanager
def granian(target: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve the application that `target` ("module:factory") makes, as the demonstration is served."""
    with served([sys.executable, *GRANIAN, "--factory", target], folder, environment) as server:
        yield server


@contextlib.contextmanager
def served(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, *, where: Path = _ROOT
) -> Iterator[Server]:
    """Run a peer's own program in the folder `where`; `{port}` in its arguments stands for the port it is to take."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    filled = [part.replace("{port}", str(port)) for part in command]
    log = folder / f"{port}.log"
    with _running(filled, environment or {}, ready=f"{url}/", log=log, where=where) as pid:
        yield Server(url, pid)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def inherited() -> dict[str, str]:
    """Return our own environment without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


@contextlib.contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], *, ready: str, log: Path, where: Path = _ROOT
) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=where, env=inherited() | dict(environment), stdout=output, stderr=output
        )
        try:
            _wait(process, ready, log)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=5).close()
            except urllib.error.HTTPError as error:
                if error.code >= 500:
                    time.sleep(0.2)
                    continue
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")

"""A demonstration city as a person starts it: `flask demo` in a process of its own, and a look at its processes."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_BUILD = 300  # on two busy cores; alone it takes some ten


def command_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: ours without settings, and then these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONA_", "FLASK_"))}
    return kept | dict(settings)


def flask(*arguments: str, settings: Mapping[str, str] = {}, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a `flask` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=command_environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


class RunningDemo:
    """`flask demo` over a folder, ready to answer; ended with the `with` block."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None, workers: int = 2) -> None:
        self.folder, self.port, self.file = folder, free_port(), folder / "file.json"
        folder.mkdir(exist_ok=True)
        self.file.unlink(missing_ok=True)
        self.log = folder / "log"
        options = ["--port", str(self.port), "--data", str(folder), "--json", str(self.file), "--workers", str(workers)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "demo", *options],
                cwd=ROOT,
                env=command_environment(settings or {}),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.known: set[int] = set()

    def __enter__(self) -> Self:
        try:
            self.wait_until(self.file.exists, SECONDS_TO_BUILD)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_reason: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def members(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return found

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"exit status {self.process.poll()}: {self.log.read_text('utf-8')[-3000:]}")
            time.sleep(0.05)

    def nurseries(self) -> list[int]:
        """The supervisor's own child, which forks the servers."""
        return _children(self.process.pid)

    def servers(self) -> list[int]:
        """The servers, each of which owns one process that answers requests."""
        return [server for nursery in self.nurseries() for server in _children(nursery)]

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        found = [leaf for server in self.servers() for leaf in _children(server)]
        self.known.update(found, self.servers(), self.nurseries())
        return found

    def status(self, path: str) -> int | None:
        """The status of a GET, None where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pids: Iterable[int], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []

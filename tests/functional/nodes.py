"""Several nodes as an operator runs them: server processes of their own over one database and one key ring."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from idservice.settings import Settings
from tests.functional.running_demo import ROOT, command_environment
from tests.identity import ISSUER
from tests.ports import free_port

SECONDS_TO_START = 180
HOST = urlsplit(ISSUER).netloc  # what a proxy in front of the nodes would hand on


@dataclass
class Answer:
    """What a node answered, with the names of Flask's test client."""

    status_code: int
    headers: Mapping[str, str]
    text: str
    node: int

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Node:
    """One server with one process that answers requests."""

    number: int
    environment: dict[str, str]
    log: Path
    threads: int = 2
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {"interface": "wsgi", "port": self.port, "blocking-threads": self.threads, "log-level": "warning"}
        named = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "granian", *named, "--factory", "wsgi:create_app"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.send("GET", "/healthz").status_code == 200:
                    return
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text("utf-8")[-3000:]
            assert time.monotonic() < deadline, self.log.read_text("utf-8")[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut does, with the process that answers its requests."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def send(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: Any = None,
    ) -> Answer:
        sent = {"Host": HOST, **(headers or {})}
        data = urlencode(form) if form is not None else json.dumps(body) if body is not None else None
        if data is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded" if form is not None else "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode(), self.number)


class Nodes:
    """Some nodes of one house."""

    def __init__(self, settings: Settings, folder: Path, *more: dict[str, str]) -> None:
        """Make ready one node for each of `more`, which adds to the settings that all have."""
        folder.mkdir(parents=True, exist_ok=True)
        environment = command_environment(
            {
                "ONA_DATABASE_URL": settings.database_url,
                "ONA_KEYS_DIR": str(settings.keys_dir),
                "ONA_ISSUER": settings.issuer,
                "ONA_INSECURE_LOOPBACK": "1",
                "ONA_UNTHROTTLED_LOOPBACK": "1",
                "ONA_LOG_LEVEL": "WARNING",
            }
        )
        self.all = [Node(number, environment | own, folder / f"node-{number}.log") for number, own in enumerate(more)]

    def __getitem__(self, number: int) -> Node:
        return self.all[number % len(self.all)]

    def start(self) -> None:
        for node in self.all:
            node.start()
        for node in self.all:
            node.wait()

    def kill(self) -> None:
        for node in self.all:
            node.kill()

    def logs(self) -> str:
        return "".join(node.log.read_text("utf-8") for node in self.all if node.log.exists())


@contextlib.contextmanager
def running(nodes: Nodes) -> Iterator[Nodes]:
    """Start nodes and kill them in the end; nothing that they wrote down tells of a fault."""
    try:
        nodes.start()
        yield nodes
        assert "Traceback" not in nodes.logs(), nodes.logs()[-3000:]
    finally:
        nodes.kill()


def race(nodes: Nodes, deed: Callable[[Node], Answer], runners: int = 50) -> list[Answer]:
    """Run `deed` in threads that start together, each at the next node in turn; return every answer."""
    start, got, lock = threading.Barrier(runners), [], threading.Lock()

    def run(node: Node) -> None:
        start.wait(timeout=30)
        answer = deed(node)
        with lock:
            got.append(answer)

    threads = [threading.Thread(target=run, args=(nodes[number],)) for number in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(got) == runners
    assert {answer.node for answer in got} == {node.number for node in nodes.all}, "every process took part"
    return got

"""Load from the generator `wrk`, bounded in time, on loopback addresses only."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.request import Request

CONNECTIONS: Final = 32
HOW_TO_GET_IT: Final = """wrk 未安装 The load generator wrk is needed:
  Debian, Ubuntu: apt install wrk        macOS: brew install wrk        https://github.com/wg/wrk"""
_SCRIPT: Final = Path(__file__).with_name("replay.lua")


class LoadError(RuntimeError):
    """The load could not be made, or was not answered as it should be; a figure from it would mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one load gave; every request of it was answered well."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds


def require() -> None:
    """Raise LoadError, saying how to get it, where wrk is missing."""
    if shutil.which("wrk") is None:
        raise LoadError(HOW_TO_GET_IT)


def send(url: str, requests: Sequence[Request], *, seconds: int, expected: str = "", once: bool = False) -> Load:
    """Send `requests` to `url` for some seconds over 32 connections, over and over or each `once`.

    Raises:
        LoadError: some answer was not a success, or lacked the text `expected`, or a connection broke.
    """
    where = urlsplit(url)
    if where.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise LoadError("Only this machine is put under load.")
    with tempfile.NamedTemporaryFile() as spool:
        for request in requests:
            raw = request.raw(where.netloc)
            spool.write(b"%d\n%s" % (len(raw), raw))
        spool.flush()
        command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
        command += ["--timeout", "30s", "--latency", "--script", str(_SCRIPT)]
        command += [url, "--", spool.name, "once" if once else "cycle", expected]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise LoadError(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    return _read(done.stdout, expected=expected)


def _read(output: str, *, expected: str) -> Load:
    found = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    if found["refused"] or found["broken"] or found["wrong"]:
        raise LoadError(f"not every request was answered well: {found}")
    answered = found["good"] if expected else found["requests"]
    if not answered:
        raise LoadError("nothing was answered")
    return Load(answered, found["seconds"], found["p50_ms"], found["p99_ms"])

"""SM2 signatures from Python beside `openssl speed`, which does nothing else: signatures a second of one core.

libcrypto works without the interpreter's lock, so two threads are to do nearly as much as two processes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_rate import rate, rate_of_processes, rate_of_threads
from keys import sm2

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_MESSAGE: Final = b"x" * 300
# The last line of its table: name, seconds of a signature and of a verification, signatures and verifications a second.
_ROW: Final = re.compile(r"^.*SM2.*?\s([\d.]+)s\s+([\d.]+)s\s+([\d.]+)\s+([\d.]+)\s*$", re.MULTILINE)


def measure(bench: Bench) -> dict[str, Figure]:
    """Return signatures and verifications of a 300-byte message a CPU second; no reference where openssl has no SM2."""
    private, public = sm2.generate()
    signature = sm2.sign(private, _MESSAGE)
    targets = {
        "sign": lambda: rate(lambda: sm2.sign(private, _MESSAGE)),
        "verify": lambda: rate(lambda: sm2.verify(public, _MESSAGE, signature)),
        "openssl": _openssl,
    }
    found = alternate(targets, bench.rounds)
    theirs = [pair for pair in found["openssl"] if pair is not None]
    figures = {}
    for place, name in enumerate(("sign", "verify")):
        reference = [pair[place] for pair in theirs]
        figures[f"sm2_{name}"] = Figure(
            median(found[name]),
            "1/CPU-s",
            reference=median(reference) if reference else None,
            ratio_reference=ratio(found[name], reference) if len(reference) == bench.rounds else None,
            goal="ratio_reference >= 0.95",
        )
    return figures | {
        "sm2_sign_threads": _threads(bench, lambda: sm2.sign(private, _MESSAGE)),
        "sm2_verify_threads": _threads(bench, lambda: sm2.verify(public, _MESSAGE, signature)),
    }


def _threads(bench: Bench, function: Callable[[], object]) -> Figure:
    """Return what two threads do together, beside what two processes do, which share nothing."""
    targets = {"threads": lambda: rate_of_threads(function, 2), "processes": lambda: rate_of_processes(function, 2)}
    found = alternate(targets, bench.rounds)
    goal = "ratio_reference >= 0.9"
    return Figure(
        median(found["threads"]),
        "1/s",
        reference=median(found["processes"]),
        ratio_reference=ratio(found["threads"], found["processes"]),
        goal=goal,
    )


def _openssl() -> tuple[float, float] | None:
    """Return signatures and verifications a second of `openssl speed`, None where it has no SM2."""
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-seconds", "1", "sm2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    row = _ROW.search(done.stdout)
    return (float(row[3]), float(row[4])) if row is not None else None

"""The program that forks the workers: it replaces who dies, gives up who cannot live, and ends all in order."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@contextlib.contextmanager
def running(serve: str, count: int = 2) -> "Iterator[subprocess.Popen[str]]":
    """Run a nursery whose children do `serve`."""
    program = f"""
import os, signal, sys, time
from licences.demo import worker
worker.SHORT_LIFE = 0.2
def serve():
    os.write(1, b"%d\\n" % os.getpid())  # at once: two write to the same pipe
{textwrap.indent(serve, "    ")}
sys.exit(worker.Nursery(serve, {count}).run())
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def pids(process: "subprocess.Popen[str]", count: int) -> list[int]:
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_who_dies_is_replaced_and_the_other_stays() -> None:
    with running("time.sleep(60)") as process:
        first, second = pids(process, 2)
        time.sleep(0.3)
        os.kill(first, signal.SIGKILL)
        (third,) = pids(process, 1)
        os.kill(second, 0)
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert all(map(is_gone, (first, second, third)))


def test_who_cannot_live_is_given_up() -> None:
    with running("sys.exit(1)", count=1) as process:
        assert process.wait(timeout=120) == 1
        assert len(pids(process, 3)) == 3


def test_children_end_with_the_program_that_forked_them() -> None:
    with running("time.sleep(60)") as process:
        children = pids(process, 2)
        process.kill()
        process.wait(timeout=60)
        assert all(map(is_gone, children))


def test_children_hear_the_signals_that_it_waits_for() -> None:
    with running("time.sleep(60)", count=1) as process:
        (child,) = pids(process, 1)
        os.kill(child, signal.SIGTERM)
        assert is_gone(child)
        process.terminate()
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("module", [None, "/no/such/module.so"])
def test_keys_in_hardware_are_opened_after_the_fork(monkeypatch: pytest.MonkeyPatch, module: str | None) -> None:
    from licences.demo import worker

    class Stated:
        pkcs11_module = module

    built = []

    class Roof:
        @staticmethod
        def create_app() -> object:
            built.append(1)
            raise LookupError

    monkeypatch.setattr(worker.settings, "from_environment", Stated)
    monkeypatch.setattr(worker.importlib, "import_module", lambda _name: Roof)
    if module is None:
        with pytest.raises(LookupError):
            worker.application()
    else:
        assert worker.application() is None
    assert bool(built) is (module is None)

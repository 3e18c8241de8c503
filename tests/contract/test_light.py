"""What a worker loads before its first request: large libraries of rare deeds are loaded by those deeds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RARE = (
    *("pyhanko", "aiohttp", "pypdfium2", "webauthn", "playwright", "hypothesis"),
    *("alembic", "mako", "redis", "licences.demo"),  # what only commands, or only some cities, need
)
FORKED = """
import threading, time
from tests.builders import build_app, house_of
from pathlib import Path
app = build_app(Path({folder!r}), "sqlite:///{folder}/a.db")
time.sleep(0.2)
print(threading.active_count(), house_of(app).database.engine.pool.checkedin())
"""


def python(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_roof_is_built_without_libraries_for_rare_deeds() -> None:
    assert python(f"import sys, wsgi; print(*sorted(set({RARE!r}) & set(sys.modules)))") == []


def test_the_roof_is_built_without_threads_and_connections(tmp_path: Path) -> None:
    """The demonstration forks its workers with the application in them."""
    assert python(FORKED.format(folder=str(tmp_path))) == ["1", "0"]

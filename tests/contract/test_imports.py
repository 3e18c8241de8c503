"""What importing pulls in and sets off: nouns need no framework, and the roof does nothing until it is asked."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The nouns, among them what contract.md promises to outsiders without Flask.
PURE = (
    "keys/**/*.py",
    "idservice/numbers/*.py",
    "seals/structure.py",
    "seals/signature.py",
    "seals/picture*.py",
    "seals/geometry.py",
    "seals/lettering.py",
    "seals/font.py",
    "seals/png.py",
    "seals/lifecycle.py",
    "seals/ofd.py",
    "licences/identifier.py",
    "licences/lifecycle.py",
    "licences/metadata.py",
    "licences/formats/*.py",
)
PROMISED = {"keys.sm2", "idservice.numbers.citizen", "idservice.numbers.credit_code", "licences.identifier"}
IMPURE = {"flask", "werkzeug", "sqlalchemy", "flask_smorest", "marshmallow", "redis", "authlib", "requests"}

IMPORT_AND_LIST = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sys.modules)
"""

IMPORT_THE_ROOF_AND_WATCH = """
import os, sys, threading
watched = {"socket.connect", "socket.bind", "sqlite3.connect", "subprocess.Popen", "os.system", "os.mkdir", "os.remove"}
seen = []
before = dict(os.environ), list(sys.path)
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event in watched else None)
import wsgi
assert (dict(os.environ), list(sys.path)) == before, "the environment or the path was changed"
assert threading.active_count() == 1, threading.enumerate()
assert seen == [], seen
assert callable(wsgi.create_app)
"""


def test_nouns_pull_in_no_framework() -> None:
    paths = {path.relative_to(ROOT).with_suffix("") for pattern in PURE for path in ROOT.glob(pattern)}
    modules = sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)
    assert set(modules) >= PROMISED
    loaded = _python(IMPORT_AND_LIST, *modules).split()
    assert sorted(IMPURE.intersection(loaded)) == []


def test_importing_the_roof_has_no_side_effect(tmp_path: Path) -> None:
    # No settings are read either: an unknown one is an error as soon as they are.
    _python(IMPORT_THE_ROOF_AND_WATCH, cwd=tmp_path, ONA_NO_SUCH_SETTING="1")
    assert list(tmp_path.iterdir()) == []


def _python(program: str, *arguments: str, cwd: Path = ROOT, **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

"""Each module works whatever else was imported: what it needs comes with it, and not by luck of the order."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("keys", "idservice", "seals", "licences")
RAISED = re.compile(r'\bProblem\(\s*"(\w+)"')
REGISTERED = re.compile(r'"(\w+)": (?:Problem)?Kind\(\s*\d{3},')

# One process for all, that a child leaves as it was; what every child needs is loaded once.
TRY_TABLES_OF_EACH = """
import importlib, os, sys
import sqlalchemy.orm
import sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite

def tables(name):
    importlib.import_module(name)
    sqlalchemy.orm.configure_mappers()
    from idservice.models import Base
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            key.column

for name in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    try:
        tables(name)
    except Exception as error:
        print(f"{name}: {error}", flush=True)
    finally:
        os._exit(0)
"""


def test_no_modules_need_each_other() -> None:
    # A package's own first lines run before those of what is in it, whoever asks: that is no circle.
    needs = {name: {other for other in _imports(name) if not f"{name}.".startswith(f"{other}.")} for name in _sources()}
    while free := {name for name, others in needs.items() if not others}:
        needs = {name: others - free for name, others in needs.items() if name not in free}
    assert needs == {}


def test_whoever_refuses_brings_the_refusal() -> None:
    owners: dict[str, set[str]] = {}
    for name, text in _sources().items():
        for code in REGISTERED.findall(text):
            owners.setdefault(code, set()).add(name)
    assert len(owners) > 100
    raised = [(name, code) for name, text in _sources().items() for code in RAISED.findall(text)]
    assert [(name, code) for name, code in raised if not owners.get(code, set()) & _reached(name)] == []


def test_tables_bring_those_they_point_at() -> None:
    names = sorted(name for name, text in _sources().items() if "ForeignKey(" in text)
    assert "licences.models" in names
    done = subprocess.run(
        [sys.executable, "-c", TRY_TABLES_OF_EACH, *names],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("", "")


@cache
def _sources() -> dict[str, str]:
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text(encoding="utf-8") for name, path in zip(names, paths, strict=True)}


@cache
def _imports(name: str) -> frozenset[str]:
    """Return which of our modules run when one is imported, before it or with it; not what these need in turn."""
    named = {name}
    for statement in _at_import(ast.parse(_sources()[name]).body):
        if isinstance(statement, ast.Import):
            named |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            named |= {f"{statement.module}.{alias.name}" for alias in statement.names}
    parts = [one.split(".") for one in named]
    return frozenset({".".join(part[:n]) for part in parts for n in range(1, len(part) + 1)} & _sources().keys())


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from _at_import(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
            for inner in ("body", "orelse", "finalbody"):
                yield from _at_import(getattr(statement, inner, []))


def _reached(name: str) -> set[str]:
    reached, left = {name}, [name]
    while left:
        new = _imports(left.pop()) - reached
        reached |= new
        left += new
    return reached

"""docs/conformance.md says where each module and each attack is shown: every test it names must exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/conformance.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| Row")]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


@cache
def names_in(name: str) -> frozenset[str]:
    """The tests of a file, by reading it: to collect them all would take longer than to run this."""
    path = ROOT / "tests" / name
    if not path.is_file():
        return frozenset()
    return frozenset(node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef))


def test_every_test_it_names_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 150
    assert [f"{file}::{name}" for file, name in named if name not in names_in(file)] == []


def test_every_row_names_a_test() -> None:
    assert [row for row in ROWS if not NAMED.search(row)] == []


def test_no_row_stands_twice() -> None:
    sections = PAGE.split("\n## ")
    for section in sections:
        rows = [line.split(" | ")[0] for line in section.splitlines() if line in ROWS]
        assert len(rows) == len(set(rows)), section[:40]


def test_every_test_written_for_this_page_stands_on_it() -> None:
    """The folders `conformance` and `attacks` exist for the page: what is in them is findable from it."""
    known = {f"{file}::{name}" for file, name in NAMED.findall(PAGE)}
    for folder in ("conformance", "attacks"):
        for path in (ROOT / "tests/functional" / folder).glob("test_*.py"):
            name = path.relative_to(ROOT / "tests").as_posix()
            assert known & {f"{name}::{test}" for test in names_in(name)}, name

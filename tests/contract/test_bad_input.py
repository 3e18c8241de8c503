"""docs/seals.md says which attack on a sealed document is shown where: every test it names must exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PART = (ROOT / "docs/seals.md").read_text("utf-8").partition("## 坏输入 Bad input")[2]
ROWS = [line for line in PART.splitlines() if line.startswith("| ") and not line.startswith(("| OFD |", "| PDF |"))]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
WRITTEN_FOR_IT = ("unit/seals/test_bad_input_ofd.py", "unit/seals/test_bad_input_pdf.py")


@cache
def names_in(name: str) -> frozenset[str]:
    path = ROOT / "tests" / name
    if not path.is_file():
        return frozenset()
    found = (node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def test_every_test_it_names_exists() -> None:
    named = NAMED.findall(PART)
    assert len(named) > 50
    assert [f"{file}::{name}" for file, name in named if name not in names_in(file)] == []


def test_every_row_names_a_test() -> None:
    assert [row for row in ROWS if not NAMED.search(row)] == []


def test_no_row_stands_twice() -> None:
    for table in PART.split("| PDF |"):
        rows = [row.split(" | ")[0] for row in table.splitlines() if row in ROWS]
        assert len(rows) == len(set(rows))


def test_every_attack_written_for_it_stands_on_it() -> None:
    known = set(NAMED.findall(PART))
    prepared = {"test_what_is_prepared_holds_before_the_attack"}
    left_out = {(file, name) for file in WRITTEN_FOR_IT for name in names_in(file) - prepared} - known
    assert left_out == set()

"""The process that reads a stranger's PDF limits itself before it reads, and knows nothing of this house."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.seals.pdfs import document

WORKER = Path(__file__).parents[3] / "seals/pdfium_worker.py"


def run(*words: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", str(WORKER), *words], input=data, capture_output=True, timeout=60, check=False
    )


def test_it_draws_and_finds() -> None:
    drawn = run("picture", "600", data=document())
    assert (drawn.returncode, drawn.stdout[:4]) == (0, b"\x89PNG")
    assert run("find", "no such words", "", data=document()).stdout == b"null"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF", document(box=(0, 0, 10, 5000))], ids=["none", "cut", "tall"])
def test_what_is_no_page_ends_it_without_a_word(data: bytes) -> None:
    done = run("picture", "600", data=data)
    assert done.returncode != 0
    assert done.stdout == b""


def test_it_imports_nothing_of_this_house_and_limits_itself_first() -> None:
    tree = ast.parse(WORKER.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"io", "json", "resource", "sys", "pypdfium2"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    assert "setrlimit" in ast.unparse(main.body[1])

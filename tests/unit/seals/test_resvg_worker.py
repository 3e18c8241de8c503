"""The process that draws what a stranger's OFD became limits itself first, and knows nothing of this house."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parents[3] / "seals/resvg_worker.py"
FONT = WORKER.parent / "fonts" / "NotoSerifSC-Regular.ttf"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="210" height="297" viewBox="0 0 210 297">'


def run(svg: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", str(WORKER), "300", str(FONT)]
    return subprocess.run(command, input=svg.encode(), capture_output=True, timeout=60, check=False)


def test_it_draws() -> None:
    done = run(f"{HEAD}<rect width='50' height='50'/></svg>")
    assert (done.returncode, done.stdout[:4]) == (0, b"\x89PNG")


@pytest.mark.parametrize("svg", ["", "no svg"])
def test_what_is_no_picture_ends_it_without_a_word(svg: str) -> None:
    done = run(svg)
    assert done.returncode != 0
    assert done.stdout == b""


def test_no_file_of_this_machine_is_drawn(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (10, 10)).save(tmp_path / "secret.png")
    blank = run(f"{HEAD}</svg>").stdout
    for address in (tmp_path / "secret.png", f"file://{tmp_path}/secret.png"):
        assert run(f'{HEAD}<image width="50" height="50" href="{address}"/></svg>').stdout == blank


def test_it_imports_nothing_of_this_house_and_limits_itself_first() -> None:
    tree = ast.parse(WORKER.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names == {"io", "resource", "sys", "resvg_py"}
    assert {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} == {"PIL"}
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    assert "setrlimit" in ast.unparse(main.body[1])

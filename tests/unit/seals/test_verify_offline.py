"""The offline example: what it prints, how it ends, and what it does not need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keys.certificates import to_pem
from tests.unit.seals.made import DOCUMENT, City, plain_files

PROGRAM = Path(__file__).parents[3] / "examples" / "verify_offline.py"


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=30, cwd=cwd, check=False)


@pytest.fixture
def folder(tmp_path: Path, city: City) -> Path:
    (tmp_path / "sealed.ofd").write_bytes(city.stamp_ofd(plain_files()))
    (tmp_path / "letter.dat").write_bytes(city.stamp())
    (tmp_path / "letter.txt").write_bytes(DOCUMENT)
    (tmp_path / "other.txt").write_bytes(b"other")
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.7 /ByteRange")
    (tmp_path / "root.pem").write_text(to_pem(city.root.der))
    return tmp_path


def test_it_tells_a_person_and_a_program(folder: Path) -> None:
    told = run("letter.dat", "--document", "letter.txt", "--trust", "root.pem", cwd=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "有效 HOLDS" in told.stdout
    machine = run("letter.dat", "--json", "--document", "letter.txt", "--trust", "root.pem", cwd=folder)
    assert json.loads(machine.stdout)["ok"] is True


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("sealed.ofd", "--trust", "root.pem"), 0, "有效"),
        (("sealed.ofd",), 2, "certificate_untrusted"),
        (("letter.dat", "--document", "other.txt", "--trust", "root.pem"), 1, "document_altered"),
        (("letter.dat", "--trust", "root.pem"), 2, "无法判断"),
        (("letter.txt",), 1, "not_sealed"),
        (("scan.pdf",), 2, "unreadable"),
    ],
)
def test_the_exit_status_says_yes_no_or_unknown(
    folder: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = run(*arguments, cwd=folder)
    assert (done.returncode, done.stderr) == (status, "")
    assert words in done.stdout


def test_files_that_are_not_there_are_named(folder: Path) -> None:
    for arguments in (("none.ofd",), ("sealed.ofd", "--trust", "letter.txt"), ("sealed.ofd", "--document", "none")):
        done = run(*arguments, cwd=folder)
        assert done.returncode == 2
        assert "cannot read" in done.stderr
        assert "Traceback" not in done.stderr


def test_it_needs_neither_a_web_framework_nor_a_database(folder: Path) -> None:
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['verify', 'sealed.ofd', '--json']\n"
        f"try: runpy.run_path({str(PROGRAM)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('flask', 'sqlalchemy', 'idservice')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

"""`flask register import` as an operator runs it: exit status, streams, and the end of the process in its midst."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from idservice.call import House
from idservice.register import import_cli
from tests.builders import build_app, house_of, migrate
from tests.databases import Databases
from tests.identity import ALICE, citizen_number

ROOT = Path(__file__).parents[2]
ROWS = 16_000
#: Runs `flask register import` and kills its own process once a portion is in, as a loss of power would.
KILLED = """
import os, signal, sys
from idservice.register import importing
from wsgi import create_app

plain = importing._enter


def killed(*given):
    plain(*given)
    os.kill(os.getpid(), signal.SIGKILL)


importing._enter = killed
create_app().test_cli_runner().invoke(args=["register", "import", *sys.argv[1:]], catch_exceptions=False)
"""


@pytest.fixture
def app(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    url = databases.fresh(migrate)
    built = build_app(tmp_path_factory.mktemp("house"), url)
    yield built
    house_of(built).database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def house(app: Flask) -> House:
    return house_of(app)


def start(house: House, *arguments: str) -> "subprocess.Popen[str]":
    names = {name: value for name, value in os.environ.items() if not name.startswith("ONA_")}
    chosen = {
        "ONA_DATABASE_URL": house.settings.database_url,
        "ONA_KEYS_DIR": str(house.settings.keys_dir),
        "ONA_INSECURE_LOOPBACK": "1",
        "ONA_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-c", KILLED, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=names | chosen, text=True, **pipes)


def run(app: Flask, *arguments: str, text: str = "") -> tuple[int, str, str]:
    done = app.test_cli_runner().invoke(args=["register", "import", *arguments], input=text)
    return done.exit_code, done.stdout, done.stderr


def count(house: House, what: str) -> int:
    with house.database.engine.connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT {what}")) or 0)


def test_a_killed_import_is_completed_by_running_it_again(app: Flask, house: House, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    rows = [f"{citizen_number(f'371602{1940 + n // 1000}0101{n % 1000:03}')},王小明" for n in range(ROWS - 2)]
    rows.insert(500, "x,x")
    rows.append("x,x")
    file.write_text("\n".join(["number,name", *rows]) + "\n", "utf-8")
    arguments = ("people", str(file), "--json", "--processes", "0")
    process = start(house, *arguments)
    _out, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors
    assert 0 < (done := count(house, "lines_done FROM register_import")) < ROWS
    assert count(house, "count(*) FROM person") == done - 2, "the header and one reject"

    status, out, _error = run(app, *arguments)
    told = json.loads(out)
    assert (status, told["rows"], told["added"], told["rejected"]) == (1, ROWS, ROWS - 2, 2)
    assert told["resumed_after_line"] >= done
    assert count(house, "count(*) FROM person") == count(house, "count(*) FROM subject_index") == ROWS - 2
    rejects = [json.loads(line) for line in Path(told["rejects"]).read_text("utf-8").splitlines()]
    assert [reject["line"] for reject in rejects] == [502, ROWS + 1]


def test_standard_input_and_the_words_for_people(app: Flask, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    line = json.dumps({"number": ALICE, "name": "王小明"}) + "\n"
    status, out, error = run(app, "people", "-", "--format", "jsonl", "--rejects", str(rejects), text=line)
    assert (status, error) == (0, "")
    assert "1 行 rows: 新增 1 added" in out
    assert ALICE not in out + error
    assert not rejects.exists()
    status, out, error = run(app, "people", "-", "--format", "jsonl", "--rejects", str(rejects), text=line + "{\n")
    assert (status, "退回 1 rejected" in out, str(rejects) in error) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "text", "word"),
    [
        (("people", "none.csv"), "", "No such file"),
        (("people", "-"), "", "--format"),
        (("people", "-", "--format", "csv"), "", "--rejects"),
        (("people", "-", "--format", "csv", "--rejects", "r"), "", "empty"),
        (("people", "-", "--format", "csv", "--rejects", "r"), "a,b\n", "unknown columns"),
    ],
)
def test_what_cannot_be_done_is_told(app: Flask, arguments: tuple[str, ...], text: str, word: str) -> None:
    status, out, error = run(app, *arguments, text=text)
    assert (status, out) == (2, "")
    assert word in error


def test_a_small_file_is_not_worth_a_process() -> None:
    assert import_cli._processes(1024) == 0
    assert import_cli._processes(1 << 30) >= 1
    assert import_cli._processes(None) >= 1

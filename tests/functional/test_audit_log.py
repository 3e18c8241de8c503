"""The audit log as outsiders and operators meet it: files over HTTP, `flask audit`, and the example that checks it."""

import json
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.serving import make_server

from idservice import audit
from idservice.call import House
from idservice.log.sequencer import sequence
from keys.merkle import inclusion_proof, leaf_hash, root, verify_inclusion
from keys.note import parse_checkpoint, parse_vkey, verify
from keys.ring import Purpose
from keys.tiles import TileNodes, new_tiles, split_bundle
from tests.builders import act, build_app, house_of, migrate
from tests.databases import Databases

EXAMPLE = Path(__file__).parents[2] / "examples/check_inclusion.py"
SIZE = 300


@dataclass(frozen=True, slots=True)
class Service:
    """An application over a log of SIZE entries, and the second sink of its checkpoints."""

    app: Flask
    house: House
    checkpoint_file: Path

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def flask(self, *words: str) -> tuple[int, str, str]:
        """Run one operator command; return exit status, standard output and standard error."""
        done = self.app.test_cli_runner().invoke(args=list(words))
        return done.exit_code, done.stdout, done.stderr


def record(house: House, count: int, *, now: datetime | None = None) -> list[str]:
    def write(call: Any) -> list[str]:
        return [audit.record(call, audit.Deed.LOGIN, subject=f"s{n}") for n in range(count)]

    return act(house, write, now=now)


@pytest.fixture
def service(databases: Databases, tmp_path: Path) -> Iterator[Service]:
    url = databases.fresh(migrate)
    path = tmp_path / "checkpoint"
    app = build_app(tmp_path, url, checkpoint_file=path)
    house = house_of(app)
    record(house, SIZE)
    sequence(house, datetime.now(UTC))
    yield Service(app, house, path)
    house.database.engine.dispose()
    databases.drop(url)


def damage(house: House, sql: str) -> None:
    assert house.database.run(lambda session: session.execute(text(sql)).rowcount, write=True) >= 1


# --- over HTTP -----------------------------------------------------------------------------------------------------


def test_a_stranger_recomputes_the_whole_log(service: Service) -> None:
    client = service.client
    key = parse_vkey(client.get("/log/key").text.strip())
    checkpoint = parse_checkpoint(verify(client.get("/log/checkpoint").text, [key]).text)
    assert (checkpoint.origin, checkpoint.size) == ("127.0.0.1:8000/log", SIZE)
    files = {tile: client.get(f"/log/{tile.path}") for tile in new_tiles(0, SIZE, entries=True)}
    assert {answer.status_code for answer in files.values()} == {200}
    leaves = [
        leaf_hash(entry)
        for tile, answer in sorted(files.items())
        if tile.level < 0
        for entry in split_bundle(answer.data)
    ]
    assert len(leaves) == SIZE
    assert root(leaves) == checkpoint.root
    nodes = TileNodes(SIZE, lambda tile: files[tile].data)
    for index in (0, 255, 256, SIZE - 1):
        assert verify_inclusion(leaves[index], index, SIZE, inclusion_proof(index, SIZE, nodes), checkpoint.root)


def test_tiles_are_kept_for_ever_and_the_checkpoint_is_not(service: Service) -> None:
    client = service.client
    for path in ("/log/tile/0/000", "/log/tile/0/001.p/44", "/log/tile/entries/000", "/log/tile/1/000.p/1"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.content_type == "application/octet-stream"
        assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    young = client.get("/log/checkpoint")
    assert young.headers["Cache-Control"] == "public, max-age=2"
    assert young.content_type == "text/plain; charset=utf-8"
    etag = young.headers["ETag"]
    assert client.get("/log/checkpoint", headers={"If-None-Match": etag}).status_code == 304
    record(service.house, 1)
    sequence(service.house, datetime.now(UTC))
    assert client.get("/log/checkpoint", headers={"If-None-Match": etag}).status_code == 200


def test_what_a_path_holds_never_changes_while_the_log_grows(service: Service) -> None:
    paths = ("/log/tile/0/001.p/44", "/log/tile/0/001.p/3", "/log/tile/entries/001.p/44", "/log/tile/1/000.p/1")
    before = [service.client.get(path).data for path in paths]
    record(service.house, 400)
    sequence(service.house, datetime.now(UTC))
    assert [service.client.get(path).data for path in paths] == before


ABSENT_TILES = (
    "0/002", "0/001", "0/001.p/45", "0/001.p/0", "0/001.p/256", "0/000.p/257", "1/000", "1/000.p/2", "2/000",
    "64/000", "-1/000", "entries/001", "entries/001.p/45", "entries/002", "0/0", "0/0000", "00/000", "0/x000/000",
    "0/001/", "0/x999/x999/x999/x999/x999/x999/999", "entries/x999/x999/x999/x999/x999/x999/999",
    "entries/x004/x294/967/296", "entries/x009/x007/x199/x254/x740/992", "0/x002/x305/x843/x009/x213/x693/951",
    "", "x", "0/../0/000", "0/٠٠٠", "0/000.p/4 4", "0/000.p/",
)  # fmt: skip


def test_a_tile_that_the_log_has_not(service: Service) -> None:
    for path in ABSENT_TILES:
        answer = service.client.get(f"/log/tile/{path}")
        assert answer.status_code == 404, (path, answer.data[:200])
        assert answer.json["code"] == "not_found", path
        assert "immutable" not in answer.headers["Cache-Control"], path


def test_before_the_first_checkpoint(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh(migrate)
    app = build_app(tmp_path, url)
    assert app.test_client().get("/log/checkpoint").status_code == 404
    assert parse_vkey(app.test_client().get("/log/key").text.strip()).name == "127.0.0.1:8000/log"
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "checkpoint"]).exit_code == 2
    assert runner.invoke(args=["audit", "verify"]).exit_code == 2
    house_of(app).database.engine.dispose()
    databases.drop(url)


def test_after_a_rotation_the_signing_key_comes_first(service: Service) -> None:
    old = service.client.get("/log/key").text
    service.house.keys.rotate(Purpose.CHECKPOINT, now=datetime.now(UTC))
    keys = service.client.get("/log/key").text.splitlines()
    assert len(keys) == 2
    assert f"{keys[1]}\n" == old
    record(service.house, 1)
    sequence(service.house, datetime.now(UTC))
    verify(service.client.get("/log/checkpoint").text, [parse_vkey(keys[0])])


# --- operators -----------------------------------------------------------------------------------------------------


def test_verify_says_that_the_log_holds(service: Service) -> None:
    status, output, _ = service.flask("audit", "verify")
    assert (status, output.startswith("日志完整 The log holds: 300 entries")) == (0, True)
    status, output, _ = service.flask("audit", "verify", "--json")
    found = json.loads(output)
    assert (status, found["ok"], found["size"], found["entries"]) == (0, True, SIZE, SIZE)


def test_verify_names_the_first_bad_record(service: Service) -> None:
    damage(service.house, "UPDATE audit_entry SET actor = 'person:nobody' WHERE log_index = 123")
    damage(service.house, "DELETE FROM audit_entry WHERE log_index = 200")
    status, output, _ = service.flask("audit", "verify", "--json")
    found = json.loads(output)
    assert (status, found["ok"]) == (1, False)
    assert (found["first_bad"]["code"], found["first_bad"]["index"]) == ("entry_changed", 123)
    status, output, _ = service.flask("audit", "verify")
    assert status == 1
    assert output.splitlines()[0].startswith("123 entry_changed 记录被改动")


def test_verify_compares_with_copies_elsewhere(service: Service, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(service.flask("audit", "checkpoint")[1])
    assert service.flask("audit", "verify", "--checkpoint", str(kept))[0] == 0
    for sql in ("DELETE FROM audit_entry", "DELETE FROM log_tile", "DELETE FROM log_checkpoint"):
        damage(service.house, sql)
    status, output, _ = service.flask("audit", "verify", "--json")  # the second sink alone is enough
    assert (status, json.loads(output)["ok"]) == (1, False)
    service.checkpoint_file.unlink()
    assert service.flask("audit", "verify", "--checkpoint", str(kept))[0] == 2  # a copy that is set but gone
    service.checkpoint_file.write_text(kept.read_text())
    assert service.flask("audit", "verify", "--checkpoint", str(tmp_path / "absent"))[0] == 2


def test_a_log_begun_anew_after_everything_was_deleted_is_found(service: Service) -> None:
    kept = service.checkpoint_file.read_text()
    for sql in ("DELETE FROM audit_entry", "DELETE FROM log_tile", "DELETE FROM log_checkpoint"):
        damage(service.house, sql)
    service.checkpoint_file.unlink()
    record(service.house, SIZE + 5)
    sequence(service.house, datetime.now(UTC))
    service.checkpoint_file.write_text(kept)
    status, output, _ = service.flask("audit", "verify", "--json")
    assert status == 1
    assert json.loads(output)["first_bad"]["code"] == "root_differs"


def test_sequence_once(service: Service) -> None:
    record(service.house, 7)
    assert service.flask("audit", "sequence", "--once")[:2] == (0, "7\n")
    assert service.flask("audit", "verify")[0] == 0
    damage(service.house, "DELETE FROM log_tile")
    record(service.house, 1)
    status, _, errors = service.flask("audit", "sequence", "--once")
    assert status == 2
    assert "LogDamagedError" in errors


def test_waiting_rows_make_readyz_and_verify_complain(service: Service) -> None:
    record(service.house, 1, now=datetime.now(UTC) - timedelta(minutes=2))
    assert service.client.get("/readyz").json["checks"]["audit"] != "ok"
    status, output, _ = service.flask("audit", "verify", "--json")
    assert (status, json.loads(output)["first_bad"]["code"]) == (1, "entry_waiting")


def test_without_a_schema_nothing_can_be_told(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh()
    app = build_app(tmp_path, url)
    for words in ("verify", "verify --json", "sequence --once", "checkpoint", "resign", f"prove {'0' * 32}"):
        done = app.test_cli_runner().invoke(args=["audit", *words.split()])
        assert (done.exit_code, type(done.exception)) == (2, SystemExit), words
        assert "无法判断 Could not tell" in done.stderr, words
        assert len(done.stderr.splitlines()) == 1, words
    house_of(app).database.engine.dispose()
    databases.drop(url)


def test_signing_anew_after_a_revocation(service: Service) -> None:
    kid = service.house.keys.signer(Purpose.CHECKPOINT).kid
    assert service.flask("keys", "revoke", kid, "--yes")[0] == 0
    assert service.flask("audit", "resign")[0] == 2  # no key to sign with
    assert service.flask("keys", "new", "checkpoint")[0] == 0
    assert service.flask("audit", "verify")[0] == 1
    assert service.flask("audit", "sequence", "--once")[0] == 2
    status, output, errors = service.flask("audit", "resign")
    assert (status, output) == (0, "1\n"), errors
    assert service.flask("audit", "sequence", "--once")[:2] == (0, "2\n")  # the two changes of the key ring
    assert service.flask("audit", "verify")[0] == 0


# --- the example ---------------------------------------------------------------------------------------------------


@pytest.fixture
def served(service: Service) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, service.app, threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def example(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the example in this process; it may load nothing of Flask's, which a test of its own sees to."""
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *words])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    return int(ended.value.code or 0)


def test_the_example_believes_only_what_it_computes(
    service: Service,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (entry_id,) = record(service.house, 1)
    assert service.flask("audit", "prove", entry_id)[0] == 1  # not in the log yet
    sequence(service.house, datetime.now(UTC))
    status, output, _ = service.flask("audit", "prove", entry_id)
    assert status == 0
    proof = tmp_path / "proof.json"
    proof.write_text(output)

    vkey = service.client.get("/log/key").text.strip()
    assert example(monkeypatch, served, str(proof), "--key", vkey) == 0
    assert entry_id in capsys.readouterr().out
    assert example(monkeypatch, served, str(SIZE)) == 0
    assert example(monkeypatch, served, str(SIZE + 1)) == 1

    changed = json.loads(output)
    changed["entry"]["outcome"] = "refused"
    proof.write_text(json.dumps(changed))
    assert example(monkeypatch, served, str(proof)) == 1
    proof.write_text("{}")
    assert example(monkeypatch, served, str(proof)) == 2
    assert example(monkeypatch, served, str(tmp_path / "absent.json")) == 2
    assert example(monkeypatch, served.removesuffix("/log") + "/nowhere", "0") == 2
    other = "127.0.0.1:8000/log+75b6b4e4+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert example(monkeypatch, served, "0", "--key", other) == 1

    damage(service.house, f"UPDATE audit_entry SET outcome = 'refused' WHERE entry_id = '{entry_id}'")  # noqa: S608
    assert example(monkeypatch, served, str(SIZE)) == 1


def test_the_example_needs_neither_flask_nor_a_database() -> None:
    program = (
        "import runpy, sys\n"
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='example')\n"
        "print(sorted({'flask', 'sqlalchemy', 'werkzeug', 'idservice'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"

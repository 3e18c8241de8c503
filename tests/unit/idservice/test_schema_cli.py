"""`flask keys` and `flask db`, as an operator runs them: what they print, what they change, how they end."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from idservice import schema_cli
from idservice.call import House
from keys.ring import KeyRing, Purpose, RingError
from tests.builders import build_house, migrate
from tests.databases import Databases
from tests.unit.idservice.log.deeds import ask


def app_of(house: House | None) -> Flask:
    app = Flask("operators")
    app.cli.add_command(schema_cli.keys)
    app.cli.add_command(schema_cli.db)
    if house is not None:
        app.extensions["ona"] = house
    return app


def run(house: House | None, *words: str, typed: str | None = None) -> tuple[int, str, str]:
    done = app_of(house).test_cli_runner().invoke(args=list(words), input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def empty(tmp_path: Path, databases: Databases) -> Iterator[House]:
    """A house over a database without a schema."""
    url = databases.fresh()
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def house(tmp_path: Path, databases: Databases) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def audited(house: House) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in ask(house, "SELECT deed, actor, facts FROM audit_entry ORDER BY entry_id")]


# --- keys ----------------------------------------------------------------------------------------------------------


def test_the_first_keys_are_made_before_there_is_an_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONA_INSECURE_LOOPBACK", "1")
    monkeypatch.setenv("ONA_KEYS_DIR", str(tmp_path / "deep/keys"))
    assert run(None, "keys", "list")[0] == 2
    status, output, errors = run(None, "keys", "new", "--json")
    made = json.loads(output)["keys"]
    assert status == 0
    assert "Not in the audit log" in errors
    assert {key["purpose"] for key in made} == {str(purpose) for purpose in Purpose} - {"seal", "document", "timestamp"}
    assert {key["state"] for key in made} == {"active"}
    assert (tmp_path / "deep/keys").stat().st_mode & 0o777 == 0o700
    assert run(None, "keys", "new")[:2] == (0, "")  # none is missing any more


def test_unsafe_settings_end_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONA_ISSUER", "http://id.example")
    status, output, errors = run(None, "keys", "new")
    assert (status, output) == (2, "")
    assert "ONA_ISSUER" in errors or "http issuer" in errors


def test_a_key_is_published_ahead_and_then_rotated_in(house: House) -> None:
    status, output, _ = run(house, "keys", "new", "licence", "--json")
    (pending,) = json.loads(output)["keys"]
    assert (status, pending["state"], pending["activated_at"]) == (0, "pending", None)
    status, output, _ = run(house, "keys", "rotate", "licence", "--json")
    changed = {key["kid"]: key["state"] for key in json.loads(output)["keys"]}
    assert status == 0
    assert changed[pending["kid"]] == "active"
    assert sorted(changed.values()) == ["active", "retired"]
    assert house.keys.signer(Purpose.LICENCE).kid == pending["kid"]


def test_retiring_and_revoking(house: House) -> None:
    (kid,) = {info.kid for info in house.keys.list() if info.purpose is Purpose.TRUST}
    assert run(house, "keys", "retire", kid)[0] == 2  # the active key is rotated instead
    run(house, "keys", "rotate", "trust")
    assert run(house, "keys", "revoke", kid, typed="n\n")[0] == 1
    assert not house.keys.is_revoked(kid)
    assert run(house, "keys", "revoke", kid, typed="y\n")[0] == 0
    assert house.keys.is_revoked(kid)
    assert run(house, "keys", "retire", kid)[0] == 2
    assert run(house, "keys", "revoke", "0" * 16, "--yes")[0] == 2


def test_a_changed_ring_is_audited_without_secrets(house: House) -> None:
    _, output, errors = run(house, "keys", "new", "session", "--json")
    (made,) = json.loads(output)["keys"]
    assert errors == ""
    facts = json.dumps({"keys": [f"session:{made['kid']}:pending"]}, separators=(",", ":"))
    assert audited(house) == [("idservice:key:make", "client:operator", facts)]
    run(house, "keys", "rotate", "session")
    run(house, "keys", "revoke", made["kid"], "--yes")
    assert [row[0] for row in audited(house)][1:] == ["idservice:key:rotate", "idservice:key:revoke"]


def test_a_refused_change_is_no_deed(house: House) -> None:
    run(house, "keys", "retire", "0" * 16)
    assert audited(house) == []


def test_a_key_can_be_revoked_while_the_database_is_down(empty: House) -> None:
    kid = empty.keys.signer(Purpose.LICENCE).kid
    status, _, errors = run(empty, "keys", "revoke", kid, "--yes")
    assert status == 0
    assert "Not in the audit log" in errors
    with pytest.raises(RingError):
        empty.keys.signer(Purpose.LICENCE)


def test_the_list_shows_nothing_secret(house: House, tmp_path: Path) -> None:
    house.keys.new_seal_key("seal-1")
    house.keys.new_seal_key("seal-1", Purpose.DOCUMENT)
    house.keys.new_seal_key("stamper", Purpose.TIMESTAMP)
    for words in (["keys", "list"], ["keys", "list", "--json"]):
        status, output, _ = run(house, *words)
        assert status == 0
        for path in (tmp_path / "keys").rglob("*.json"):
            record = json.loads(path.read_text())
            assert record["kid"] in output
            assert record["private"][:40] not in output
    assert "seal-1" in run(house, "keys", "list")[1]
    shown = json.loads(output)["keys"]
    assert {key["purpose"] for key in shown} == {str(purpose) for purpose in Purpose}
    assert "private" not in shown[0]


@pytest.mark.parametrize("words", [["new", "seal"], ["rotate", "seal"], ["new", "nonsense"], ["rotate"], ["retire"]])
def test_what_is_no_command_ends_with_two(house: House, words: list[str]) -> None:
    assert run(house, "keys", *words)[0] == 2


def test_a_change_by_another_process_is_seen_at_once(house: House, tmp_path: Path) -> None:
    run(house, "keys", "list")
    kid = KeyRing.open(tmp_path / "keys").new(Purpose.TRUST, now=house.keys.list()[0].created_at)
    assert kid in run(house, "keys", "list")[1]


# --- db ------------------------------------------------------------------------------------------------------------


def test_up_down_and_where_we_are(empty: House) -> None:
    assert run(empty, "db", "current")[:2] == (1, "base (不是最新 not the newest: flask db upgrade)\n")
    status, output, _ = run(empty, "db", "upgrade", "--json")
    assert (status, json.loads(output)["at_head"]) == (0, True)
    assert run(empty, "db", "current")[0] == 0
    assert run(empty, "db", "downgrade", "0001")[0] == 0
    status, output, _ = run(empty, "db", "current", "--json")
    assert (status, json.loads(output)) == (1, {"revisions": ["0001"], "at_head": False})
    assert run(empty, "db", "downgrade", "base")[0] == 0
    assert run(empty, "db", "upgrade", "0001")[0] == 0


def test_what_cannot_be_done_ends_with_two(empty: House) -> None:
    assert run(empty, "db", "upgrade", "no-such-revision")[0] == 2
    assert run(empty, "db", "downgrade")[0] == 2


def test_the_folder_of_a_sqlite_database_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONA_INSECURE_LOOPBACK", "1")
    monkeypatch.setenv("ONA_DATABASE_URL", f"sqlite:///{tmp_path}/instance/ona.db")
    assert run(None, "db", "upgrade")[0] == 0
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700
    assert run(None, "db", "current")[0] == 0


def test_an_unreachable_database_ends_with_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONA_INSECURE_LOOPBACK", "1")
    monkeypatch.setenv("ONA_DATABASE_URL", f"postgresql+psycopg://nobody:hidden@/x?host={tmp_path}")
    for words in (["db", "current"], ["db", "upgrade"]):
        status, output, errors = run(None, *words)
        assert (status, output) == (2, "")
        assert "hidden" not in errors


def test_the_secret_of_the_subjects_is_never_rotated(house: House) -> None:
    before = house.keys.secret(Purpose.SUBJECT)
    assert run(house, "keys", "rotate", "subject")[0] == 2
    house.keys.reload_if_changed(at_once=True)
    assert house.keys.secret(Purpose.SUBJECT) == before


def test_the_keys_are_wrapped_anew(house: House, tmp_path: Path) -> None:
    status, output, _ = run(house, "keys", "wrap", "--json")
    assert status == 0
    assert json.loads(output)["wrapped"] == len(house.keys.list())
    texts = [json.loads(path.read_text())["private"] for path in (tmp_path / "keys").rglob("*.json")]
    assert all(text.startswith("kek1:") for text in texts)

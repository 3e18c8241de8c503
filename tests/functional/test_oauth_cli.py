"""`flask oauth`: an operator hands out a token, and somebody registers an app with it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import migrate
from tests.databases import Databases
from tests.functional.test_registration import GOOD, send
from tests.identity import City, build_city


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path_factory.mktemp("city"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def run(city: City, *arguments: str):
    return city.app.test_cli_runner().invoke(args=["oauth", "initial-token", "new", *arguments])


def test_a_new_token_registers_as_many_apps_as_was_said(city: City, tmp_path: Path) -> None:
    made = run(city, "--name", "滨州市示范单位", "--scope", "openid offline_access", "--uses", "2", "--json")
    assert made.exit_code == 0
    token = json.loads(made.output)["token"]
    assert [send(city, GOOD, by=token).status_code for _ in range(3)] == [201, 201, 401]


def test_without_json_it_prints_the_token_alone(city: City) -> None:
    made = run(city, "--name", "x", "--scope", "openid offline_access")
    assert send(city, GOOD, by=made.output.strip()).status_code == 201


@pytest.mark.parametrize("arguments", [("--name", "x", "--scope", "nonsense"), ("--name", "x" * 65), ("--uses", "0")])
def test_what_cannot_be_is_refused(city: City, arguments: tuple[str, ...]) -> None:
    assert run(city, *arguments).exit_code == 2


def test_the_operator_reads_and_changes_what_is_registered_of_an_app(city: City) -> None:
    def client(*arguments: str, entered: str = ""):
        return city.app.test_cli_runner().invoke(args=["oauth", "client", *arguments], input=entered)

    held = json.loads(client("show", "other").output)
    assert held["auth_method"] == "client_secret_basic"
    assert client("change", "other", entered=json.dumps({"policy": {"actor": "basic"}})).exit_code == 0
    assert json.loads(client("show", "other").output)["policy"]["actor"] == "basic"
    assert client("change", "other", entered=json.dumps(held)).exit_code == 0
    assert json.loads(client("show", "other").output) == held
    for wrong in ("no json", "[]", "{}", '{"policy": {"actor": "nobody"}}'):
        assert client("change", "other", entered=wrong).exit_code == 2
    assert client("show", "nobody").exit_code == 2

"""`flask oauth resource` and `allow`: an operator says for which APIs tokens are made, and who may want them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idservice.models import Client
from idservice.oauth import resource_servers
from tests.audiences import DARK, DATA, MAPS, error_of, machine, register_apis
from tests.builders import act
from tests.identity import (
    ISSUER,
    City,
    claims_of,
)


@pytest.fixture(scope="module", autouse=True)
def apis(city: City) -> None:
    register_apis(city)


def run(city: City, *arguments: str) -> Any:
    return city.app.test_cli_runner().invoke(args=["oauth", *arguments])


def test_an_operator_registers_a_resource_server_and_lets_an_app_ask_for_it(city: City) -> None:
    new = "https://new.example/api"
    made = run(city, "resource", "new", new, "--name", "新平台", "--name-en", "New", "--scope", "licences.read")
    assert (made.exit_code, made.output.strip()) == (0, new)
    assert error_of(machine(city, new, client_id="system")) == (400, "invalid_target")
    given = [option for one in (DATA, MAPS, DARK, new) for option in ("--resource", one)]
    assert run(city, "allow", "system", *given).exit_code == 0
    assert claims_of(machine(city, new).json["access_token"])["aud"] == new
    listed = [json.loads(line) for line in run(city, "resource", "list", "--json").output.splitlines()]
    assert {"resource": new, "name": "新平台"}.items() <= next(one for one in listed if one["resource"] == new).items()
    assert new in run(city, "resource", "list").output
    assert run(city, "resource", "disable", new).exit_code == 0
    assert run(city, "resource", "disable", new).exit_code == 1
    assert error_of(machine(city, new)) == (400, "invalid_target")


UNSAFE = {
    "http": ("http://api.example",),
    "fragment": ("https://api.example/#x",),
    "user": ("https://a@api.example",),
    "no host": ("https:///x",),
    "ours": (f"{ISSUER}/other",),
    "taken": (DATA,),
    "space": ("https://api.example/ x",),
    "scope": ("https://api.example", "--scope", "nonsense"),
    "nobody to ask": ("https://api.example", "--opaque"),
    "stranger to ask": ("https://api.example", "--client", "nobody"),
    "empty name": ("https://api.example", "--name", ""),
    "broken": ("https://[api.example",),
}


@pytest.mark.parametrize("arguments", UNSAFE.values(), ids=UNSAFE.keys())
def test_what_cannot_be_a_resource_server_is_refused(city: City, arguments: tuple[str, ...]) -> None:
    before = act(city.house, lambda call: len(resource_servers.listed(call)))
    assert run(city, "resource", "new", "--name", "x", "--name-en", "x", *arguments).exit_code == 2
    assert act(city.house, lambda call: len(resource_servers.listed(call))) == before


def test_an_app_is_allowed_nothing_that_does_not_exist(city: City) -> None:
    for arguments in (
        ("nobody", "--resource", DATA),
        ("few", "--resource", "https://other.example"),
        ("few", "--details", "payment"),
        ("few", "--details", "licence-issue"),  # without the scope
    ):
        assert run(city, "allow", *arguments).exit_code == 2
    assert act(city.house, lambda call: call.session.get(Client, "few").resources) == [MAPS]

"""What people read holds no mark that they do not see: it is refused wherever it could come in."""

from typing import Any

import pytest

from idservice.admin import client_acts
from idservice.admin.schemas import ClientCreateBody
from idservice.errors import Problem
from idservice.oauth import client_settings, clients
from idservice.oauth.client_schema import ClientSettingsSchema
from idservice.register.schemas import GranteeBody
from seals.schemas import DesignBody, UseBody
from tests.builders import act
from tests.functional.test_registration import send
from tests.identity import City

MARKS = "\u202a\u202e\u2066\u2069\u200b\u200f\ufeff\u061c\u2060\n\0"
APP: dict[str, Any] = {
    "name": "新应用", "unit": "示范单位", "auth_method": "client_secret_basic", "grant_types": ["client_credentials"],
    "scope": "matters.read",
}  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    ("body", "members"),
    [
        (ClientCreateBody, ("name", "unit")),
        (ClientSettingsSchema, ("name", "unit")),
        (GranteeBody, ("name",)),
        (DesignBody, ("special",)),
        (UseBody, ("purpose", "on_behalf", "keyword")),
    ],
)
def test_by_the_api(body: Any, members: tuple[str, ...], mark: str) -> None:
    found = body().validate(dict.fromkeys(members, f"公安{mark}专用章"))
    for member in members:
        assert found[member] == ["Holds a control, direction or other invisible character."]


@pytest.mark.parametrize("member", ["name", "unit"])
def test_of_an_app_by_whatever_way_it_is_registered_or_changed(city: City, member: str) -> None:
    odd = {member: "市\u202e民之家"}
    with pytest.raises(Problem, match="invalid"):
        act(city.house, lambda call: client_acts.propose(call, APP | odd))

    def change(call: Any) -> None:
        row = client_acts.find(call, "basic")
        client_settings.change(call, row, odd)

    with pytest.raises(clients.RegistrationRefused, match="invisible"):
        act(city.house, change)


def test_of_an_app_that_registers_itself_and_of_the_unit_that_its_token_names(city: City) -> None:
    answer = send(city, {"client_name": "a\u2067b", "redirect_uris": ["http://127.0.0.1:4001/cb"]})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")
    stated = ["--name", "示范\u202e单位", "--scope", "openid", "--uses", "1", "--days", "1"]
    done = city.app.test_cli_runner().invoke(args=["oauth", "initial-token", "new", *stated])
    assert done.exit_code != 0

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from idservice.call import Call, House
from idservice.oauth import claims_request, granted
from idservice.oauth.granted import NOTHING, Granted, NotGrantable
from keys.fields import FieldError
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

MORE = Granted(
    details=({"type": "mandate", "principal": "x"},),
    resources=("https://api.example",),
    claims=claims_request.read('{"userinfo": {"name": {"value": "王小明"}}}'),
)
TABLE, ROW = "token_family", "f" * 32


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def app(**more: Any) -> Any:
    return SimpleNamespace(**{"authorization_details_types": (), "resources": (), "scope": ()} | more)


def test_nothing_is_stored_for_nothing(house: House) -> None:
    assert act(house, lambda call: granted.seal(call, NOTHING, table=TABLE, row=ROW)) is None
    assert act(house, lambda call: granted.unseal(call, None, table=TABLE, row=ROW)) is NOTHING


def test_what_is_stored_comes_back_and_names_nobody(house: House) -> None:
    blob = act(house, lambda call: granted.seal(call, MORE, table=TABLE, row=ROW))
    assert blob is not None
    assert "王小明".encode() not in blob
    assert act(house, lambda call: granted.unseal(call, blob, table=TABLE, row=ROW)) == MORE


def test_it_does_not_open_in_another_row(house: House) -> None:
    blob = act(house, lambda call: granted.seal(call, MORE, table=TABLE, row=ROW))
    with pytest.raises(FieldError):
        act(house, lambda call: granted.unseal(call, blob, table=TABLE, row="e" * 32))


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"resource": "https://api.example"}, "invalid_target"),
        ({"resource": " ".join(f"u:{n}" for n in range(9))}, "invalid_target"),
        ({"claims": "[]"}, "invalid_request"),
    ],
    ids=str,
)
def test_each_parameter_is_refused_with_its_own_code(house: House, sent: dict[str, str], error: str) -> None:
    def ask(call: Call) -> None:
        granted.asked(call, app(), sent, with_claims=True)

    with pytest.raises(NotGrantable) as caught:
        act(house, ask)
    assert caught.value.error == error


def test_claims_mean_nothing_where_there_is_no_such_parameter(house: House) -> None:
    assert act(house, lambda call: granted.asked(call, app(), {"claims": "[]"})) == NOTHING

"""A house with one receiver that has a stream."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import Call, Caller, House
from idservice.oauth import clients
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

RECEIVER = Caller(channel="api", client_id="listener")


def _register(call: Call) -> None:
    clients.register(
        call, client_id="listener", name="x", unit="x", auth_method="client_secret_basic", secret="s" * 40,
        grant_types=["client_credentials"], scope="ssf.manage",
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    act(built, _register)
    yield built
    built.database.engine.dispose()

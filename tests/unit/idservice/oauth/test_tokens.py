from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from idservice.call import Call, House
from idservice.models import AuditEntry
from idservice.oauth import clients, tokens
from idservice.oauth.confirmation import Key
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    machine = {"client_id": "m", "name": "m", "unit": "u", "auth_method": "client_secret_basic", "secret": "s" * 32}
    act(built, lambda c: clients.register(c, grant_types=["client_credentials"], scope="matters.read", **machine))
    yield built
    built.database.engine.dispose()


def rows(house: House) -> int:
    query = select(AuditEntry.entry_id).where(AuditEntry.deed == "idservice:token:issue")
    return len(act(house, lambda call: call.session.scalars(query).all()))


def issue(call: Call, scope: str = "matters.read") -> str:
    app = clients.find(call, "m")
    assert app is not None
    return str(tokens.for_client(call, app, (scope,))["access_token"])


def test_a_machines_tokens_of_one_minute_share_an_audit_row(house: House) -> None:
    assert len({act(house, issue, now=NOON + timedelta(seconds=n)) for n in range(20)}) == 20
    assert rows(house) == 1
    act(house, lambda call: issue(call, "lookups.create"), now=NOON)
    assert rows(house) == 2, "another scope is another standing"
    act(house, issue, now=NOON + timedelta(minutes=1))
    assert rows(house) == 3


def test_a_row_that_was_rolled_back_is_written_the_next_time(house: House) -> None:
    def fail(call: Call) -> None:
        issue(call)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        act(house, fail, now=NOON)
    assert rows(house) == 0
    act(house, issue, now=NOON)
    assert rows(house) == 1


def test_an_unknown_login_claims_nothing() -> None:
    assert tokens.acr(("pwd",)) == "urn:ona:acr:password"
    assert tokens.acr(()) == "urn:ona:acr:unknown"


def test_a_client_whose_tokens_must_be_bound_never_gets_one_that_is_not(house: House) -> None:
    """Whatever grant forgets to hand the key on, no token leaves."""
    bound = {"client_id": "b", "name": "b", "unit": "u", "auth_method": "client_secret_basic", "secret": "s" * 32}
    demands = ["dpop_bound_access_tokens"]
    act(
        house,
        lambda c: clients.register(
            c, grant_types=["client_credentials"], scope="matters.read", demands=demands, **bound
        ),
    )

    def issue_bound(call: Call, key: Key | None) -> str:
        app = clients.find(call, "b")
        assert app is not None
        return str(tokens.for_client(call, app, ("matters.read",), key=key)["token_type"])

    with pytest.raises(RuntimeError, match="bound"):
        act(house, lambda call: issue_bound(call, None))
    assert act(house, lambda call: issue_bound(call, Key("jkt", "A" * 43))) == "DPoP"

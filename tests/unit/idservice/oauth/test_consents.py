"""What a withdrawal ends: the holder's own tokens whoever withdraws for him, and those of a login still going on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House
from idservice.models import Consent, TokenFamily
from idservice.oauth import clients, consents, families
from idservice.register import mandates, people
from tests.builders import act, build_house, migrate
from tests.databases import Databases, PostgresDatabases
from tests.identity import AGENT, ALICE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
LOGIN = families.Login(b"s" * 32, NOW, ["pwd"], 3)
SCOPE = ("openid",)


class Elder:
    """A person with a proxy and an app, and what he does."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.subject, self.proxy = act(house, self._enter)

    def _enter(self, call: Call) -> tuple[str, str]:
        elder = people.enrol(call, number=ALICE, name="王小明", level=3)
        proxy = people.enrol(call, number=AGENT, name="李晓华", level=3)
        mandates.grant(call, person=proxy, principal=elder, principal_kind="person", role="proxy")
        clients.register(
            call, client_id="app", name="x", unit="x", auth_method="none", grant_types=["authorization_code"],
            scope="openid profile", redirect_uris=["https://app.example/cb"],
        )  # fmt: skip
        return elder, proxy

    def gives(self, now: datetime = NOW, scope: tuple[str, ...] = SCOPE) -> None:
        act(self.house, lambda call: consents.give(call, self.subject, "app", scope), caller=self.caller(), now=now)

    def logs_in(self, call: Call) -> str:
        app = clients.find(call, "app")
        assert app is not None
        return families.start(call, app, person=self.subject, login=LOGIN, scope=SCOPE, mandate=None)

    def withdraws(self, now: datetime = LATER, by: str | None = None) -> None:
        caller = self.caller(by)
        assert act(self.house, lambda call: consents.withdraw(call, self.subject, "app"), caller=caller, now=now)

    def is_alive(self, family_id: str, now: datetime = LATER) -> bool:
        return act(self.house, lambda call: families.find_alive(call, self.subject, family_id), now=now) is not None

    def caller(self, person: str | None = None) -> Caller:
        return Caller(channel="page", person=person or self.subject, amr=("pwd",), level=3, auth_time=NOW)


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def test_a_proxy_who_withdraws_ends_the_holders_own_tokens(house: House) -> None:
    elder = Elder(house)
    elder.gives()
    family_id = act(house, elder.logs_in, now=NOW)
    assert elder.is_alive(family_id)
    elder.withdraws(by=elder.proxy)
    assert not elder.is_alive(family_id)
    query = select(TokenFamily.revoked_for).where(TokenFamily.family_id == family_id)
    assert act(house, lambda call: call.session.scalar(query)) == "consent_withdrawn"


def test_a_consent_given_again_revives_nothing(house: House) -> None:
    elder = Elder(house)
    elder.gives()
    family_id = act(house, elder.logs_in, now=NOW)
    elder.gives(NOW + timedelta(seconds=1), ("openid", "profile"))
    assert elder.is_alive(family_id), "more of the same consent ends nothing"
    elder.withdraws()
    again = LATER + timedelta(minutes=1)
    elder.gives(again)
    fresh = act(house, elder.logs_in, now=again)
    assert (elder.is_alive(family_id, again), elder.is_alive(fresh, again)) == (False, True)


def test_of_two_logins_at_once_the_one_that_began_later_may_consent_first(house: House) -> None:
    elder = Elder(house)
    elder.gives(NOW + timedelta(milliseconds=1))
    elder.gives(NOW)
    family_id = act(house, elder.logs_in, now=NOW)
    assert elder.is_alive(family_id)


def test_a_consent_that_is_narrowed_ends_what_was_got_by_the_wider_one(house: House) -> None:
    elder, wider, since = Elder(house), ("openid", "profile"), NOW + timedelta(seconds=1)
    elder.gives(scope=wider)
    family_id = act(house, elder.logs_in, now=NOW)
    narrow = {"scope": SCOPE, "withheld": {"profile"}}
    act(house, lambda call: consents.give(call, elder.subject, "app", **narrow), caller=elder.caller(), now=since)
    row = act(house, lambda call: call.session.get_one(Consent, (elder.subject, "app")))
    assert (row.scope, row.given_at, row.withdrawn_at) == ("openid", since, None)
    assert not elder.is_alive(family_id)
    fresh = act(house, elder.logs_in, now=since)
    act(house, lambda call: consents.give(call, elder.subject, "app", **narrow), caller=elder.caller(), now=LATER)
    assert elder.is_alive(fresh), "what was not consented to cannot be taken back"


@pytest.fixture
def server(postgres: PostgresDatabases, tmp_path: Path) -> Iterator[House]:
    """A house on PostgreSQL, where a reader does not wait for a writer."""
    url = postgres.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    postgres.drop(url)


def test_a_login_that_went_on_while_consent_was_withdrawn_leaves_nothing_alive(server: House) -> None:
    elder = Elder(server)
    elder.gives()

    def log_in(session: Session) -> str:
        call = Call(server, session, elder.caller(), NOW + timedelta(seconds=1), "test")
        assert consents.covers(call, elder.subject, "app", SCOPE)
        family_id = elder.logs_in(call)
        elder.withdraws()
        return family_id

    family_id = server.database.run(log_in, write=True)
    assert not elder.is_alive(family_id)
    elder.gives(LATER)
    assert not elder.is_alive(family_id), "nor does it come to life"


def test_a_consent_given_while_an_older_one_is_withdrawn_stands_alone(server: House) -> None:
    elder = Elder(server)
    elder.gives(scope=("openid", "profile"))
    family_id = act(server, elder.logs_in, now=NOW)
    since = LATER + timedelta(seconds=1)

    def give(session: Session) -> None:
        call = Call(server, session, elder.caller(), since, "test")
        assert consents.covers(call, elder.subject, "app", ("profile",))
        with pytest.MonkeyPatch.context() as patch:
            read = consents._in_force

            def withdrawn_meanwhile(call: Call, holder: str, client_id: str) -> set[str]:
                found = read(call, holder, client_id)
                elder.withdraws()
                return found

            patch.setattr(consents, "_in_force", withdrawn_meanwhile)
            consents.give(call, elder.subject, "app", SCOPE)

    server.database.run(give, write=True)
    row = act(server, lambda call: call.session.get_one(Consent, (elder.subject, "app")))
    assert (row.scope, row.given_at) == ("openid", since)
    assert not elder.is_alive(family_id, since)

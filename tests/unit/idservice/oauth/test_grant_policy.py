from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import House
from idservice.oauth import clients, grant_policy
from idservice.oauth.grant_policy import CIBA_GRANT, DEVICE_GRANT, EXCHANGE_GRANT, PING, GrantPolicy, PolicyRefused
from idservice.oauth.pending_grant import CibaGrant, DeviceGrant
from idservice.oauth.token_exchange_grant import TokenExchangeGrant
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

HOOK = "https://app.example/ciba"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("policy")
    built = build_house(folder, SqliteDatabases(folder).fresh(migrate))
    yield built
    built.database.engine.dispose()


def register(house: House, client_id: str, grants: list[str], policy: GrantPolicy, method: str = "none") -> None:
    secret = None if method == "none" else "s" * 40
    act(
        house,
        lambda call: clients.register(
            call, client_id=client_id, name="x", unit="x", auth_method=method, grant_types=grants, scope="openid",
            secret=secret, policy=policy,
        ),
    )  # fmt: skip


def test_a_policy_is_kept_as_it_was_registered(house: House) -> None:
    policy = GrantPolicy(PING, HOOK, ("archive",), "gateway")
    register(house, "full", [CIBA_GRANT, EXCHANGE_GRANT], policy, "client_secret_basic")
    register(house, "plain", [DEVICE_GRANT], GrantPolicy())
    found = act(house, lambda call: [clients.find(call, name) for name in ("full", "plain")])
    assert [app.policy for app in found if app is not None] == [policy, grant_policy.ORDINARY]


@pytest.mark.parametrize(
    ("grants", "policy"),
    [
        ([CIBA_GRANT], GrantPolicy("push", HOOK)),
        ([CIBA_GRANT], GrantPolicy(PING)),
        ([CIBA_GRANT], GrantPolicy("poll", HOOK)),
        ([DEVICE_GRANT], GrantPolicy(PING, HOOK)),
        ([CIBA_GRANT], GrantPolicy(audiences=("archive",))),
        ([CIBA_GRANT], GrantPolicy(PING, "http://app.example/")),
        ([CIBA_GRANT], GrantPolicy(PING, "https://user@app.example/")),
        ([CIBA_GRANT], GrantPolicy(PING, "JaVaScRiPt:alert(1)")),
        ([CIBA_GRANT], GrantPolicy(PING, "http://10.0.0.1/")),
    ],
)
def test_a_policy_that_does_not_fit_is_refused(grants: list[str], policy: GrantPolicy) -> None:
    with pytest.raises(PolicyRefused):
        grant_policy.check(policy, grants, loopback=True)


def test_loopback_is_for_a_first_look_only() -> None:
    here = GrantPolicy(PING, "http://127.0.0.1:4001/ciba")
    grant_policy.check(here, [CIBA_GRANT], loopback=True)
    with pytest.raises(PolicyRefused):
        grant_policy.check(here, [CIBA_GRANT], loopback=False)


@pytest.mark.parametrize("grant", [CIBA_GRANT, EXCHANGE_GRANT])
def test_who_cannot_keep_a_secret_gets_no_such_grant(house: House, grant: str) -> None:
    with pytest.raises(clients.RegistrationRefused):
        register(house, "naked", [grant], GrantPolicy())


def test_every_grant_that_may_be_registered_is_served() -> None:
    served = {grant.GRANT_TYPE for grant in (DeviceGrant, CibaGrant, TokenExchangeGrant)}
    assert served == {DEVICE_GRANT, CIBA_GRANT, EXCHANGE_GRANT}
    assert served < set(clients.GRANT_TYPES)

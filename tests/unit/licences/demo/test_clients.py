from idservice.oauth import grant_policy, profiles, redirects, scopes
from idservice.oauth.clients import AUTH_METHODS, GRANT_TYPES
from idservice.oauth.profiles import PROFILES
from licences.demo.clients import CLIENTS


def test_the_names_that_outsiders_rely_on() -> None:
    assert [client.client_id for client in CLIENTS] == [
        *("app-basic", "app-jwt", "app-public", "app-fapi", "app-device", "app-ciba", "app-ciba-ping"),
        *("app-wallet", "app-wallet-haip", "gateway"),
        *("counter", "issuer", "share", "directory"),
    ]


def test_every_client_is_one_that_can_be_registered() -> None:
    for client in CLIENTS:
        assert client.auth_method in AUTH_METHODS
        assert set(client.grant_types) <= set(GRANT_TYPES)
        assert client.profile in PROFILES
        assert set(client.scope.split()) <= scopes.CATALOGUE.keys()
        for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
            redirects.check(uri, native=client.auth_method == "none", loopback=True)


def test_every_operation_can_be_tried() -> None:
    offered = {scope for client in CLIENTS for scope in client.scope.split()}
    assert scopes.CATALOGUE.keys() - offered == {"ssf.manage"}, "which a receiver of one's own is registered for"


def test_only_systems_act_for_departments_and_none_of_them_logs_people_in() -> None:
    for client in CLIENTS:
        system = client.grant_types == ("client_credentials",)
        assert (client.departments == ("*",)) is system
        assert bool(client.redirect_uris) is ("authorization_code" in client.grant_types)
        grant_policy.check(client.policy, client.grant_types, loopback=True)


def test_the_fapi_app_is_what_its_profile_demands() -> None:
    bank = next(client for client in CLIENTS if client.client_id == "app-fapi")
    assert (bank.profile, bank.auth_method) == ("fapi2", "private_key_jwt")
    assert profiles.fault(bank.profile, bank.auth_method, ()) is None
    strict = {client.client_id: client.profile for client in CLIENTS if client.profile != "standard"}
    assert strict == {"app-fapi": "fapi2", "app-wallet-haip": "haip"}


def test_the_public_apps_are_for_holders_alone() -> None:
    for public in (client for client in CLIENTS if client.auth_method == "none"):
        staff = {"licences.issue", "licences.change", "seals.use", "verifications.create"}
        assert not staff & set(public.scope.split())

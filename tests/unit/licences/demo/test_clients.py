from idservice.oauth import redirects, scopes
from idservice.oauth.clients import AUTH_METHODS, GRANT_TYPES, PROFILES
from licences.demo.clients import CLIENTS


def test_the_names_that_outsiders_rely_on() -> None:
    assert [client.client_id for client in CLIENTS] == ["app-basic", "app-jwt", "app-public", "counter", "issuer"]


def test_every_client_is_one_that_can_be_registered() -> None:
    for client in CLIENTS:
        assert client.auth_method in AUTH_METHODS
        assert set(client.grant_types) <= set(GRANT_TYPES)
        assert client.profile in PROFILES
        assert set(client.scope.split()) <= scopes.CATALOGUE.keys()
        for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
            redirects.check(uri, native=client.auth_method == "none", loopback=True)


def test_only_systems_act_for_departments_and_none_of_them_logs_people_in() -> None:
    for client in CLIENTS:
        system = client.grant_types == ("client_credentials",)
        assert (client.departments == ("*",)) is system
        assert bool(client.redirect_uris) is not system


def test_the_public_app_is_for_holders_alone() -> None:
    public = next(client for client in CLIENTS if client.auth_method == "none")
    assert not {"licences.issue", "licences.change", "seals.use", "verifications.create"} & set(public.scope.split())

import pytest

from idservice.oauth import clients
from idservice.oauth.profiles import FAPI2, HAIP, STANDARD, Demand, fault


def app(profile: str, *demands: str, method: str = "private_key_jwt") -> clients.App:
    return clients.App(
        client_id="a",
        name="a",
        unit="a",
        auth_method=method,
        redirect_uris=(),
        post_logout_redirect_uris=(),
        grant_types=frozenset(),
        scope=(),
        sector="client:a",
        departments=frozenset(),
        secret_hash=None,
        jwks=None,
        profile=profile,
        demands=frozenset(demands),
    )


def test_the_flags_have_the_names_of_dynamic_registration() -> None:
    assert set(Demand) == {
        "require_pushed_authorization_requests",
        "dpop_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
        "require_signed_request_object",
    }


def test_haip_is_fapi2_with_dpop_alone() -> None:
    strict = app(HAIP)
    assert strict.must_push
    assert strict.must_bind
    assert strict.binds_by_dpop_alone
    assert not app(FAPI2).binds_by_dpop_alone
    assert fault(HAIP, "none", ()) is not None
    assert fault(HAIP, "private_key_jwt", ()) is None
    assert fault(HAIP, "private_key_jwt", (Demand.TLS,)) is not None


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_fapi2_takes_keys_and_nothing_less(method: str) -> None:
    assert fault(FAPI2, method, ()) is not None
    assert fault(STANDARD, method, ()) is None


@pytest.mark.parametrize("method", ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"])
def test_fapi2_with_keys(method: str) -> None:
    assert fault(FAPI2, method, (Demand.DPOP, Demand.SIGNED)) is None


def test_what_contradicts_itself_or_is_unknown_is_refused() -> None:
    assert fault("loose", "none", ()) is not None
    assert fault(STANDARD, "none", ("anything",)) is not None
    assert fault(STANDARD, "none", (Demand.DPOP, Demand.TLS)) is not None


def test_a_profile_demands_without_flags_and_a_flag_without_profile() -> None:
    assert app(FAPI2).must_push
    assert app(FAPI2).must_bind
    assert not app(STANDARD).must_push
    assert not app(STANDARD).must_bind
    assert app(STANDARD, Demand.PUSHED).must_push
    assert not app(STANDARD, Demand.PUSHED).must_bind
    assert app(STANDARD, Demand.DPOP).must_bind
    assert app(STANDARD, Demand.TLS).must_bind
    assert not app(STANDARD, Demand.SIGNED).must_bind

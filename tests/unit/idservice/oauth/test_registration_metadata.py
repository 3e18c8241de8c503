import pytest

from idservice.oauth.registration_metadata import FIXED, LOGOUT_URIS, SHOWN_URIS, MetadataRefused, Stated, read

LEAST = {"client_name": "应用", "redirect_uris": ["https://app.example/cb"]}
VALUES = (None, True, 0, -1.5, "", "x", "\0", "x" * 3000, [], [1], [[]], ["x"] * 40, {}, {"keys": 1}, {"a": {}})
NAMES = (
    "redirect_uris", "grant_types", "response_types", "client_name", "scope", "jwks", "jwks_uri", "contacts",
    "software_id", "sector_identifier_uri", "tls_client_auth_subject_dn", "dpop_bound_access_tokens", *SHOWN_URIS,
    *LOGOUT_URIS, *FIXED,
)  # fmt: skip


def stated(**changes: object) -> Stated:
    return read(LEAST | changes, unit="单位", default_scope="openid", loopback=False)


def test_what_is_left_out_has_the_defaults_of_the_standard() -> None:
    values = stated().values
    assert values["auth_method"] == "client_secret_basic"
    assert values["grant_types"] == ["authorization_code"]
    assert (values["scope"], values["unit"], values["profile"]) == ("openid", "单位", "standard")
    assert values["logout"] is values["about"] is None


def test_unknown_members_are_passed_over() -> None:
    assert stated(made_up=1, default_max_age=3600) == stated()


def test_flags_become_demands() -> None:
    assert stated(dpop_bound_access_tokens=True, require_signed_request_object=False).values["demands"] == [
        "dpop_bound_access_tokens"
    ]


@pytest.mark.parametrize("name", [*SHOWN_URIS, *LOGOUT_URIS, "jwks_uri", "sector_identifier_uri"])
def test_every_uri_is_judged(name: str) -> None:
    with pytest.raises(MetadataRefused, match=name):
        stated(**{name: "https://10.0.0.1/"})


@pytest.mark.parametrize("name", NAMES)
def test_no_json_makes_it_fall_over(name: str) -> None:
    for value in VALUES:
        try:
            found = stated(**{name: value})
        except MetadataRefused as refused:
            error = refused.error
        else:
            error = None
            assert isinstance(found.values["redirect_uris"], list), value
        assert error in {None, "invalid_client_metadata"}, value

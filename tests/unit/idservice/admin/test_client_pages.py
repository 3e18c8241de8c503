from idservice.admin import client_pages
from idservice.oauth.clients import AUTH_METHODS, GRANT_TYPES


def test_the_form_offers_only_what_can_be_registered_without_keys() -> None:
    assert set(client_pages.GRANTS) <= set(GRANT_TYPES)
    assert set(client_pages.METHODS) == {
        method for method in AUTH_METHODS if method == "none" or method.startswith("client_secret")
    }

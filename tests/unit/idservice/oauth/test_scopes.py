import pytest

from idservice.oauth import scopes

CONTRACT = (
    "openid profile phone offline_access licences.read licences.show accesses.read consents.manage "
    "verifications.create lookups.create matters.read licences.issue licences.change seals.use"
)
# What work since the contract has added.
LIFE = "licences.object licences.collect licences.share licences.wallet"
COUNTER = "checks.create checks.answer commitments.check commitments.sign"
LATER = "sessions.manage ssf.manage mandates.manage admin.manage scim.read scim.write verified catalogue.manage"


def test_the_catalogue_is_the_contracts() -> None:
    assert set(scopes.CATALOGUE) == {*CONTRACT.split(), *LATER.split(), *COUNTER.split(), *LIFE.split()}


def test_every_scope_has_words_in_both_languages() -> None:
    assert all(scope.zh[0] and scope.en[0] for scope in scopes.CATALOGUE.values())
    claims = {
        name
        for table in (scopes.PERSON_CLAIMS, scopes.ORGANISATION_CLAIMS)
        for names in table.values()
        for name in names
    }
    assert claims | {"sub"} == scopes.CLAIM_TITLES.keys()


@pytest.mark.parametrize("text", [None, "", " ", "a  b", " a", "a ", "x" * 1025])
def test_what_is_no_scope(text: str | None) -> None:
    assert scopes.split(text) is None


def test_a_scope_keeps_its_order_and_loses_its_doubles() -> None:
    assert scopes.split("openid profile openid") == ("openid", "profile")


def test_no_scope_releases_the_number() -> None:
    everything = frozenset(scopes.CATALOGUE)
    assert scopes.claims_of(everything, organisation=False) == ("name", "real_name_level", "phone_number")
    assert scopes.claims_of(everything, organisation=True) == ("name", "credit_code")
    assert scopes.claims_of(frozenset({"openid"}), organisation=False) == ()


FOR_ANYBODY = (
    "openid profile phone verified offline_access licences.read licences.show licences.wallet licences.object "
    "accesses.read consents.manage sessions.manage mandates.manage commitments.sign verifications.create matters.read"
)


def test_what_staff_and_systems_do_is_not_for_a_client_without_a_secret() -> None:
    assert {scope.name for scope in scopes.CATALOGUE.values() if not scope.secret} == set(FOR_ANYBODY.split())

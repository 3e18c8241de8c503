"""Each field of a licence has one claim in each format, and each claim of ours tells one field or none."""

from licences.formats.mdoc_elements import MDL, SPACE
from licences.wallets.presentation import claim_names
from licences.wallets.presentation.claim_names import UNKNOWN


def test_a_field_and_its_claims_say_the_same() -> None:
    for field in ("holder_name", "holder_number", "certificate_number", "location", "age_over_18"):
        claim = claim_names.of_field(field)
        assert claim is not None
        assert claim_names.of_sd_jwt((claim,)) == field
        assert claim_names.of_mdoc((SPACE, claim)) == field
        assert claim_names.fields_told([claim]) == [field]
    for told_anyway in ("state", "issuer", "valid_until"):
        assert claim_names.of_field(told_anyway) is None


def test_what_every_copy_shows_is_nobodys_field() -> None:
    assert claim_names.of_sd_jwt(("licence_identifier",)) is None
    assert claim_names.of_sd_jwt(("status", "status_list")) is None
    assert claim_names.of_mdoc((SPACE, "valid_until")) is None
    assert claim_names.fields_told(["licence_identifier", "status", "family_name"]) == ["holder_name"]


def test_the_international_driving_licence_tells_the_same_fields() -> None:
    space = MDL.removesuffix(".mDL")
    assert claim_names.of_mdoc((space, "family_name")) == "holder_name"
    assert claim_names.of_mdoc((space, "birth_date")) == "holder_number"
    assert claim_names.of_mdoc((space, "expiry_date")) is None
    assert claim_names.of_mdoc((space, "portrait")) == UNKNOWN


def test_a_claim_that_we_never_make_is_unknown() -> None:
    assert claim_names.of_sd_jwt(("phone",)) == UNKNOWN
    assert claim_names.of_sd_jwt((None, "x")) == UNKNOWN
    assert claim_names.of_mdoc((SPACE, "phone")) == UNKNOWN

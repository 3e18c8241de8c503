"""What stands on the record of a look at the counter; who finds it there is in `test_co_holders`."""

from licences.verify_record import fields_read


def test_the_masked_holder_is_read_unless_all_of_him_was_shown() -> None:
    assert fields_read(frozenset()) == ["masked_holder"]
    assert fields_read({"age_over_18"}) == ["age_over_18", "masked_holder"]
    assert fields_read({"holder_name"}) == ["holder_name", "masked_holder"]
    assert fields_read({"holder_number", "holder_name", "area"}) == ["area", "holder_name", "holder_number"]

import re

from licences.deeds import Deed


def test_every_deed_is_named_as_the_log_names_deeds() -> None:
    assert all(re.fullmatch(r"licences:[a-z_]+:[a-z]+", deed) for deed in Deed)
    assert max(len(deed) for deed in Deed) <= 48, "the holder's record keeps 48 characters"
    assert len(set(Deed)) == len(Deed)

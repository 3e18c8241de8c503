import re

from idservice import audit
from idservice.admin.deeds import AdminDeed


def test_deeds_are_named_by_room_thing_and_deed() -> None:
    assert all(re.fullmatch(r"idservice:[a-z_]+:[a-z_]+", deed) for deed in AdminDeed)
    assert {str(deed) for deed in AdminDeed}.isdisjoint(str(deed) for deed in audit.Deed)

"""Which kinds each sort of owner may have."""

from seals.owner_kinds import KINDS, OwnerKind
from seals.picture_kinds import NAME_SEALS, Kind


def test_every_kind_belongs_to_somebody_and_name_seals_to_persons_alone() -> None:
    assert KINDS.keys() == set(OwnerKind)
    assert frozenset().union(*KINDS.values()) == set(Kind)
    assert KINDS[OwnerKind.PERSON] == NAME_SEALS == {Kind.PERSONAL, Kind.REPRESENTATIVE}
    for owner in (OwnerKind.DEPARTMENT, OwnerKind.ORGANISATION):
        assert not KINDS[owner] & NAME_SEALS

from licences.grounds import GROUNDS, ground_of, grounds_for
from licences.lifecycle import Change


def test_every_change_has_a_ground_and_every_ground_a_change() -> None:
    assert all(grounds_for(change) for change in Change)
    assert all(ground.changes and ground.zh and ground.en and len(ground.code) <= 24 for ground in GROUNDS.values())


def test_the_usual_ground_stands_where_none_is_named() -> None:
    assert ground_of(Change.REVOKE, None) is GROUNDS["licensing_69"]
    assert ground_of(Change.SUSPEND, None) is GROUNDS["penalty_9"]
    assert ground_of(Change.RESUME, None) is GROUNDS["measure_ended"]
    assert ground_of(Change.SUSPEND, "compulsion_9") is GROUNDS["compulsion_9"]


def test_a_change_rests_on_no_foreign_ground() -> None:
    assert ground_of(Change.REVOKE, "penalty_9") is None
    assert ground_of(Change.REVOKE, "invented") is None

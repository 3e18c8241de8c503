"""What a new version changes is told place by place."""

from dataclasses import replace

from licences.catalogue_diff import Difference, differences
from licences.definition import NationalCode
from tests.town import type_of

KIND = type_of("driving_licence")


def test_no_change_is_none() -> None:
    assert differences(KIND, replace(KIND)) == ()


def test_each_change_is_one_line_with_its_place() -> None:
    first, second, *rest = KIND.fields
    changed = replace(
        KIND,
        name="驾驶证",
        validity_months=None,
        fields=(replace(first, max_length=60), *rest),
        national_code=NationalCode("11100000000013338W001", "说明"),
    )
    order = [field.name for field in KIND.fields]
    told = {change.place: change for change in differences(KIND, changed)}
    assert told["name"] == Difference("name", "机动车驾驶证", "驾驶证")
    assert told["validity_months"] == Difference("validity_months", "72", None)
    assert told[f"fields/{first.name}/max_length"].after == "60"
    assert told[f"fields/{second.name}/title"] == Difference(f"fields/{second.name}/title", second.title, None)
    assert str(told["fields/order"].before).count(",") == len(order) - 1
    assert told["national_code/code"].before is None
    assert not any(place.startswith(f"fields/{rest[0].name}/") for place in told), "the others did not change"


def test_of_a_new_type_everything_is_new() -> None:
    assert all(change.before is None for change in differences(None, KIND))
    assert {"code", "fields/order", "card/colour"} <= {change.place for change in differences(None, KIND)}

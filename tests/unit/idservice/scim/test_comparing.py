"""How values compare."""

from datetime import UTC, datetime

import pytest

from idservice.scim import comparing
from idservice.scim.attributes import Attribute

EXACT, FREE = Attribute("a", "", case_exact=True), Attribute("b", "")


def test_case_counts_where_the_attribute_says_so() -> None:
    assert comparing.compares(FREE, "eq", ["Straße"], "STRASSE")
    assert not comparing.compares(EXACT, "eq", ["A"], "a")


@pytest.mark.parametrize(("values", "present"), [([], False), ([""], False), ([None], False), (["x"], True)])
def test_null_stands_for_no_value(values: list[str | None], present: bool) -> None:
    assert comparing.compares(FREE, "ne", values, None) is present
    assert comparing.compares(FREE, "eq", values, None) is not present


@pytest.mark.parametrize("text", ["2026-01-31T08:00:00+08:00", "2026-01-31T00:00:00Z"])
def test_a_moment_is_one_whatever_its_zone(text: str) -> None:
    assert comparing.moment(text) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-31T08:00:00", "soon", 7, None])
def test_what_is_no_moment(text: object) -> None:
    assert comparing.moment(text) is None

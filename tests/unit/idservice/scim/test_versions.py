"""ETags and what they let through."""

import pytest

from idservice.errors import Problem
from idservice.scim import versions

NOW = {"meta": {"version": versions.tag(3)}}


@pytest.mark.parametrize("header", ['W/"3"', '"3"', "*", 'W/"1", W/"3"', ' "2","3" '])
def test_the_version_that_it_is(header: str) -> None:
    versions.demand(header, NOW)


def test_without_a_version_nothing_is_compared() -> None:
    versions.demand(None, NOW)


@pytest.mark.parametrize("header", ['W/"2"', "3", "", 'W/"33"', "**", '"3'])
def test_another_version(header: str) -> None:
    with pytest.raises(Problem) as refused:
        versions.demand(header, NOW)
    assert refused.value.kind.status == 412

"""Filter, order and page: RFC 7644 sections 3.4.2 and 3.4.3."""

from typing import Any

import pytest

from idservice.errors import Problem
from idservice.scim import querying
from idservice.scim.querying import LARGEST_PAGE, SEARCH_REQUEST
from idservice.scim.resource_types import GROUP, USER

ROWS = [
    (USER, {"id": "1", "userName": "b", "title": "x", "emails": [{"value": "z"}, {"value": "a", "primary": True}]}),
    (USER, {"id": "2", "userName": "A"}),
    (USER, {"id": "3", "userName": "c", "title": "y", "emails": [{"value": "b"}], "name": {"formatted": "n"}}),
]


def ids(kinds: Any = (USER,), rows: Any = ROWS, **parameters: str) -> list[str]:
    return [row["id"] for row in querying.answered(querying.of_url(parameters), kinds, rows)["Resources"]]


def test_the_order_of_values() -> None:
    assert ids(sortBy="userName") == ["2", "1", "3"]
    assert ids(sortBy="userName", sortOrder="descending") == ["3", "1", "2"]
    assert ids(sortBy="title") == ["1", "3", "2"]
    assert ids(sortBy="title", sortOrder="Descending") == ["2", "3", "1"]
    assert ids(sortBy="emails") == ["1", "3", "2"]
    assert ids(sortBy="emails.value") == ["1", "3", "2"]
    assert ids(sortBy="name") == ["3", "1", "2"]


def test_pages_begin_at_one_and_are_bounded() -> None:
    assert ids(startIndex="2", count="1") == ["2"]
    assert ids(startIndex="-5", count="1") == ["1"]
    assert ids(count="0") == ids(count="-1") == ids(startIndex="9") == []
    assert querying.of_url({"count": "100000"}).count == LARGEST_PAGE
    found = querying.answered(querying.of_url({"startIndex": "3", "count": "7"}), (USER,), ROWS)
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (3, 3, 1)


def test_a_search_of_two_types() -> None:
    rows = [*ROWS, (GROUP, {"id": "g", "displayName": "G"})]
    assert ids((USER, GROUP), rows) == ["1", "2", "3", "g"]
    assert ids((USER, GROUP), rows, filter='displayName eq "g"') == ["g"]
    assert ids((USER, GROUP), rows, filter="userName pr", sortBy="displayName") == ["1", "2", "3"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"startIndex": "x"}, {"count": "1.5"}, {"count": "9" * 20}, {"sortOrder": "up"}, {"sortBy": "nothing"},
        {"count": "¹"}, {"attributes": "a", "excludedAttributes": "b"}, {"filter": "nothing pr"}, {"sortBy": ""},
    ],
)  # fmt: skip
def test_a_question_that_means_nothing_is_refused_even_where_nothing_is(parameters: dict[str, str]) -> None:
    with pytest.raises(Problem):
        ids(rows=[], **parameters)


def test_a_search_in_a_body() -> None:
    asked = querying.of_body(
        {"schemas": [SEARCH_REQUEST], "FILTER": "title pr", "attributes": ["title"], "startIndex": 1, "count": 5}
    )
    assert (asked.filter, asked.shown.only, asked.count) == ("title pr", ("title",), 5)
    for body in (
        None,
        {},
        {"schemas": ["x"]},
        {"schemas": [SEARCH_REQUEST], "filter": 7},
        {"schemas": [SEARCH_REQUEST], "count": "5"},
        {"schemas": [SEARCH_REQUEST], "count": True},
        {"schemas": [SEARCH_REQUEST], "attributes": "title"},
    ):
        with pytest.raises(Problem):
            querying.of_body(body)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('userName eq "a.b"', "a.b"),
        ('  USERNAME  Eq "a"  ', "a"),
        ('userName eq "a" or title pr', None),
        ('userName eq "a\\"b"', None),
        ('userName sw "a"', None),
        (None, None),
    ],
)
def test_one_name_is_found_without_reading_them_all(text: str | None, name: str | None) -> None:
    assert querying.user_name(querying.Query(filter=text)) == name
